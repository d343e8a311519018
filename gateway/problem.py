"""A row of the table of what can go wrong (gateway/problems.py), and the page that is made from it."""

from dataclasses import dataclass
from http import HTTPStatus


@dataclass(frozen=True, slots=True)
class Problem:
    """A row of the table.

    Attributes:
        code: stable, in capitals.
        status: HTTP's.
        title: the same for every occurrence.
        meaning: when it is answered.
        remedy: what the caller can do.
    """

    code: str
    status: HTTPStatus
    title: str
    meaning: str
    remedy: str

    def render_page(self) -> str:
        """Give the text of docs/errors/<code>.md."""
        return (
            f"# {self.code}\n\n{self.title}. Status {self.status.value} ({self.status.phrase}).\n\n"
            f"{self.meaning}\n\n**What to do.** {self.remedy}\n"
        )
