"""Admission: a burst waits its turn; an overload is refused, and ends."""

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack, suppress

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from database.environment import DatabaseEnvironment
from database.errors import OverloadedError
from gateway.admission import Admission, Slot
from gateway.app import create_app
from gateway.settings import load_settings
from tests.waiting import DEADLINE_SECONDS

MOST = 8
FEW = 2
WAITING = 8 * MOST
WAITING_AGAIN = 2 * MOST
REFUSING = 3.0
TRYING = 0.5
CALM = 0.3
TICK = 0.01


class Clock:
    """A clock that advances only when a test says so."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def admission(clock: Clock) -> Admission:
    return Admission(MOST, clock)


async def begin(admission: Admission, count: int) -> list[asyncio.Task[None]]:
    """Start `count` queries and let each proceed as far as it can."""
    tasks = [asyncio.create_task(admission.enter()) for _ in range(count)]
    for _ in range(3):
        await asyncio.sleep(0)
    return tasks


def is_in(task: asyncio.Task[None]) -> bool:
    return task.done() and not task.cancelled() and task.exception() is None


def is_turned_away(task: asyncio.Task[None]) -> bool:
    return task.done() and not task.cancelled() and isinstance(task.exception(), OverloadedError)


async def give_up(tasks: list[asyncio.Task[None]]) -> None:
    """Cancel waiting tasks, so that none outlives its test."""
    for task in tasks:
        task.cancel()
        with suppress(asyncio.CancelledError, OverloadedError):
            await task


async def overload(admission: Admission) -> list[asyncio.Task[None]]:
    return await begin(admission, MOST + WAITING + 1)


async def test_a_burst_waits_in_order(admission: Admission) -> None:
    """As many as allowed enter at once, and each that finishes lets in the one that has waited longest."""
    tasks = await begin(admission, MOST + 3)
    assert [is_in(task) for task in tasks] == [True] * MOST + [False] * 3
    for answered in range(1, 4):
        admission.leave()
        await begin(admission, 0)
        assert [is_in(task) for task in tasks] == [True] * (MOST + answered) + [False] * (3 - answered)
    assert not admission.is_overloaded


async def test_an_overload_turns_all_who_wait_away(admission: Admission) -> None:
    """One query too many is refused along with all who wait, but none that was admitted."""
    tasks = await overload(admission)
    assert [is_in(task) for task in tasks] == [True] * MOST + [False] * (WAITING + 1)
    assert all(is_turned_away(task) for task in tasks[MOST:])
    assert admission.is_overloaded


async def test_who_has_given_up_waits_no_more(admission: Admission) -> None:
    """A query cancelled while waiting leaves the queue: others may take its place without causing an overload."""
    tasks = await begin(admission, MOST + WAITING)
    await give_up(tasks[MOST:])
    waiting = await begin(admission, WAITING)
    assert not admission.is_overloaded
    admission.leave()
    await begin(admission, 0)
    assert [is_in(task) for task in waiting] == [True] + [False] * (WAITING - 1)
    await give_up(waiting)


async def overload_and_finish(admission: Admission) -> None:
    await overload(admission)
    for _ in range(MOST):
        admission.leave()


async def test_in_an_overload_few_are_let_in(admission: Admission, clock: Clock) -> None:
    """During an overload only a few are worked on at a time and nobody waits."""
    await overload_and_finish(admission)
    tasks = await begin(admission, 1)
    clock.now += REFUSING - TICK
    tasks += await begin(admission, 2 * MOST)
    assert [is_in(task) for task in tasks] == [True] * FEW + [False] * (2 * MOST - FEW + 1)
    assert all(is_turned_away(task) for task in tasks[FEW:])


async def test_an_overload_is_over_when_waiting_is_enough(admission: Admission, clock: Clock) -> None:
    """After some seconds queries may wait again, admitted newest first, and soon the overload ends."""
    await overload_and_finish(admission)
    tasks = await begin(admission, FEW)
    clock.now += REFUSING
    tasks += await begin(admission, 3)
    admission.leave()
    await begin(admission, 0)
    assert [is_in(task) for task in tasks] == [True] * FEW + [False, False, True]
    before = admission.is_overloaded
    clock.now += TRYING
    assert (before, admission.is_overloaded) == (True, False)
    # There is a free slot, but others came first.
    tasks += await begin(admission, 1)
    assert not is_in(tasks[-1])
    admission.leave()
    await begin(admission, 0)
    assert all(is_in(task) for task in tasks)


async def test_an_overload_goes_on_when_waiting_is_not_enough(admission: Admission, clock: Clock) -> None:
    """When too many wait again, all of them are refused, as are later ones."""
    await overload_and_finish(admission)
    tasks = await begin(admission, 1)
    clock.now += REFUSING
    tasks += await begin(admission, FEW + WAITING_AGAIN)
    assert [is_in(task) for task in tasks] == [True] * FEW + [False] * (WAITING_AGAIN + 1)
    assert all(is_turned_away(task) for task in tasks[FEW:])
    clock.now += REFUSING - TICK
    (late,) = await begin(admission, 1)
    assert is_turned_away(late)


async def test_an_overload_ends_when_there_is_nothing_to_do(admission: Admission, clock: Clock) -> None:
    """A moment without queries ends an overload; while one is being worked on, the overload lasts."""
    await overload(admission)
    overloaded = []
    for _ in range(MOST):
        clock.now += TICK
        overloaded.append(admission.is_overloaded)
        admission.leave()
    clock.now += CALM
    overloaded.append(admission.is_overloaded)
    assert overloaded == [True] * MOST + [False]


async def test_a_question_is_turned_away_before_it_costs_anything(admission: Admission) -> None:
    """In an overload `turns_away` lets a few pass at once, counting those on their way, and refuses the others."""
    assert not admission.turns_away()
    await overload_and_finish(admission)
    verdicts = [admission.turns_away() for _ in range(FEW + 2)]
    assert verdicts == [False] * FEW + [True] * 2
    # A query that passed but did not enter is forgotten.
    await begin(admission, 0)
    assert not admission.turns_away()


async def test_as_many_may_wait_as_are_finished_in_a_moment(admission: Admission, clock: Clock) -> None:
    """A worker that finished eight thousand queries in the last second lets two hundred wait."""
    for _ in range(8_000):
        await admission.enter()
        admission.leave()
    clock.now += 1
    tasks = await begin(admission, MOST + 200)
    assert not admission.is_overloaded
    assert sum(is_in(task) for task in tasks) == MOST
    (last,) = await begin(admission, 1)
    assert is_turned_away(last)


async def test_what_was_finished_long_ago_lets_nobody_wait(admission: Admission, clock: Clock) -> None:
    """Throughput of two seconds ago, with nothing since, does not let more queries wait."""
    for _ in range(8_000):
        await admission.enter()
        admission.leave()
    clock.now += 2
    assert is_turned_away((await overload(admission))[-1])


async def test_who_was_turned_away_is_told_once_a_second(
    admission: Admission, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """Refused queries are logged by number at most once a second, when the next query arrives."""
    tasks = await overload(admission)
    assert not caplog.messages
    for _ in range(2):
        clock.now += 1
        tasks += await begin(admission, 1)
    assert all(is_turned_away(task) for task in tasks[MOST:])
    assert caplog.messages == [f"turned {WAITING + 1} questions away", "turned 1 questions away"]


async def test_a_paused_question_makes_room(admission: Admission) -> None:
    """While a paused query waits for a slow client, another is admitted, and the first resumes without waiting."""
    tasks = await begin(admission, MOST + 2)
    admission.pause()
    await begin(admission, 0)
    assert is_in(tasks[MOST])
    admission.resume()
    admission.leave()
    await begin(admission, 0)
    assert not is_in(tasks[MOST + 1])
    admission.leave()
    await begin(admission, 0)
    assert is_in(tasks[MOST + 1])


async def test_who_waits_for_another_makes_room(admission: Admission) -> None:
    """While queries wait for another's work, others are admitted, up to a limit, and none in an overload."""
    tasks = await begin(admission, MOST + 2)
    with admission.share():
        await begin(admission, 0)
        assert is_in(tasks[MOST])
    admission.leave()
    await begin(admission, 0)
    assert not is_in(tasks[MOST + 1])
    with ExitStack() as stack:
        for _ in range(5 * MOST):
            stack.enter_context(admission.share())
        assert sum(is_in(task) for task in await begin(admission, 6 * MOST)) == 4 * MOST - 1
    await overload(admission)
    (late,) = await begin(admission, 1)
    with admission.share():
        await begin(admission, 0)
        assert is_turned_away(late)
        assert is_turned_away(*await begin(admission, 1))


