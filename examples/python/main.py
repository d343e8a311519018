"""Print a country's payments in the last 90 days, and their sums: `python main.py http://localhost:5000/graphql US`."""
# ruff: noqa: INP001, T201  # a script that prints

import asyncio
import sys
from collections import defaultdict
from collections.abc import AsyncIterator
from decimal import Decimal

from transactions_client import AmountsTransactionsNodes, Client, TransactionFilter


async def read_amounts(client: Client, wanted: TransactionFilter) -> AsyncIterator[AmountsTransactionsNodes]:
    """Yield the rows of all pages, following the cursors."""
    after = None
    while True:
        page = (await client.amounts(wanted, after)).transactions
        for node in page.nodes:
            yield node
        if not page.page_info.has_next_page:
            return
        after = page.page_info.end_cursor


async def main(url: str, country: str) -> None:
    async with Client(url) as client:
        wanted = TransactionFilter(days=90, country=country)
        newest = (await client.newest(wanted, 3)).transactions
        print(f"{newest.total_count} transactions")
        for node in newest.nodes:
            print(f"{node.date:%Y-%m-%d} {node.amount} {node.currency} {node.card_number} {node.vendor}")
        # Amounts are Decimals, so the sums, one per currency, are exact.
        sums: defaultdict[str, Decimal] = defaultdict(Decimal)
        async for each in read_amounts(client, wanted):
            sums[each.currency] += each.amount
        for currency, total in sorted(sums.items()):
            print(f"{total} {currency} in all")


asyncio.run(main(*sys.argv[1:]))
