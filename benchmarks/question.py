"""What a benchmark asks, in each peer's words, and what an answer says, in the same words for all. It sends nothing."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeAlias
from urllib.parse import urlencode

_DAY_MS = 86_400_000
_FIELDS = "id date currency amount vendor address cardType cardNumber countryOrigin"
_ALL = 1_000_000


@dataclass(frozen=True, slots=True)
class Ask:
    """One request: GET, or POST of JSON where there is a body."""

    path: str
    body: str | None = None


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a peer is asked; None for what it does not answer.

    Attributes:
        rows: the transactions of so many days, newest first.
        count: how many transactions of so many days have a card type.
        page: the first of them by GraphQL, all nine fields: days, and how many rows.
    """

    rows: Callable[[int], Ask] | None = None
    count: Callable[[int, str], Ask] | None = None
    page: Callable[[int, int], Ask] | None = None


def _ask_rows(days: int) -> Ask:
    return Ask(f"/transactions/{days}")


def _ask_count(days: int, card_type: str) -> Ask:
    return Ask(f"/transactions/{days}/card/{card_type}")


def _ask_page_of_nodes(days: int, first: int) -> Ask:
    query = f"query($days:Int!,$first:Int!){{transactions(filter:{{days:$days}},first:$first){{nodes{{{_FIELDS}}}}}}}"
    return _ask_graphql(query, days, first)


def _ask_page(days: int, first: int) -> Ask:
    query = f"query($days:Int!,$first:Int!){{transactions(days:$days,first:$first){{{_FIELDS}}}}}"
    return _ask_graphql(query, days, first)


def _ask_graphql(query: str, days: int, first: int) -> Ask:
    return Ask("/graphql", json.dumps({"query": query, "variables": {"days": days, "first": first}}))


def _ask_eve_rows(days: int) -> Ask:
    return _ask_eve(days, {}, _ALL)


def _ask_eve_count(days: int, card_type: str) -> Ask:
    return _ask_eve(days, {"cardType": card_type}, 1)


def _ask_eve(days: int, where: dict[str, Any], rows: int) -> Ask:
    now = time.time_ns() // 1_000_000
    where = {"date": {"$gte": now - days * _DAY_MS, "$lte": now}, **where}
    parameters = {
        "where": json.dumps(where, separators=(",", ":")),
        "sort": '[("date",-1),("_id",-1)]',
        "max_results": str(rows),
    }
    return Ask(f"/transaction?{urlencode(parameters)}")


def ask_rest_page(days: int, first: int) -> Ask:
    """The gateway's own page by REST: what its page by GraphQL is held against."""
    return Ask(f"/transactions/{days}?limit={first}")


REST = Dialect(_ask_rows, _ask_count)
REST_AND_GRAPHQL = Dialect(_ask_rows, _ask_count, _ask_page)
GRAPHQL = Dialect(page=_ask_page)
GATEWAY = Dialect(_ask_rows, _ask_count, _ask_page_of_nodes)
EVE = Dialect(_ask_eve_rows, _ask_eve_count)

# A transaction as every peer gives it. Of the card number the end alone: the gateway masks the rest.
Row: TypeAlias = tuple[str, int, str, Decimal, str, str, str, str, str]


def read_answer(body: bytes) -> list[Row] | int:
    """Give the transactions that an answer holds, or the number where it counts.

    Raises:
        ValueError: it is no answer to a question of this module, an error for example.
    """
    match json.loads(body, parse_float=Decimal):
        case {"count": int(count)}:
            return count
        # Eve's page of one has the number of all beside it.
        case {"_items": [_], "_meta": {"total": int(count), "max_results": 1}}:
            return count
        case list(rows) | {"_items": list(rows)}:
            return [_read_row(row) for row in rows]
        case {"data": {"transactions": list(rows) | {"nodes": list(rows)}}, **others} if "errors" not in others:
            return [_read_row(row) for row in rows]
    raise ValueError(f"This answers no question: {body[:200]!r}")


def _read_row(row: dict[str, Any]) -> Row:
    date = row["date"]
    return (
        row["_id"] if "_id" in row else row["id"],
        date if isinstance(date, int) else round(datetime.fromisoformat(date).timestamp() * 1000),
        row["currency"],
        Decimal(row["amount"]),
        row["vendor"],
        row["address"],
        row["cardType"],
        row["cardNumber"][-4:],
        row["countryOrigin"],
    )
