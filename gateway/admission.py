"""How many questions a worker works on at a time: a burst waits its turn, an overload is turned away at once.

It counts questions alone, and knows nothing of what they ask or who asks.
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

_QUESTIONS = frozenset({"transactions", "graphql"})
# Its clients wait for events, and cost the database nothing more the more they are.
_LIVE = "/transactions/live"
REFUSAL = "Too many requests are waiting; try again later."
logger = logging.getLogger(__name__)

# Long enough to count questions in.
_SECOND = 1.0
# How long an overload lasts at least, unless there is nothing left to do for a moment, and how long its end is tried.
_REFUSING_SECONDS = 3.0
_CALM_SECONDS = 0.25
_TRYING_SECONDS = 0.5

# Whoever takes nothing of an answer for this long waits for nobody else's core.
_SLOW_SECONDS = 0.2
# So many times `most` may wait: a crowd that comes at once is served in turn. Where too many came a moment ago, fewer.
_WAITING_TIMES, _TRYING_TIMES = 8, 2
# What a worker finishes in this share of a second may wait: whoever is let in last is answered in time all the same.
_WAITING_SHARE = 40
# So many times `most` may wait for what another does for them, which costs them little; in an overload none may.
_SHARING_TIMES = 4
# The share of `most` that is worked on in an overload: what is let in is to be answered about as fast as alone.
_OVERLOADED_SHARE = 4


class Admission:
    """The questions of one worker.

    As many as `most` are worked on at a time; eight times as many may wait, or what the worker finishes in a fortieth
    of a second, and are let in as they came. One more is an overload: all who wait are turned away, and for some
    seconds whoever finds a quarter of `most` being worked on, so that each of those is answered about as fast as alone.
    Then twice as many as `most` may wait, the newest being let in first, so that nobody is answered late. If they are
    too many again, so is the overload; if not, it is over: whoever comes back at once, though told not to, does not
    keep it up.
    """

    def __init__(self, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        """Let `most` questions in at a time; `clock` gives seconds."""
        self._clock = clock
        self._most = most
        self._few = max(1, most // _OVERLOADED_SHARE)
        self._active = 0
        self._sharing = 0
        self._passing = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._overloaded = False
        self._refusing_until = self._refused_at = 0.0
        # Of the second that began at `_since`, and how many were finished in the one before.
        self._since = 0.0
        self._refused = self._finished = self._finished_before = 0

    @property
    def is_overloaded(self) -> bool:
        """Whether questions are being turned away, or were a moment ago."""
        if self._overloaded:
            now = self._clock()
            is_calm = not self._active and now - self._refused_at > _CALM_SECONDS
            self._overloaded = not is_calm and now < self._refusing_until + _TRYING_SECONDS
        return self._overloaded

    def turns_away(self) -> bool:
        """Say whether a question that comes now is turned away at once; one that is not must enter, or be forgotten."""
        if not self._is_refusing():
            return False
        if self._active + self._passing >= self._few:
            self._note_refusal()
            return True
        # Until it enters, which it does when its task first runs, it counts too.
        self._passing += 1
        loop = asyncio.get_running_loop()
        loop.call_soon(loop.call_soon, self._end_passing)
        return False

    async def enter(self) -> None:
        """Return when the question may begin.

        Raises:
            OverloadedError: it may not, for there are too many.
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
        """Note that a question was answered, or given up."""
        self._finished += 1
        self.pause()

    def pause(self) -> None:
        """Let another go on while a question waits for a slow client, or for another's work."""
        self._active -= 1
        while self._waiting and self._active < self._get_limit():
            turn = self._waiting.pop() if self._overloaded else self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                self._active += 1

    def resume(self) -> None:
        """Go on with a question that has waited so; it was let in before and waits for nobody."""
        self._active += 1

    @contextmanager
    def share(self) -> Iterator[None]:
        """Let another go on in the block, where a question waits for another's work, if not too many do."""
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
        return self._few if self.is_overloaded else self._most

    def _is_refusing(self) -> bool:
        return self.is_overloaded and self._clock() < self._refusing_until

    async def _wait(self) -> None:
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn in self._waiting:
                # Whoever comes must not be turned away for those who have left.
                self._waiting.remove(turn)
            elif turn.done() and not turn.cancelled() and turn.exception() is None:
                # The turn came at the same moment: the next one has it.
                self.pause()
            raise

    def _begin_to_refuse(self) -> None:
        self._overloaded = True
        self._refusing_until = self._clock() + _REFUSING_SECONDS
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                self._note_refusal()
                turn.set_exception(OverloadedError(REFUSAL))

    def _note_refusal(self) -> None:
        self._refused += 1
        self._refused_at = self._clock()
        count_shed("overload")

    def _end_passing(self) -> None:
        self._passing -= 1

    def _keep_time(self) -> None:
        now = self._clock()
        if now - self._since < _SECOND:
            return
        if self._refused:
            # Apart from the request that happens to come now.
            context = contextvars.Context()
            asyncio.get_running_loop().call_soon(
                logger.warning, "turned %d questions away", self._refused, context=context
            )
        self._finished_before = self._finished if now - self._since < 2 * _SECOND else 0
        self._since = now
        self._refused = self._finished = 0


def is_question(path: str) -> bool:
    """Whether the database is asked for what is at a path, each time anew."""
    return path != _LIVE and path[1:].partition("/")[0] in _QUESTIONS


class Turn:
    """A question that is worked on; while it waits for a slow client, or another's work, somebody else may go on.

    So may somebody beside an answer that takes long.
    """

    def __init__(self, admission: Admission) -> None:
        self._admission = admission
        self._pauses = 0
        self._is_sharing = False

    def pause(self) -> None:
        """Let somebody else go on, until as many calls of `resume` follow."""
        self._pauses += 1
        if self._pauses == 1:
            self._admission.pause()

    def resume(self) -> None:
        """Go on."""
        self._pauses -= 1
        if not self._pauses:
            self._admission.resume()

    @contextmanager
    def give_way(self, seconds: float) -> Iterator[None]:
        """Let somebody else go on where the block takes longer than so many seconds, until it ends."""
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
        """Do as `Admission.share` does, once, however many parts of the question wait for another's work."""
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
    """Lets questions in; what costs the database nothing is always answered."""

    def __init__(self, app: ASGIApp, admission: Admission) -> None:
        self._app = app
        self._admission = admission

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        admission = self._admission
        if scope["type"] != "http" or not is_question(scope["path"]):
            await self._app(scope, receive, send)
            return

        has_entered = False
        turn = scope["state"]["turn"] = Turn(admission)
        set_wait(turn.share)

        async def receive_and_enter() -> Message:
            """Let the question in once it is known: one whose body trickles in keeps nobody waiting."""
            nonlocal has_entered
            message = await receive()
            if not has_entered and not message.get("more_body"):
                await admission.enter()
                has_entered = True
            return message

        async def send_counted(message: Message) -> None:
            if message.get("more_body"):
                with turn.give_way(_SLOW_SECONDS):
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
