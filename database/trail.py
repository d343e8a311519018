"""How far a list has come, so that what is left of it can be asked of another server. It asks nothing itself."""

from typing import Any, Self

from database.query import FindPlan, build_rest_plan

# At one value of the sort field; a million of them would be a million ids to remember.
_MOST_IDS = 10_000


class Trail:
    """The value of the sort field that the rows have come to, and the ids that were met at it.

    Rows come in the order of that value, so all beyond it were met, and of those at it the ids tell. The list goes on
    with all rows from that value on, but for those: none is lost and none comes twice.
    """

    def __init__(self, plan: FindPlan) -> None:
        self._plan = plan
        self._field = plan.sort[0][0]
        self._value: object = None
        self._ids: set[str] = set()

    def copy(self, plan: FindPlan) -> Self:
        """Give a trail that has come as far, for a plan of the same order."""
        other = type(self)(plan)
        other._value, other._ids = self._value, set(self._ids)  # noqa: SLF001 - it is of this class
        return other

    def follow(self, batch: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Give the rows of a batch that were not met before, and remember how far they come."""
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
            # An id may be of any type, also of one that no set takes.
            self._ids.add(repr(row["_id"]))
        return new

    def find_rest(self) -> FindPlan | None:
        """The plan of what is left, or None where it cannot be told apart from what was met."""
        if not isinstance(self._value, int) or len(self._ids) > _MOST_IDS:
            return None
        return build_rest_plan(self._plan, self._value)
