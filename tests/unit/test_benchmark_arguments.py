"""The arguments after a benchmark's name."""

import pytest

from benchmarks.argument import parse_numbers


def test_numbers_are_taken_in_their_order() -> None:
    """Numbers are taken in order, and missing ones default."""
    assert parse_numbers("seeding", [], COUNT=5, WORKERS=2) == [5, 2]
    assert parse_numbers("seeding", ["7"], COUNT=5, WORKERS=2) == [7, 2]
    assert parse_numbers("seeding", ["7", "3"], COUNT=5, WORKERS=2) == [7, 3]


@pytest.mark.parametrize("arguments", [["many"], ["1"], ["-1"], ["2.5"], ["2", "3", "4"]])
def test_what_is_no_number_of_a_benchmark_is_refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Text, a number below the minimum, a fraction and an excess number exit with the usage."""
    with pytest.raises(SystemExit, match="2"):
        parse_numbers("live", arguments, least=2, SUBSCRIBERS=5, INSERTS=2)
    assert "python -m benchmarks live" in capsys.readouterr().err


def test_help_names_each_number(capsys: pytest.CaptureFixture[str]) -> None:
    """`--help` explains the numbers and gives their defaults."""
    with pytest.raises(SystemExit, match="0"):
        parse_numbers("startup", ["--help"], RUNS=5)
    assert "RUNS" in (told := capsys.readouterr().out)
    assert "5 if left out" in told
