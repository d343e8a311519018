"""Limits how many database requests a worker handles at a time: a burst is queued, an overload is rejected at once.

It only counts requests; it must not know what they ask for, nor who sends them.
"""

import asyncio
import contextvars
import logging
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from database.errors import OverloadedError
from database.meter import set_wait
from gateway.metrics import count_shed

_DATABASE_SEGMENTS = frozenset({"transactions", "graphql"})
# Its clients wait for events; more of them cost the database nothing more.
_LIVE = "/transactions/live"
REFUSAL = "Too many requests are waiting; try again later."
logger = logging.getLogger(__name__)

# The period over which requests are counted.
_SECOND = 1.0
# How long requests are rejected in an overload, which idling for `_CALM_SECONDS` ends early; then how long its end is
# tried out.
_REFUSING_SECONDS = 3.0
_CALM_SECONDS = 0.25
_TRYING_SECONDS = 0.5

# When sending a part blocks for this long, the request releases its slot: it waits for its client, not for the CPU.
_SLOW_SECONDS = 0.2
# The queue's length in multiples of `most`: long enough for a burst, and shorter while the end of an overload is tried.
_WAITING_TIMES, _TRYING_TIMES = 8, 2
# The queue holds at least as many as the worker finishes in 1/40 s: even the last of them is answered in time.
_WAITING_SHARE = 40
# How many requests, in multiples of `most`, may release their slots while another request's query answers them, which
# costs little; in an overload none may.
_SHARING_TIMES = 4
# The divisor of `most` in an overload: an admitted request should be answered about as fast as it would be alone.
_OVERLOADED_SHARE = 4


