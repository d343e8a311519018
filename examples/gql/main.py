"""Print a country's payments in the last 90 days, and their sums: `python main.py http://localhost:5000/graphql US`."""
# ruff: noqa: INP001, T201  # a script that prints

import asyncio
import sys

from gql import Client, GraphQLRequest
from gql.transport.httpx import HTTPXAsyncTransport

NEWEST = """
query newest($filter: TransactionFilter, $first: Int) {
  transactions(filter: $filter, first: $first) {
    totalCount
    nodes { date amount currency vendor cardNumber }
  }
}
"""
SUMS = """
query sums($filter: TransactionFilter) {
  transactionSummary(filter: $filter, groupBy: [CURRENCY]) {
    groups { currency amounts { sum } }
  }
}
"""


async def main(url: str, country: str) -> None:
    async with Client(transport=HTTPXAsyncTransport(url)) as session:
        wanted = {"days": 90, "country": country}
        answer = await session.execute(GraphQLRequest(NEWEST, variable_values={"filter": wanted, "first": 3}))
        print(f"{answer['transactions']['totalCount']} transactions")
        for node in answer["transactions"]["nodes"]:
            print(f"{node['date'][:10]} {node['amount']} {node['currency']} {node['cardNumber']} {node['vendor']}")
        # Sums are exact decimals in strings; different currencies are never added.
        answer = await session.execute(GraphQLRequest(SUMS, variable_values={"filter": wanted}))
        for group in answer["transactionSummary"]["groups"]:
            print(f"{group['amounts'][0]['sum']} {group['currency']} in all")


asyncio.run(main(*sys.argv[1:]))
