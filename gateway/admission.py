"""How many questions a worker works on at a time: a burst waits its turn, an overload is turned away at once.

It counts questions alone, and knows nothing of what they ask or who asks.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from database.errors import OverloadedError
from gateway.metrics import count_shed
from gateway.settings import Settings

_QUESTIONS = ("/transactions", "/graphql")
# A second is what a person calls slow; and it is long enough to count questions in.
_SECOND = 1.0
# With fewer at a time the database would idle between two questions.
_FEWEST = 2


class Admission:
    """The questions of one worker.

    As many as `most` are worked on at a time; others wait in the order they came, as long as there are not more of
    them than the worker finishes in a second. When there are, it is overloaded: everyone who waits is turned away,
    and from then on only so few are let in that each is answered about as fast as it would be alone. That ends when
    less than a quarter of a second's questions had to be turned away.
    """

    def __init__(self, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        """Let `most` questions in at a time; `clock` gives seconds."""
        self._clock = clock
        self._most = most
        self._few = max(_FEWEST, most * 3 // 8)
        self._active = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._overloaded = False
        # Of the second that began at `_since`, and how many were finished in the one before.
        self._since = 0.0
        self._came = self._refused = self._finished = self._finished_before = 0

    @property
    def is_overloaded(self) -> bool:
        """Whether questions are being turned away."""
        self._keep_time()
        return self._overloaded

    async def enter(self) -> None:
        """Return when the question may begin.

        Raises:
            OverloadedError: it may not, for there are too many.
        """
        self._keep_time()
        self._came += 1
        if self._active < (self._few if self._overloaded else self._most) and not self._waiting:
            self._active += 1
        elif self._overloaded:
            raise self._refuse()
        elif len(self._waiting) >= max(2 * self._most, min(16 * self._most, self._finished_before)):
            self._begin_overload()
            raise self._refuse()
        else:
            await self._wait()

    def leave(self) -> None:
        """Note that a question was answered, or given up."""
        self._finished += 1
        self.pause()

    def pause(self) -> None:
        """Let another go on while a question waits for a slow client."""
        self._active -= 1
        while self._waiting and self._active < self._most:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                self._active += 1

    def resume(self) -> None:
        """Go on with a question whose client has taken what there was; it was let in before and waits for nobody."""
        self._active += 1

    async def _wait(self) -> None:
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            # The turn may have come at the same moment: the next one has it.
            if turn.done() and not turn.cancelled() and turn.exception() is None:
                self.pause()
            raise

    def _begin_overload(self) -> None:
        self._overloaded = True
        self._came = len(self._waiting) + 1
        self._refused = self._finished = 0
        self._since = self._clock()
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_exception(self._refuse())

    def _refuse(self) -> OverloadedError:
        self._refused += 1
        count_shed("overload")
        return OverloadedError("More questions are waiting than can be answered soon; try again later.")

    def _keep_time(self) -> None:
        now = self._clock()
        if now - self._since < _SECOND:
            return
        self._overloaded = self._overloaded and self._refused * 4 >= self._came > 0 and now - self._since < 2 * _SECOND
        self._finished_before = self._finished if now - self._since < 2 * _SECOND else 0
        self._since = now
        self._came = self._refused = self._finished = 0


class _Turn:
    """A question that sends a part of its answer: when its client takes none for long, another may go on meanwhile."""

    def __init__(self, admission: Admission) -> None:
        self._admission = admission
        self._paused = False

    def pause(self) -> None:
        self._paused = True
        self._admission.pause()

    def resume(self) -> None:
        if self._paused:
            self._admission.resume()


class AdmissionMiddleware:
    """Lets questions in; what costs the database nothing is always answered."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._admission = Admission(settings.max_concurrent)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        admission = self._admission
        if scope["type"] == "http":
            # For /health/ready.
            scope["state"]["admission"] = admission
        if scope["type"] != "http" or not scope["path"].startswith(_QUESTIONS):
            await self._app(scope, receive, send)
            return

        has_entered = False

        async def receive_and_enter() -> Message:
            """Let the question in once it is known: one whose body trickles in keeps nobody waiting."""
            nonlocal has_entered
            message = await receive()
            if not has_entered and not message.get("more_body"):
                await admission.enter()
                has_entered = True
            return message

        async def send_counted(message: Message) -> None:
            if not message.get("more_body"):
                await send(message)
                return
            turn = _Turn(admission)
            timer = asyncio.get_running_loop().call_later(_SECOND, turn.pause)
            try:
                await send(message)
            finally:
                timer.cancel()
                turn.resume()

        if scope["method"] == "GET":
            await admission.enter()
            has_entered = True
        try:
            await self._app(scope, receive_and_enter, send_counted)
        finally:
            if has_entered:
                admission.leave()
