"""Live transactions for all subscribers of one worker, from one shared change stream.

The stream opens for the first subscriber and closes a few seconds after the last. Nothing here knows about requests.
"""

import asyncio
import contextvars
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from pymongo import AsyncMongoClient

from database.errors import DatabaseUnavailableError
from database.event import Encode, decode_event_id
from database.feed_observer import FeedObserver
from database.query import RelativeFilter
from database.shared_stream import SharedStream
from database.subscription import Subscription

# Long enough for a page reload to reconnect.
_LINGER_SECONDS = 5.0
_AWAY = "The database is away; what is live goes on when it is back."


class TransactionFeed:
    """The live transactions of one worker; call `close` at the end."""

    def __init__(
        self, client: AsyncMongoClient[dict[str, Any]], database: str, encode: Encode, observer: FeedObserver
    ) -> None:
        """Use an open client, whose user may read the collection and its changes.

        Args:
            client: an open client.
            database: the name of the database.
            encode: builds an event's `data` from its id and its row.
            observer: receives the feed's metrics.
        """
        self._client = client
        self._database = database
        self._encode = encode
        self._observer = observer
        self._stream: SharedStream | None = None
        # The task of the stream, and that of the previous stream, which may still be ending.
        self._following: set[asyncio.Task[None]] = set()
        self._subscribers = 0
        self._closing: asyncio.TimerHandle | None = None
        self._is_stopping = False

    @asynccontextmanager
    async def open(
        self, wanted: RelativeFilter, after: str | None = None, *, masked: bool = True
    ) -> AsyncIterator[Subscription]:
        """Subscribe for the duration of the block to what is added after its start, in order and exactly once.

        Args:
            wanted: which transactions.
            after: the id of an event or a subscription; what was added after it comes first.
            masked: whether card numbers are masked.

        Raises:
            LiveUnavailableError: the database has no change streams, or does not permit them to this user.
            LiveEventUnknownError: `after` is not an id of this feed, or some events after it are no longer kept.
            DatabaseError: the database is away or refuses.
        """
        place = None if after is None else decode_event_id(after, self._database)
        self._enter()
        subscription: Subscription | None = None
        stream: SharedStream | None = None
        try:
            stream = await self._await_stream()
            place = stream.end if place is None else place
            subscription = Subscription(stream, wanted, place, masked=masked)
            subscription.follow(stream.catch_up(subscription, place))
            # Raises any error now, before the first event.
            await subscription.read_past()
            if self._is_stopping:
                subscription.stop()
            yield subscription
        finally:
            if stream is not None and subscription is not None:
                stream.leave(subscription)
                await subscription.close()
            self._leave()

    async def _await_stream(self) -> SharedStream:
        stream = self._stream
        if stream is None:
            stream = self._stream = SharedStream(self._client, self._database, self._encode, self._observer)
            # An empty context: the stream must not inherit that of the request that opens it.
            following = asyncio.create_task(self._follow(stream), context=contextvars.Context())
            self._following.add(following)
            following.add_done_callback(self._following.discard)
        await stream.opened.wait()
        stream.check()
        if stream.is_away:
            raise DatabaseUnavailableError(_AWAY)
        return stream

    async def _follow(self, stream: SharedStream) -> None:
        try:
            await stream.follow()
        finally:
            if self._stream is stream:
                self._stream = None

    def _enter(self) -> None:
        self._subscribers += 1
        self._observer.note_subscribers(1)
        if self._closing is not None:
            self._closing.cancel()
            self._closing = None

    def _leave(self) -> None:
        self._subscribers -= 1
        self._observer.note_subscribers(-1)
        if not self._subscribers and not self._is_stopping:
            self._closing = asyncio.get_running_loop().call_later(_LINGER_SECONDS, self._close_idle)

    def _close_idle(self) -> None:
        self._closing = None
        self._cancel()
        self._stream = None

    def _cancel(self) -> None:
        for following in self._following:
            following.cancel()

    def stop(self) -> None:
        """End every subscription once its pending events are read; new ones end at once."""
        self._is_stopping = True
        if self._stream is not None:
            self._stream.stop()

    async def close(self) -> None:
        """Stop, and close the stream on the server."""
        self.stop()
        if self._closing is not None:
            self._closing.cancel()
        self._cancel()
        await asyncio.gather(*self._following, return_exceptions=True)
