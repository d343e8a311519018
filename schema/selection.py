"""What a GraphQL operation selects becomes the document keys to read: nothing is fetched that is not asked for."""

from collections.abc import Iterable, Iterator

from strawberry.types.nodes import SelectedField, Selection

# GraphQL's name of each field of a transaction -> the document's key.
DOCUMENT_KEYS = {
    "id": "_id",
    "date": "date",
    "currency": "currency",
    "amount": "amount",
    "vendor": "vendor",
    "address": "address",
    "cardType": "cardType",
    "cardNumber": "cardNumber",
    "countryOrigin": "countryOrigin",
}


def select_keys(selections: Iterable[Selection], *path: str) -> frozenset[str]:
    """Give the document keys selected below a path of field names, fragments included.

    Args:
        selections: the selected fields to start from, such as `info.selected_fields`.
        path: the names of the fields that lead to a transaction.
    """
    fields: Iterable[SelectedField] = _flatten(selections)
    for name in path:
        fields = list(_flatten(inner for field in fields if field.name == name for inner in field.selections))
    return frozenset(DOCUMENT_KEYS[field.name] for field in fields if field.name in DOCUMENT_KEYS)


def _flatten(selections: Iterable[Selection]) -> Iterator[SelectedField]:
    """Give the fields of a selection, those inside fragments too; @skip and @include only ever take some away."""
    for selection in selections:
        if isinstance(selection, SelectedField):
            yield selection
        else:
            yield from _flatten(selection.selections)
