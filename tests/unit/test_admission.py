"""A burst waits its turn; an overload is turned away, and ends."""

import asyncio
from collections.abc import Iterator
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from database.errors import OverloadedError
from gateway.admission import Admission

MOST = 8
FEW = 3
WAITING = 2 * MOST


class Clock:
    """Seconds that pass when a test says so."""

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
    """Let questions come, and give each as far as it gets by itself."""
    tasks = [asyncio.create_task(admission.enter()) for _ in range(count)]
    for _ in range(3):
        await asyncio.sleep(0)
    return tasks


def is_in(task: asyncio.Task[None]) -> bool:
    return task.done() and not task.cancelled() and task.exception() is None


def is_turned_away(task: asyncio.Task[None]) -> bool:
    return task.done() and not task.cancelled() and isinstance(task.exception(), OverloadedError)


async def give_up(tasks: list[asyncio.Task[None]]) -> None:
    """End what still waits, so that no task outlives its test."""
    for task in tasks:
        task.cancel()
        with suppress(asyncio.CancelledError, OverloadedError):
            await task


async def overload(admission: Admission) -> list[asyncio.Task[None]]:
    return await begin(admission, MOST + WAITING + 1)


async def test_a_burst_waits_in_order(admission: Admission) -> None:
    """As many as allowed are let in at once, and each that is answered lets in the one that came first."""
    tasks = await begin(admission, MOST + 3)
    assert [is_in(task) for task in tasks] == [True] * MOST + [False] * 3
    for answered in range(1, 4):
        admission.leave()
        await begin(admission, 0)
        assert [is_in(task) for task in tasks] == [True] * (MOST + answered) + [False] * (3 - answered)
    assert not admission.is_overloaded


async def test_an_overload_turns_all_who_wait_away(admission: Admission) -> None:
    """One more than may wait turns away itself and all who wait, but nobody who was let in."""
    tasks = await overload(admission)
    assert [is_in(task) for task in tasks] == [True] * MOST + [False] * (WAITING + 1)
    assert all(is_turned_away(task) for task in tasks[MOST:])
    assert admission.is_overloaded


async def test_in_an_overload_few_are_let_in(admission: Admission) -> None:
    """While the overload lasts, only few are worked on at a time and nobody waits."""
    await overload(admission)
    for _ in range(MOST):
        admission.leave()
    tasks = await begin(admission, 2 * MOST)
    assert [is_in(task) for task in tasks] == [True] * FEW + [False] * (2 * MOST - FEW)
    assert all(is_turned_away(task) for task in tasks[FEW:])


async def test_an_overload_lasts_while_many_are_turned_away(admission: Admission, clock: Clock) -> None:
    """A second of which a quarter was turned away is followed by another of overload, one of fewer is not."""
    await overload(admission)
    for _ in range(MOST):
        admission.leave()
    clock.now += 1
    for came, is_overloaded in ((4 * FEW, True), (FEW + 1, True), (FEW, False)):
        tasks = await begin(admission, came)
        for _ in range(sum(is_in(task) for task in tasks)):
            admission.leave()
        clock.now += 0.5
        assert admission.is_overloaded
        clock.now += 0.5
        assert admission.is_overloaded == is_overloaded


async def test_an_overload_ends_when_nobody_comes(admission: Admission, clock: Clock) -> None:
    """A second without a question ends an overload."""
    await overload(admission)
    clock.now += 1
    assert admission.is_overloaded
    clock.now += 1
    assert not admission.is_overloaded


async def test_as_many_may_wait_as_a_second_finishes(admission: Admission, clock: Clock) -> None:
    """A worker that finished a hundred questions in the last second lets a hundred wait."""
    for _ in range(100):
        await admission.enter()
        admission.leave()
    clock.now += 1
    tasks = await begin(admission, MOST + 100)
    assert not admission.is_overloaded
    assert sum(is_in(task) for task in tasks) == MOST
    (last,) = await begin(admission, 1)
    assert is_turned_away(last)


async def test_a_paused_question_makes_room(admission: Admission) -> None:
    """While a question waits for a slow client another is let in, and the first goes on without waiting."""
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


def list_steps() -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(("come", "leave", "give up", "second")), max_size=120)


def follow(steps: list[str]) -> Iterator[str]:
    yield from steps
    # At the end all is answered.
    yield from ("leave",) * len(steps)


@given(steps=list_steps())
async def test_no_place_is_lost_or_doubled(steps: list[str]) -> None:
    """Whatever comes, leaves and gives up, never more than allowed are in, and in the end all places are free."""
    clock = Clock()
    admission = Admission(MOST, clock)
    inside = 0
    waiting: list[asyncio.Task[None]] = []
    for step in follow(steps):
        if step == "come":
            waiting += await begin(admission, 1)
        elif step == "leave" and inside:
            admission.leave()
            inside -= 1
        elif step == "give up" and waiting:
            waiting[0].cancel()
        elif step == "second":
            clock.now += 1
        await begin(admission, 0)
        inside += sum(is_in(task) for task in waiting)
        waiting = [task for task in waiting if not task.done()]
        assert inside <= MOST
        assert not waiting or inside == MOST or admission.is_overloaded
    assert not inside
    assert not waiting
    tasks = await begin(Admission(MOST, clock), MOST)
    assert all(is_in(task) for task in tasks)
    await give_up(tasks)
