"""The progress of a list, so that its rest can be queried from another server. It sends no command itself."""

from typing import Any, Self

from database.query import FindPlan, build_rest_plan

# The most ids to remember: without a limit, a million rows with one sort value would mean a million ids.
_MOST_IDS = 10_000


class ResumePoint:
    """The sort field's value that a list has reached, and the ids of the rows seen with that value.

    Rows arrive in the order of that value. The list resumes with all rows from that value on, except those whose ids
    were seen: none is lost and none is repeated.
    """

    def __init__(self, plan: FindPlan) -> None:
        self._plan = plan
        self._field = plan.sort[0][0]
        self._value: object = None
        self._ids: set[str] = set()

    def copy(self, plan: FindPlan) -> Self:
        """Return a resume point with the same progress, for a plan of the same order."""
        other = type(self)(plan)
        other._value, other._ids = self._value, set(self._ids)  # noqa: SLF001 - an instance of this class
        return other

    def advance(self, batch: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Return the rows of a batch that were not seen before, and record the progress."""
        new = batch
        if batch[0].get(self._field) == self._value:
            new = [row for row in batch if row.get(self._field) != self._value or repr(row["_id"]) not in self._ids]
        value = batch[-1].get(self._field)
        if value != self._value:
            self._value = value
            self._ids = set()
        for row in reversed(batch):
            if row.get(self._field) != value or len(self._ids) > _MOST_IDS:
                break
            # An id may be of an unhashable type.
            self._ids.add(repr(row["_id"]))
        return new

    def find_rest_plan(self) -> FindPlan | None:
        """Return the plan of the rest, or None if it cannot be told apart from what was seen."""
        if not isinstance(self._value, int) or len(self._ids) > _MOST_IDS:
            return None
        return build_rest_plan(self._plan, self._value)
