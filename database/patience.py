"""How long the gateway waits for what it asks for its own sake, where no request's end bounds it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pymongo.errors import NetworkTimeout

ANSWER_SECONDS = 5.0


@asynccontextmanager
async def answered_within(seconds: float) -> AsyncIterator[None]:
    """Give up on a connection from which nothing comes, though the server answers on others; the driver closes it.

    A firewall or a router that forgets a connection tells neither end: the driver would wait for ever.

    Raises:
        NetworkTimeout: the block took longer.
    """
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError as error:
        raise NetworkTimeout("the database did not answer on this connection") from error