async def test_a_question_makes_room_once(admission: Admission) -> None:
    """However many parts of a query wait, for another's work or a slow client, it makes room for one query only."""
    tasks = await begin(admission, MOST + 3)
    slot = Slot(admission)
    with slot.share(), slot.share():
        await begin(admission, 0)
        assert [is_in(task) for task in tasks[MOST:]] == [True, False, False]
    admission.leave()
    slot.pause()
    slot.pause()
    await begin(admission, 0)
    assert [is_in(task) for task in tasks[MOST:]] == [True, True, False]
    slot.resume()
    admission.leave()
    await begin(admission, 0)
    assert is_in(tasks[-1])
    await give_up(tasks)


async def test_to_wait_is_a_part_of_the_time_of_an_answer() -> None:
    """A query not admitted in time gets 504 REQUEST_TIMEOUT and stops waiting."""
    settings = load_settings({"GATEWAY_MAX_CONCURRENT": "1", "GATEWAY_REQUEST_TIMEOUT_MS": "100"})
    app = create_app(settings, DatabaseEnvironment(uri="mongodb://127.0.0.1/unused"))
    admission: Admission = app.state.admission
    await admission.enter()
    async with (
        asyncio.timeout(DEADLINE_SECONDS),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as http,
    ):
        answers = [
            await http.get("/transactions/1"),
            await http.post("/graphql", json={"query": "{ __typename }"}),
        ]
    assert [answer.status_code for answer in answers] == [504, 504]
    assert all("REQUEST_TIMEOUT" in answer.text for answer in answers)
    admission.leave()
    assert all(is_in(task) for task in await begin(admission, 1))


