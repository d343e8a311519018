"""Build a benchmark's requests in each peer's dialect, and read all answers into one form. It sends nothing."""

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
    """One request: a GET, or a POST of JSON if there is a body."""

    path: str
    body: str | None = None


@dataclass(frozen=True, slots=True)
class Dialect:
    """The requests that a peer understands; None for those that it does not.

    Attributes:
        rows: lists the transactions of the last `days`, newest first.
        count: counts the transactions of the last `days` with a card type.
        page: selects the first rows of the last `days` by GraphQL, with all nine fields.
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
    """Build the request for the gateway's REST page, which its GraphQL page is compared with."""
    return Ask(f"/transactions/{days}?limit={first}")


REST = Dialect(_ask_rows, _ask_count)
REST_AND_GRAPHQL = Dialect(_ask_rows, _ask_count, _ask_page)
GRAPHQL = Dialect(page=_ask_page)
GATEWAY = Dialect(_ask_rows, _ask_count, _ask_page_of_nodes)
EVE = Dialect(_ask_eve_rows, _ask_eve_count)

# A transaction in the form common to all peers, with only the end of the card number: the gateway masks the rest.
Row: TypeAlias = tuple[str, int, str, Decimal, str, str, str, str, str]


def read_answer(body: bytes) -> list[Row] | int:
    """Return the transactions that an answer holds, or the number if it is a count.

    Raises:
        ValueError: it is not an answer to a request of this module, but for example an error.
    """
    match json.loads(body, parse_float=Decimal):
        case {"count": int(count)}:
            return count
        # Eve's page of one document also holds the total.
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
