"""Prints what was paid in a country in the last 90 days: `python main.py http://localhost:5000/graphql US`."""
# ruff: noqa: INP001, T201  # a program, which prints

import asyncio
import sys
from collections import defaultdict
from decimal import Decimal

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
AMOUNTS = """
query amounts($filter: TransactionFilter, $after: String) {
  transactions(filter: $filter, first: 100, after: $after) {
    nodes { amount currency }
    pageInfo { hasNextPage endCursor }
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
        # Amounts are decimal text: sums are exact, one for each currency.
        sums: defaultdict[str, Decimal] = defaultdict(Decimal)
        after = None
        while True:
            request = GraphQLRequest(AMOUNTS, variable_values={"filter": wanted, "after": after})
            page = (await session.execute(request))["transactions"]
            for node in page["nodes"]:
                sums[node["currency"]] += Decimal(node["amount"])
            if not page["pageInfo"]["hasNextPage"]:
                break
            after = page["pageInfo"]["endCursor"]
        for currency, total in sorted(sums.items()):
            print(f"{total} {currency} in all")


asyncio.run(main(*sys.argv[1:]))
