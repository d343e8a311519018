"""Print the next transactions of a country: `python live.py ws://localhost:5000/graphql US 10` ends after ten."""
# ruff: noqa: INP001, T201  # a script that prints

import asyncio
import sys
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import cast

from transactions_client import Added, Client, TransactionFilter


async def main(url: str, country: str, count: str) -> None:
    left = int(count)
    # The generated type, AsyncIterator, hides that it is a generator, which must be closed to close the connection.
    events = cast("AsyncGenerator[Added, None]", Client(ws_url=url).added(TransactionFilter(country=country)))
    async with aclosing(events):
        async for event in events:
            added = event.transaction_added
            print(f"{added.id} {added.amount} {added.currency} {added.vendor}", flush=True)
            left -= 1
            if not left:
                return


asyncio.run(main(*sys.argv[1:]))
