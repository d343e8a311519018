"""Limit a document's directives: validation and execution process each one, wherever it stands."""

from graphql import DirectiveNode, DocumentNode

from database.errors import GatewayError
from schema.document.definition import find_nodes


class TooManyDirectivesError(GatewayError):
    code = "TOO_MANY_DIRECTIVES"


def check_directives(document: DocumentNode, most: int) -> None:
    """Raise TooManyDirectivesError if a document has more than `most` directives, including those in its fragments."""
    if sum(1 for _ in find_nodes(document, DirectiveNode)) > most:
        raise TooManyDirectivesError(f"The document has more than {most} directives; send several operations.")
