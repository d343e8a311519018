"""The pace of a simulation, and the options of its command."""

import threading

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from database.environment import DatabaseEnvironment
from seeding.pace import BURST_SECONDS, CYCLE_SECONDS, Pace
from seeding.simulation import SimulationReport, simulate
from seeding.simulation_command import simulate_command

rates = st.floats(0.1, 10_000)
moments = st.floats(0, 10_000)


@given(rate=rates, burst=st.floats(1, 100), begin=moments, seconds=st.floats(0, 100))
def test_no_span_exceeds_the_rate_of_a_burst(rate: float, burst: float, begin: float, seconds: float) -> None:
    """In any time span at least the plain rate is due, and at most the rate of a burst."""
    pace = Pace(rate, burst)
    due = pace.count_due(begin + seconds) - pace.count_due(begin)
    slack = 1e-6 * rate * burst * (begin + seconds + 1)
    assert rate * seconds - slack <= due <= rate * burst * seconds + slack


@given(rate=rates, cycles=st.integers(0, 100), burst=st.floats(1, 100))
def test_a_cycle_ends_with_its_burst(rate: float, cycles: int, burst: float) -> None:
    """Before a cycle's burst the plain rate is due, and during the burst its multiple."""
    pace = Pace(rate, burst)
    begin = cycles * CYCLE_SECONDS
    calm = CYCLE_SECONDS - BURST_SECONDS
    before, until_burst, end = (pace.count_due(begin + each) for each in (0, calm, CYCLE_SECONDS))
    assert until_burst - before == pytest.approx(rate * calm)
    assert end - until_burst == pytest.approx(rate * burst * BURST_SECONDS)


AWAY = DatabaseEnvironment(uri="mongodb://127.0.0.1:1/shop?serverSelectionTimeoutMS=1")


def test_it_ends_after_its_seconds_also_without_a_database() -> None:
    """An unreachable database does not prolong a simulation beyond its seconds, and is not reported as back."""
    reports: list[SimulationReport] = []
    report = simulate(AWAY, Pace(1_000, 1), seed=7, stop=threading.Event(), seconds=0.1, watch=reports.append)
    assert report.stored == 0
    assert reports[-1].trouble


def test_a_stop_does_not_bring_the_database_back() -> None:
    """Stopping a simulation while the database is unreachable does not report it as back."""
    reports: list[SimulationReport] = []
    stop = threading.Event()

    def watch(report: SimulationReport) -> None:
        reports.append(report)
        if report.trouble:
            stop.set()

    simulate(AWAY, Pace(1_000, 1), seed=7, stop=stop, watch=watch)
    assert reports[-1].trouble


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        (["--rate", "0"], "0.0 is not in the range"),
        (["--rate", "nan"], "'nan' is not a number"),
        (["--rate", "many"], "'many' is not a valid float"),
        (["--rate", "20000"], "20000.0 is not in the range"),
        (["--burst", "0.5"], "0.5 is not in the range"),
        (["--count", "0"], "0 is not in the range"),
        (["--seconds", "0"], "0.0 is not in the range"),
    ],
)
def test_a_bad_option_is_explained(options: list[str], fault: str) -> None:
    """An invalid option is invalid usage, and the message says which and why."""
    result = CliRunner().invoke(simulate_command, options)
    assert result.exit_code == 2
    assert fault in result.output
    assert options[0] in result.output
