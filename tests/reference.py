"""The questions answered the slow and obvious way, in plain Python over a list of documents."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from database.row import mask_card_number

DAY_MS = 86_400_000
Document = dict[str, Any]

KEYS = ("_id", "date", "currency", "amount", "vendor", "address", "cardType", "cardNumber", "countryOrigin")
# The same as GraphQL selects them.
NODE = " ".join(("id", *KEYS[1:]))


@dataclass(frozen=True)
class Question:
    """What is asked, in the caller's words; None is not asked."""

    days: int | None = None
    card_type: str | None = None
    country: str | None = None
    min_amount: str | None = None
    max_amount: str | None = None
    order: str = "DATE_DESC"

    def write_filter(self) -> dict[str, Any]:
        """Give GraphQL's filter; null is not asked."""
        return {
            "days": self.days,
            "cardType": self.card_type,
            "country": self.country,
            "minAmount": self.min_amount,
            "maxAmount": self.max_amount,
        }

    def write_parameters(self) -> dict[str, str]:
        """Give REST's query parameters; the days are of its path."""
        parameters = {
            "card": self.card_type,
            "country": self.country,
            "minAmount": self.min_amount,
            "maxAmount": self.max_amount,
        }
        return {name: value for name, value in parameters.items() if value is not None}


def select(documents: Iterable[Document], question: Question, now_ms: int) -> list[Document]:
    """Give the documents that hold, in order, with their card numbers masked."""
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
    """Give what CSV has for a value: an apostrophe before a text that a spreadsheet would take for a formula."""
    text = str(value)
    return f"'{text}" if isinstance(value, str) and text.startswith(("=", "+", "-", "@", "\t", "\r", "\n")) else text
