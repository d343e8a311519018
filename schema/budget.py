"""How many rows an operation may ask for, all its pages together: how they are spread does not change what it costs."""

from dataclasses import dataclass

from database.errors import GatewayError


class TooManyRowsError(GatewayError):
    code = "TOO_MANY_ROWS"


@dataclass(slots=True)
class RowBudget:
    """The rows that one operation may still ask for.

    Attributes:
        most: the rows of all its pages together.
        asked: the rows of the pages that were asked for so far.
    """

    most: int
    asked: int = 0

    def take(self, rows: int) -> None:
        """Note a page of so many rows; raises TooManyRowsError when they are too many with those before."""
        self.asked += rows
        self.check()

    def check(self) -> None:
        """Raise TooManyRowsError when too many were asked for.

        To be called before the database is: GraphQL goes on with the fields it has begun when another one fails.
        """
        if self.asked > self.most:
            raise TooManyRowsError(
                f"The operation asks for more than {self.most} rows together; give a smaller first or last, or fewer "
                "representations, or send several operations."
            )
