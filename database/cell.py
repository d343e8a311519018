"""Pure: the cell that a document is counted in, which is the hour of its date and the name of its card.

The server reports dates and names through the expressions below, and `find_cell` reads only those forms, so the
snapshot and the changes always assign a document to the same cell.
"""

from typing import Any, Literal, NamedTuple, TypeAlias

from bson.decimal128 import Decimal128

HOUR_MS = 3_600_000
# Doubles do not represent every integer beyond this; no window of the API reaches it.
LARGEST_DATE = 2**53
# One more character than a request may send: a longer name is truncated to a length that no request can match.
_LONGEST_NAME = 65
# BSON types that MongoDB may match, but that arithmetic on whole milliseconds and plain names cannot decide.
_ODD_DATES = frozenset({"array", "double", "decimal"})
_ODD_NAMES = frozenset({"array"})

# A value as the server reports it; one of any other type is the name of its BSON type in a one-element list.
Told: TypeAlias = int | float | str | list[str]


class Cell(NamedTuple):
    """The documents of one card, by its lower-case name, and one hour, counted from the epoch in UTC."""

    card: str
    hour: int


# None: no card and window match the document. "odd": only the server can decide whether they do.
Place: TypeAlias = Cell | Literal["odd"] | None


def build_hour(field: str) -> dict[str, Any]:
    """Build the server's expression for the hour of a date, equal to what `get_hour` returns."""
    kind = {"$type": field}
    is_whole = {
        "$switch": {
            "branches": [
                {"case": {"$in": [kind, ["int", "long"]]}, "then": True},
                {"case": {"$eq": [kind, "double"]}, "then": {"$eq": [{"$mod": [field, 1]}, 0]}},
            ],
            "default": False,
        }
    }
    return {"$cond": [is_whole, {"$floor": {"$divide": [{"$toDouble": field}, HOUR_MS]}}, [kind]]}


def build_date(field: str) -> dict[str, Any]:
    """Build the server's expression for a date if it is a number, else for its type."""
    return {"$cond": [{"$isNumber": field}, field, [{"$type": field}]]}


def build_card(field: str) -> dict[str, Any]:
    """Build the server's expression for the name of a card if it is a string, else for its type."""
    is_name = {"$eq": [{"$type": field}, "string"]}
    return {"$cond": [is_name, {"$substrCP": [field, 0, _LONGEST_NAME]}, [{"$type": field}]]}


def get_hour(date: Told | Decimal128) -> Told:
    """Return the hour of a date reported through `build_date`, by the same division as the server's."""
    if isinstance(date, Decimal128):
        return ["decimal"]
    if isinstance(date, float) and not date.is_integer():
        return ["double"]
    return date if isinstance(date, list | str) else float(date) / HOUR_MS // 1


def find_cell(hour: Told, card: Told) -> Place:
    """Return where a document is counted, from what the server reports through the expressions above.

    Two names in printable ASCII are equal in the queries' collation (strength 2) exactly if they are equal in lower
    case. Beyond ASCII, the collation also equates different letters and widths, and ignores some characters.
    """
    kinds = (hour[0] if isinstance(hour, list) else None, card[0] if isinstance(card, list) else None)
    if (kinds[0] and kinds[0] not in _ODD_DATES) or (kinds[1] and kinds[1] not in _ODD_NAMES):
        return None
    if isinstance(hour, list | str) or not isinstance(card, str) or not is_plain(card):
        return "odd"
    return Cell(card.lower(), int(hour))


def is_plain(name: str) -> bool:
    """Return whether comparing a card's name in memory gives the same result as on the server."""
    return name.isascii() and name.isprintable()
