"""The collection's name, its indexes and the collation they share with queries; which existing indexes are equivalent.

It declares and compares; provision.py creates.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

COLLECTION = "transaction"

# Strength 2 compares letters and accents but ignores case: "visa" finds "Visa". The index must have the same collation.
CASE_INSENSITIVE: dict[str, Any] = {"locale": "en", "strength": 2}
# The server's defaults for options that a collation leaves out.
_COLLATION_DEFAULTS: dict[str, Any] = {
    "caseLevel": False,
    "caseFirst": "off",
    "numericOrdering": False,
    "alternate": "non-ignorable",
    "maxVariable": "punct",
    "normalization": False,
    "backwards": False,
}


@dataclass(frozen=True, slots=True)
class Index:
    """One index: its name, its keys in order (1 ascending, -1 descending) and whether it ignores case."""

    name: str
    keys: tuple[tuple[str, int], ...]
    ignores_case: bool = False

    @property
    def options(self) -> dict[str, Any]:
        """The arguments of PyMongo's `create_index` besides the keys."""
        return {"name": self.name, **({"collation": CASE_INSENSITIVE} if self.ignores_case else {})}


# Each list query reads one of these in the order of its result, so nothing is sorted in memory and a page costs what it
# returns. The trailing amount of the first index lets a range be tested before a document is fetched.
INDEXES = (
    Index("date_amount", (("date", -1), ("_id", -1), ("amount", 1))),
    Index("amount_date", (("amount", -1), ("_id", -1), ("date", -1))),
    Index("card_date", (("cardType", 1), ("date", -1), ("_id", -1)), ignores_case=True),
    Index("country_date", (("countryOrigin", 1), ("date", -1), ("_id", -1)), ignores_case=True),
)


def is_served(index: Index, existing: Sequence[Mapping[str, Any]]) -> bool:
    """Return whether an existing index, by any name, serves the declared one's purpose."""
    return any(
        _has_keys(index, found) and _is_whole(found) and _compares_alike(index, found, existing) for found in existing
    )


def _has_keys(index: Index, found: Mapping[str, Any]) -> bool:
    return tuple(found["key"].items()) == index.keys


def _is_whole(found: Mapping[str, Any]) -> bool:
    """Return whether an index covers every document and is visible to the planner."""
    return _covers_all(found) and not found.get("hidden")


def _covers_all(found: Mapping[str, Any]) -> bool:
    return not (found.get("sparse") or found.get("partialFilterExpression"))


def _compares_alike(index: Index, found: Mapping[str, Any], existing: Sequence[Mapping[str, Any]]) -> bool:
    """Return whether an index compares text as the declared one does."""
    wanted, collation = index.options.get("collation"), found.get("collation")
    if wanted is None:
        # An index and a query without a collation both use the collection's own, which is that of the _id index.
        return collation == next((each.get("collation") for each in existing if dict(each["key"]) == {"_id": 1}), None)
    if collation is None:
        return False
    # A query uses an index only if their collations are identical. The server reports every option of an index's, and
    # the version of its library.
    return {**collation, "version": None} == {**_COLLATION_DEFAULTS, **wanted, "version": None}


def find_conflict(index: Index, existing: Sequence[Mapping[str, Any]]) -> str | None:
    """Return why a declared index cannot be created beside the existing ones and what to do, or None if it can."""
    for found in existing:
        # Beside a sparse or partial index, the server accepts another index with the same keys under another name.
        is_same = _has_keys(index, found) and _covers_all(found) and _compares_alike(index, found, existing)
        if found["name"] == index.name or is_same:
            return (
                f"Index {found['name']!r} of collection {COLLECTION!r} exists with other keys or options than"
                f" {index.name!r} needs: drop it (db.{COLLECTION}.dropIndex({found['name']!r})) and provision again."
            )
    return None
