"""A timeout for commands that the gateway sends on its own account, which no request's timeout bounds."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pymongo.errors import NetworkTimeout

ANSWER_SECONDS = 5.0


@asynccontextmanager
async def answered_within(seconds: float) -> AsyncIterator[None]:
    """Give up on a dead connection after a timeout; the driver closes it, and the server may still answer on others.

    A firewall or router that drops a connection's state notifies neither end: the driver would wait for ever.

    Raises:
        NetworkTimeout: the block took longer.
    """
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError as error:
        raise NetworkTimeout("the database did not answer on this connection") from error
