"""A row of the table of problems (gateway/problems.py), and the page that is generated from it."""

from dataclasses import dataclass
from http import HTTPStatus

# RFC 9110's phrase, where Python before 3.13 has an older one.
_PHRASES = {HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "Content Too Large"}


@dataclass(frozen=True, slots=True)
class Problem:
    """A row of the table.

    Attributes:
        code: stable, in capitals.
        status: the HTTP status.
        title: the same for every occurrence.
        meaning: when it is returned.
        remedy: what the caller can do.
    """

    code: str
    status: HTTPStatus
    title: str
    meaning: str
    remedy: str

    def render_page(self) -> str:
        """Build the text of docs/errors/<code>.md."""
        phrase = _PHRASES.get(self.status, self.status.phrase)
        return (
            f"# {self.code}\n\n{self.title}. Status {self.status.value} ({phrase}).\n\n"
            f"{self.meaning}\n\n**What to do.** {self.remedy}\n"
        )
