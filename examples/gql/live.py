"""Print the sums paid in a country in the last 24 hours, immediately and whenever they change.

`python live.py ws://localhost:5000/graphql US 10` ends after ten lines.
"""
# ruff: noqa: INP001, T201  # a script that prints

import asyncio
import sys

from gql import Client, GraphQLRequest
from gql.transport.websockets import WebsocketsTransport

CHANGED = """
subscription changed($filter: TransactionFilter) {
  summaryChanged(filter: $filter, groupBy: [CURRENCY]) {
    groups { currency count amounts { sum } }
  }
}
"""


async def main(url: str, country: str, count: str) -> None:
    request = GraphQLRequest(CHANGED, variable_values={"filter": {"days": 1, "country": country}})
    left = int(count)
    async with Client(transport=WebsocketsTransport(url)) as session:
        async for answer in session.subscribe(request):
            groups = answer["summaryChanged"]["groups"]
            print(", ".join(f"{group['amounts'][0]['sum']} {group['currency']}" for group in groups), flush=True)
            left -= 1
            if not left:
                return


asyncio.run(main(*sys.argv[1:]))
