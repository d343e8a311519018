"""Measure what a query costs mongod with its profiler: the commands, and the keys and documents that they read."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from pymongo.database import Database

from database.index import COLLECTION, INDEXES
from database.monitor import UPKEEP

_PROFILE = "system.profile"
# An unlimited list takes thousands of commands.
_PROFILE_BYTES = 1 << 26
_OFF, _ALL = 0, 2


@dataclass(frozen=True, slots=True)
class Cost:
    """The cost of one query: its commands on the collection, what they read, and the first one's plan, if any."""

    commands: int
    keys: int
    documents: int
    plan: str


class Profiler:
    """The profiler of one database."""

    def __init__(self, database: Database[dict[str, Any]]) -> None:
        """Use an administrator's connection; nothing else may use the profiler at the same time."""
        self._database = database

    @contextmanager
    def watch(self) -> Iterator[list[Mapping[str, Any]]]:
        """Yield a list that, once the block has ended, holds the profile of every command in it."""
        entries: list[Mapping[str, Any]] = []
        self._database.drop_collection(_PROFILE)
        self._database.create_collection(_PROFILE, capped=True, size=_PROFILE_BYTES, check_exists=False)
        self._database.command("profile", _ALL)
        try:
            yield entries
        finally:
            self._database.command("profile", _OFF)
        # killCursors is left out: the cursor of an earlier, aborted list may be closed only now.
        wanted = {
            "ns": f"{self._database.name}.{COLLECTION}",
            "command.comment": {"$ne": UPKEEP},
            "command.killCursors": {"$exists": False},
        }
        entries += self._database[_PROFILE].find(wanted, sort=[("ts", 1)])


def sum_cost(entries: Sequence[Mapping[str, Any]]) -> Cost:
    """Add up the profiles of one query's commands."""
    return Cost(
        commands=len(entries),
        keys=sum(entry.get("keysExamined", 0) for entry in entries),
        documents=sum(entry.get("docsExamined", 0) for entry in entries),
        plan=_name_indexes(str(entries[0].get("planSummary", ""))) if entries else "",
    )


def _name_indexes(plan: str) -> str:
    """Return a plan with declared indexes named instead of described by their keys, and each stage listed once."""
    for index in INDEXES:
        keys = ", ".join(f"{key}: {direction}" for key, direction in index.keys)
        plan = plan.replace(f"{{ {keys} }}", index.name)
    return ", ".join(dict.fromkeys(plan.split(", "))) if "{" not in plan else plan
