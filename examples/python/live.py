"""Prints the next transactions of a country: `python live.py ws://localhost:5000/graphql US 10`."""
# ruff: noqa: INP001, T201  # a program, which prints

import asyncio
import sys

from transactions_client import Client, TransactionFilter


async def main(url: str, country: str, count: str) -> None:
    left = int(count)
    client = Client(ws_url=url)
    async for event in client.added(TransactionFilter(country=country)):
        added = event.transaction_added
        print(f"{added.id} {added.amount} {added.currency} {added.vendor}", flush=True)
        left -= 1
        if not left:
            return


asyncio.run(main(*sys.argv[1:]))
