"""A row of the table of what can go wrong (gateway/problems.py), and the page that is made from it."""

from dataclasses import dataclass
from http import HTTPStatus

# RFC 9110 has another name for it than Python had before 3.13.
_PHRASES = {HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "Content Too Large"}


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
        phrase = _PHRASES.get(self.status, self.status.phrase)
        return (
            f"# {self.code}\n\n{self.title}. Status {self.status.value} ({phrase}).\n\n"
            f"{self.meaning}\n\n**What to do.** {self.remedy}\n"
        )