def list_steps() -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(("come", "crowd", "leave", "give up", "leave and give up", "second")), max_size=120)


def follow(steps: list[str]) -> Iterator[str]:
    yield from steps
    # At the end all queries finish.
    yield from ("leave",) * (len(steps) + (WAITING + 1) * steps.count("crowd"))


@given(steps=list_steps())
async def test_no_place_is_lost_or_doubled(steps: list[str]) -> None:
    """Whatever arrives, leaves and is cancelled, never more than allowed are in, and in the end all slots are free."""
    clock = Clock()
    admission = Admission(MOST, clock)
    inside = 0
    waiting: list[asyncio.Task[None]] = []
    # The end of an overload signals no event: those still waiting are admitted when the next one leaves.
    may_be_held = False
    for step in follow(steps):
        if step == "come":
            waiting += await begin(admission, 1)
        elif step == "crowd":
            waiting += await begin(admission, WAITING // 2)
        if step.startswith("leave") and inside:
            admission.leave()
            inside -= 1
        if step.endswith("give up") and waiting:
            # It may have been admitted at this very moment.
            waiting[0].cancel()
        if step == "second":
            clock.now += 1
        await begin(admission, 0)
        inside += sum(is_in(task) for task in waiting)
        waiting = [task for task in waiting if not task.done()]
        may_be_held = admission.is_overloaded or (may_be_held and not step.startswith("leave"))
        assert inside <= MOST
        assert not waiting or inside == MOST or may_be_held
    assert not inside
    assert not waiting
    tasks = await begin(Admission(MOST, clock), MOST)
    assert all(is_in(task) for task in tasks)
    await give_up(tasks)
