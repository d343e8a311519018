"""How many counts per second uvicorn and PyMongo leave room for: one `hello` per group of requests, and no other work.

An exact count takes at least one command that begins after the request arrived. This is not a gateway: it counts each
path once, although the count changes, and it checks, limits, authenticates and logs nothing.
Served by `uvicorn --workers N benchmarks.peers.hello_app:app`.
"""

import asyncio
import os
from typing import Any
from urllib.parse import unquote

from pymongo import AsyncMongoClient

from benchmarks.peers.strawberry_app import CASE_INSENSITIVE, build_window

# Loop iterations that each `hello` waits for more requests to share it; of those tried, the fastest here.
_GATHERING_TURNS = 6

_Message = dict[str, Any]


class HelloApp:
    """An ASGI application; requests that arrive while a `hello` is in flight share the next one."""

    def __init__(self, uri: str) -> None:
        self._uri = uri
        self._client: AsyncMongoClient[_Message] | None = None
        self._counts: dict[str, bytes] = {}
        self._running: asyncio.Task[None] | None = None
        self._next: asyncio.Task[None] | None = None

    async def __call__(self, scope: _Message, receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI's callables
        if scope["type"] != "http":
            await self._live(receive, send)
            return
        if self._next is None:
            self._next = asyncio.create_task(self._ask_after(self._running))
        await asyncio.shield(self._next)
        path = scope["path"]
        body = self._counts.get(path) or await self._count(path)
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _live(self, receive: Any, send: Any) -> None:  # noqa: ANN401
        await receive()
        async with AsyncMongoClient[_Message](self._uri) as self._client:
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await send({"type": "lifespan.shutdown.complete"})

    async def _ask_after(self, running: asyncio.Task[None] | None) -> None:
        if running is not None:
            await asyncio.wait([running])
        for _ in range(_GATHERING_TURNS):
            await asyncio.sleep(0)
        self._running, self._next = self._next, None
        await self._get_client().admin.command("hello")

    async def _count(self, path: str) -> bytes:
        _, _, days, _, card_type = path.split("/", 4)
        wanted = build_window(int(days)) | {"cardType": unquote(card_type)}
        collection = self._get_client().get_default_database()["transaction"]
        number = await collection.count_documents(wanted, collation=CASE_INSENSITIVE)
        self._counts[path] = b'{"count":%d}' % number
        return self._counts[path]

    def _get_client(self) -> AsyncMongoClient[_Message]:
        if self._client is None:
            raise RuntimeError("there was no lifespan")
        return self._client


app = HelloApp(os.environ["MONGO_URI"])
