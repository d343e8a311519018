"""How many directives a document may have: validation and execution look at each, wherever it stands."""

from graphql import DirectiveNode, DocumentNode

from database.errors import GatewayError
from schema.document.definition import find_nodes


class TooManyDirectivesError(GatewayError):
    code = "TOO_MANY_DIRECTIVES"


def check_directives(document: DocumentNode, most: int) -> None:
    """Raise TooManyDirectivesError when a document has more than `most` directives, those of its fragments included."""
    if sum(1 for _ in find_nodes(document, DirectiveNode)) > most:
        raise TooManyDirectivesError(f"The document has more than {most} directives; send several operations.")
