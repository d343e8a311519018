"""Transactions as they are added, for any number of subscribers of one worker, all from one change stream.

It is opened for the first subscriber and closed when nobody was there for a moment. No request is known here.
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

# Whoever reloads a page is back by then.
_LINGER_SECONDS = 5.0
_AWAY = "The database is away; what is live goes on when it is back."


class TransactionFeed:
    """The live transactions of one worker; `close` it at the end."""

    def __init__(
        self, client: AsyncMongoClient[dict[str, Any]], database: str, encode: Encode, observer: FeedObserver
    ) -> None:
        """Use an open client, whose user may read the collection and its changes.

        Args:
            client: an open one.
            database: its name.
            encode: gives an event's `data`, of its id and its row.
            observer: is told how the feed does.
        """
        self._client = client
        self._database = database
        self._encode = encode
        self._observer = observer
        self._stream: SharedStream | None = None
        # The stream's, and that of the one before, which may still be ending.
        self._following: set[asyncio.Task[None]] = set()
        self._subscribers = 0
        self._closing: asyncio.TimerHandle | None = None
        self._is_stopping = False

    @asynccontextmanager
    async def open(
        self, wanted: RelativeFilter, after: str | None = None, *, masked: bool = True
    ) -> AsyncIterator[Subscription]:
        """Subscribe for the time of the block; what is added after it was entered is given, in order and once.

        Args:
            wanted: which transactions.
            after: the id of an event, or of a subscription: what came after it is given first.
            masked: whether card numbers are masked.

        Raises:
            LiveUnavailableError: the database has no change streams, or not for this user.
            LiveEventUnknownError: `after` is no id of this feed, or of what came after it some is no longer kept.
            DatabaseError: the database is away, or refuses.
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
            # Whatever is wrong is told now, before anything was given.
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
            # Apart from the request that happens to be the first.
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
            self._closing = asyncio.get_running_loop().call_later(_LINGER_SECONDS, self._let_go)

    def _let_go(self) -> None:
        self._closing = None
        self._cancel()
        self._stream = None

    def _cancel(self) -> None:
        for following in self._following:
            following.cancel()

    def stop(self) -> None:
        """Let every subscriber read what waits, and end; whoever comes finds nothing."""
        self._is_stopping = True
        if self._stream is not None:
            self._stream.stop()

    async def close(self) -> None:
        """Stop, and have the server forget the stream."""
        self.stop()
        if self._closing is not None:
            self._closing.cancel()
        self._cancel()
        await asyncio.gather(*self._following, return_exceptions=True)