class Admission:
    """The database requests of one worker.

    At most `most` are active at a time. Eight times as many may wait, or as many as the worker finishes in 1/40 s if
    that is more; they enter in order of arrival. One more starts an overload: all waiting requests are rejected, and
    for some seconds every request that finds a quarter of `most` active, so that those are answered about as fast as
    alone. Then the end is tried: twice `most` may wait, and the newest enters first, so that no response is late. If
    that queue overflows too, the overload starts again; if not, it is over. Clients that retry at once, although told
    to wait, do not prolong it.
    """

    def __init__(self, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        """Admit `most` requests at a time; `clock` returns seconds."""
        self._clock = clock
        self._most = most
        self._overload_limit = max(1, most // _OVERLOADED_SHARE)
        self._active = 0
        self._sharing = 0
        self._entering = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._overloaded = False
        self._refusing_until = self._refused_at = 0.0
        # Counts in the second that began at `_since`, and how many requests finished in the second before it.
        self._since = 0.0
        self._refused = self._finished = self._finished_before = 0

    @property
    def is_overloaded(self) -> bool:
        """Whether requests are being rejected, or were a moment ago."""
        if self._overloaded:
            now = self._clock()
            is_calm = not self._active and now - self._refused_at > _CALM_SECONDS
            self._overloaded = not is_calm and now < self._refusing_until + _TRYING_SECONDS
        return self._overloaded

    def turns_away(self) -> bool:
        """Return whether to reject a new request at once; one that is not rejected must `enter`, or be dropped."""
        if not self._is_refusing():
            return False
        if self._active + self._entering >= self._overload_limit:
            self._note_refusal()
            return True
        # It counts as active until it enters, which it does when its task first runs.
        self._entering += 1
        loop = asyncio.get_running_loop()
        loop.call_soon(loop.call_soon, self._end_entering)
        return False

    async def enter(self) -> None:
        """Wait until the request may begin.

        Raises:
            OverloadedError: it is rejected, because there are too many.
        """
        self._keep_time()
        if self._active < self._get_limit() and not self._waiting:
            self._active += 1
            return
        if not self._is_refusing():
            times = _TRYING_TIMES if self.is_overloaded else _WAITING_TIMES
            if len(self._waiting) < max(times * self._most, self._finished_before // _WAITING_SHARE):
                await self._wait()
                return
            self._begin_to_refuse()
        self._note_refusal()
        raise OverloadedError(REFUSAL)

    def leave(self) -> None:
        """Record that a request was answered, or abandoned."""
        self._finished += 1
        self.pause()

    def pause(self) -> None:
        """Release a request's slot while it waits for a slow client, or for another request's query."""
        self._active -= 1
        while self._waiting and self._active < self._get_limit():
            waiter = self._waiting.pop() if self._overloaded else self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(None)
                self._active += 1

    def resume(self) -> None:
        """Take the slot back after `pause`; the request was admitted before, so it does not queue again."""
        self._active += 1

    @contextmanager
    def share(self) -> Iterator[None]:
        """Release the slot during the block, which waits for another request's query, unless too many already do."""
        is_sharing = not self.is_overloaded and self._sharing < _SHARING_TIMES * self._most
        if is_sharing:
            self._sharing += 1
            self.pause()
        try:
            yield
        finally:
            if is_sharing:
                self._sharing -= 1
                self.resume()

    def _get_limit(self) -> int:
        return self._overload_limit if self.is_overloaded else self._most

    def _is_refusing(self) -> bool:
        return self.is_overloaded and self._clock() < self._refusing_until

    async def _wait(self) -> None:
        waiter = asyncio.get_running_loop().create_future()
        self._waiting.append(waiter)
        try:
            await waiter
        except asyncio.CancelledError:
            if waiter in self._waiting:
                # New requests must not be rejected because of requests that have left.
                self._waiting.remove(waiter)
            elif waiter.done() and not waiter.cancelled() and waiter.exception() is None:
                # The slot was granted at the same moment: pass it on.
                self.pause()
            raise

    def _begin_to_refuse(self) -> None:
        self._overloaded = True
        self._refusing_until = self._clock() + _REFUSING_SECONDS
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                self._note_refusal()
                waiter.set_exception(OverloadedError(REFUSAL))

    def _note_refusal(self) -> None:
        self._refused += 1
        self._refused_at = self._clock()
        count_shed("overload")

    def _end_entering(self) -> None:
        self._entering -= 1

    def _keep_time(self) -> None:
        now = self._clock()
        if now - self._since < _SECOND:
            return
        if self._refused:
            # In an empty context: this is not about the request that happens to arrive now.
            context = contextvars.Context()
            asyncio.get_running_loop().call_soon(
                logger.warning, "turned %d questions away", self._refused, context=context
            )
        self._finished_before = self._finished if now - self._since < 2 * _SECOND else 0
        self._since = now
        self._refused = self._finished = 0


def queries_database(path: str) -> bool:
    """Whether each request for a path queries the database."""
    return path != _LIVE and path[1:].partition("/")[0] in _DATABASE_SEGMENTS


class Slot:
    """The slot of one active request.

    Others may use it while the request waits for a slow client or for another's query, and during a long response.
    """

    def __init__(self, admission: Admission) -> None:
        self._admission = admission
        self._pauses = 0
        self._is_sharing = False

    def pause(self) -> None:
        """Release the slot until `resume` has been called as often."""
        self._pauses += 1
        if self._pauses == 1:
            self._admission.pause()

    def resume(self) -> None:
        """Undo one call of `pause`."""
        self._pauses -= 1
        if not self._pauses:
            self._admission.resume()

    @contextmanager
    def release_after(self, seconds: float) -> Iterator[None]:
        """Release the slot if the block takes longer than so many seconds, until it ends."""
        has_paused = False

        def pause() -> None:
            nonlocal has_paused
            has_paused = True
            self.pause()

        timer = asyncio.get_running_loop().call_later(seconds, pause)
        try:
            yield
        finally:
            timer.cancel()
            if has_paused:
                self.resume()

    @contextmanager
    def share(self) -> Iterator[None]:
        """Call `Admission.share`, but only once, however many parts of the request wait for other queries."""
        if self._is_sharing:
            yield
            return
        self._is_sharing = True
        try:
            with self._admission.share():
                yield
        finally:
            self._is_sharing = False


class AdmissionMiddleware:
    """Admits database requests; requests that cost the database nothing always pass."""

    def __init__(self, app: ASGIApp, admission: Admission) -> None:
        self._app = app
        self._admission = admission

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        admission = self._admission
        if scope["type"] != "http" or not queries_database(scope["path"]):
            await self._app(scope, receive, send)
            return

        has_entered = False
        slot = scope["state"]["slot"] = Slot(admission)
        set_wait(slot.share)

        async def receive_and_enter() -> Message:
            """Enter once the body is complete: a request whose body trickles in must not hold a slot."""
            nonlocal has_entered
            message = await receive()
            if not has_entered and not message.get("more_body"):
                await admission.enter()
                has_entered = True
            return message

        async def send_counted(message: Message) -> None:
            if message.get("more_body"):
                with slot.release_after(_SLOW_SECONDS):
                    await send(message)
            else:
                await send(message)

        if scope["method"] == "GET":
            await admission.enter()
            has_entered = True
        try:
            await self._app(scope, receive_and_enter, send_counted)
        finally:
            if has_entered:
                admission.leave()
