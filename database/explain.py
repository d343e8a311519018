"""Explain the server's plan for a command, and describe a command's shape without any of its values."""

from collections.abc import Iterator, Mapping
from typing import Any

from pymongo.asynchronous.database import AsyncDatabase

# The fields that determine a plan; the driver adds the rest of a command.
_PLANNED = {
    "find": ("find", "filter", "sort", "projection", "limit", "collation", "hint"),
    "aggregate": ("aggregate", "pipeline", "collation", "hint"),
    "count": ("count", "query", "collation", "hint"),
}
_EXPLAIN_MS = 2_000


def describe_shape(command: Mapping[str, Any]) -> str:
    """Return a command's filter and order: its fields and operators, with `?` for each value."""
    wanted = command.get("filter", command.get("query"))
    if pipeline := command.get("pipeline"):
        wanted = pipeline[0].get("$match")
    if wanted is None:
        return ""
    order = ", ".join(f"{name}: {way}" for name, way in command.get("sort", {}).items())
    return _hide_values(wanted) + (f" sort {{{order}}}" if order else "")


def _hide_values(value: object) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{name}: {_hide_values(each)}" for name, each in value.items()) + "}"
    if isinstance(value, list):
        # Deduplicates the values of an $in, and keeps the distinct branches of an $or.
        return "[" + ", ".join(sorted({_hide_values(each) for each in value})) + "]"
    return "?"


def can_explain(command: Mapping[str, Any]) -> bool:
    """Return whether the server plans such a command; a cursor's `getMore`, for example, follows the existing plan."""
    return next(iter(command)) in _PLANNED


async def explain(database: AsyncDatabase[dict[str, Any]], command: Mapping[str, Any]) -> str:
    """Return the plan that the server would choose now, from the data to the result: `IXSCAN date_-1 > FETCH`.

    `COLLSCAN` means that the whole collection is read. The command itself does not run.
    """
    planned = {name: command[name] for name in _PLANNED[next(iter(command))] if name in command}
    if "pipeline" in planned:
        planned["cursor"] = {}
    answer = await database.command({"explain": planned, "verbosity": "queryPlanner", "maxTimeMS": _EXPLAIN_MS})
    return " > ".join(reversed(list(_list_stages(_find_winner(answer)))))


def _find_winner(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the winning plan; where it is depends on the server's version and the command."""
    if "queryPlanner" in answer:
        winner: dict[str, Any] = answer["queryPlanner"]["winningPlan"]
        # The slot-based engine (SBE) puts the plan under `queryPlan`, beside its own program.
        plan: dict[str, Any] = winner.get("queryPlan", winner)
        return plan
    for stage in answer.get("stages", ()):
        if "$cursor" in stage:
            return _find_winner(stage["$cursor"])
    for shard in answer.get("shards", {}).values():
        return _find_winner(shard)
    return {}


def _list_stages(plan: Mapping[str, Any]) -> Iterator[str]:
    """Yield a plan's stages, from the result to the data."""
    if "stage" in plan:
        yield f"{plan['stage']} {plan['indexName']}" if "indexName" in plan else plan["stage"]
    if "inputStage" in plan:
        yield from _list_stages(plan["inputStage"])
    for each in (*plan.get("inputStages", ()), *(shard["winningPlan"] for shard in plan.get("shards", ()))):
        yield from _list_stages(each)
