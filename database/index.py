"""The collection's name, its indexes and the collation they share with queries. It declares; provision.py creates."""

from dataclasses import dataclass
from typing import Any

COLLECTION = "transaction"

# Strength 2 compares letters and accents and ignores case: "visa" finds "Visa", by an index of the same collation.
CASE_INSENSITIVE: dict[str, Any] = {"locale": "en", "strength": 2}


@dataclass(frozen=True, slots=True)
class Index:
    """One index: its name, its keys in order (1 ascending, -1 descending) and whether it ignores case."""

    name: str
    keys: tuple[tuple[str, int], ...]
    ignores_case: bool = False

    @property
    def options(self) -> dict[str, Any]:
        """What PyMongo's `create_index` takes beside the keys."""
        return {"name": self.name, **({"collation": CASE_INSENSITIVE} if self.ignores_case else {})}


# Each list question reads one of these in the order of its answer, so that nothing is sorted in memory and a page costs
# what it returns. The amount at the end of the first lets a range be tested before a document is fetched.
INDEXES = (
    Index("date_amount", (("date", -1), ("_id", -1), ("amount", 1))),
    Index("amount_date", (("amount", -1), ("_id", -1), ("date", -1))),
    Index("card_date", (("cardType", 1), ("date", -1), ("_id", -1)), ignores_case=True),
    Index("country_date", (("countryOrigin", 1), ("date", -1), ("_id", -1)), ignores_case=True),
)
