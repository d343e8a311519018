"""Limit the rows that an operation may request over all its pages: its cost depends only on their sum."""

from dataclasses import dataclass

from database.errors import GatewayError


class TooManyRowsError(GatewayError):
    code = "TOO_MANY_ROWS"


@dataclass(slots=True)
class RowBudget:
    """The rows that one operation may request.

    Attributes:
        most: the limit for all its pages together.
        requested: the rows of the pages requested so far.
    """

    most: int
    requested: int = 0

    def take(self, rows: int) -> None:
        """Add the rows of a page; raises TooManyRowsError if the total exceeds the limit."""
        self.requested += rows
        self.check()

    def check(self) -> None:
        """Raise TooManyRowsError if too many rows were requested.

        Call this before each database query: when a field fails, GraphQL still completes the fields it has begun.
        """
        if self.requested > self.most:
            raise TooManyRowsError(
                f"The operation asks for more than {self.most} rows together; give a smaller first or last, or fewer "
                "representations, or send several operations."
            )
