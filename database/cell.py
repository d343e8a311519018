"""Pure: the cell that a document is counted in, which is the hour of its date and the name of its card.

The expressions here have the server report dates and names in certain forms, and `find_cell` reads those forms alone:
what a snapshot has counted and what a change takes away can never be two different cells.
"""

from typing import Any, Literal, NamedTuple, TypeAlias

from bson.decimal128 import Decimal128

HOUR_MS = 3_600_000
# Beyond it a double no longer tells each whole number, and no window of the API reaches it.
LARGEST_DATE = 2**53
# One more character than a question may have: a longer name is cut to what no question equals.
_LONGEST_NAME = 65
# What MongoDB may match and arithmetic on whole milliseconds and plain names cannot judge.
_ODD_DATES = frozenset({"array", "double", "decimal"})
_ODD_NAMES = frozenset({"array"})

# A value of another kind comes as its BSON type's name in a list, which no number and no string can be taken for.
Told: TypeAlias = int | float | str | list[str]


class Cell(NamedTuple):
    """The documents of one hour (counted from the epoch, UTC) and one card, its name in lower case."""

    card: str
    hour: int


# None: no window and card match the document. "odd": they may, in ways that only the server knows.
Place: TypeAlias = Cell | Literal["odd"] | None


def build_hour(field: str) -> dict[str, Any]:
    """Build the server's expression for the hour of a date, as `get_hour` gives it."""
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
    """Build the server's expression for a date itself, where it is a number."""
    return {"$cond": [{"$isNumber": field}, field, [{"$type": field}]]}


def build_card(field: str) -> dict[str, Any]:
    """Build the server's expression for the name of a card."""
    is_name = {"$eq": [{"$type": field}, "string"]}
    return {"$cond": [is_name, {"$substrCP": [field, 0, _LONGEST_NAME]}, [{"$type": field}]]}


def get_hour(date: Told | Decimal128) -> Told:
    """Give the hour of a date that `build_date` told, by the very division that the server does."""
    if isinstance(date, Decimal128):
        return ["decimal"]
    if isinstance(date, float) and not date.is_integer():
        return ["double"]
    return date if isinstance(date, list | str) else float(date) / HOUR_MS // 1


def find_cell(hour: Told, card: Told) -> Place:
    """Give where a document is counted, by what the server reports of it through the expressions above.

    In printable ASCII two names equal each other in the collation of the queries (strength 2) exactly where they do in
    lower case; beyond it letters, widths and ignored characters make names equal that look nothing alike.
    """
    kinds = (hour[0] if isinstance(hour, list) else None, card[0] if isinstance(card, list) else None)
    if (kinds[0] and kinds[0] not in _ODD_DATES) or (kinds[1] and kinds[1] not in _ODD_NAMES):
        return None
    if isinstance(hour, list | str) or not isinstance(card, str) or not is_plain(card):
        return "odd"
    return Cell(card.lower(), int(hour))


def is_plain(name: str) -> bool:
    """Whether a card's name is compared alike in memory and by the server."""
    return name.isascii() and name.isprintable()
