"""The queries answered the slow, obvious way, in plain Python over a list of documents."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from database.row import mask_card_number

DAY_MS = 86_400_000
Document = dict[str, Any]

KEYS = ("_id", "date", "currency", "amount", "vendor", "address", "cardType", "cardNumber", "countryOrigin")
# The same fields as GraphQL selects them.
NODE = " ".join(("id", *KEYS[1:]))


@dataclass(frozen=True)
class Question:
    """The conditions of a query in the caller's words; None means no condition."""

    days: int | None = None
    card_type: str | None = None
    country: str | None = None
    min_amount: str | None = None
    max_amount: str | None = None
    order: str = "DATE_DESC"

    def write_filter(self) -> dict[str, Any]:
        """Return the GraphQL filter; null means no condition."""
        return {
            "days": self.days,
            "cardType": self.card_type,
            "country": self.country,
            "minAmount": self.min_amount,
            "maxAmount": self.max_amount,
        }

    def write_parameters(self) -> dict[str, str]:
        """Return the REST query parameters; the days are part of the path."""
        parameters = {
            "card": self.card_type,
            "country": self.country,
            "minAmount": self.min_amount,
            "maxAmount": self.max_amount,
        }
        return {name: value for name, value in parameters.items() if value is not None}


def select(documents: Iterable[Document], question: Question, now_ms: int) -> list[Document]:
    """Return the matching documents, in order, with their card numbers masked."""
    field, direction = {"DATE": "date", "AMOUNT": "amount"}[question.order.split("_")[0]], question.order[-4:]
    found = [{**document} for document in documents if _holds(document, question, now_ms)]
    for document in found:
        document["cardNumber"] = mask_card_number(document["cardNumber"])
    return sorted(found, key=lambda document: (document[field], document["_id"]), reverse=direction == "DESC")


def _holds(document: Document, question: Question, now_ms: int) -> bool:
    amount = Decimal(repr(document["amount"]))
    return (
        (question.days is None or now_ms - question.days * DAY_MS <= document["date"] <= now_ms)
        and (question.card_type is None or document["cardType"].casefold() == question.card_type.casefold())
        and (question.country is None or document["countryOrigin"].casefold() == question.country.casefold())
        and (question.min_amount is None or amount >= Decimal(question.min_amount))
        and (question.max_amount is None or amount <= Decimal(question.max_amount))
    )


def write_cell(value: object) -> str:
    """Return a value's CSV cell: text that a spreadsheet would take for a formula gets a leading apostrophe."""
    text = str(value)
    return f"'{text}" if isinstance(value, str) and text.startswith(("=", "+", "-", "@", "\t", "\r", "\n")) else text
