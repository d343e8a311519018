"""Says how the server would run a command, and what a command asks for without any of its values."""

from collections.abc import Iterator, Mapping
from typing import Any

from pymongo.asynchronous.database import AsyncDatabase

# What decides a plan; the rest of a command is the driver's.
_PLANNED = {
    "find": ("find", "filter", "sort", "projection", "limit", "collation", "hint"),
    "aggregate": ("aggregate", "pipeline", "collation", "hint"),
    "count": ("count", "query", "collation", "hint"),
}
_EXPLAIN_MS = 2_000


def describe_shape(command: Mapping[str, Any]) -> str:
    """Give a command's filter and order: its fields and operators, with `?` for each value."""
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
        # The values of an $in are one kind; the branches of an $or may be several.
        return "[" + ", ".join(sorted({_hide_values(each) for each in value})) + "]"
    return "?"


def can_explain(command: Mapping[str, Any]) -> bool:
    """Whether the server plans such a command; the next batch of a cursor, for one, follows the plan of the first."""
    return next(iter(command)) in _PLANNED


async def explain(database: AsyncDatabase[dict[str, Any]], command: Mapping[str, Any]) -> str:
    """Give the plan that the server would choose now, from the data to the answer: `IXSCAN date_-1 > FETCH`.

    `COLLSCAN` means that the whole collection is read. The command itself is not run.
    """
    planned = {name: command[name] for name in _PLANNED[next(iter(command))] if name in command}
    if "pipeline" in planned:
        planned["cursor"] = {}
    answer = await database.command({"explain": planned, "verbosity": "queryPlanner", "maxTimeMS": _EXPLAIN_MS})
    return " > ".join(reversed(list(_list_stages(_find_winner(answer)))))


def _find_winner(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    """Give the winning plan, wherever the server's version and the kind of command put it."""
    if "queryPlanner" in answer:
        winner: dict[str, Any] = answer["queryPlanner"]["winningPlan"]
        # Beside the plan the newer engine gives its program.
        plan: dict[str, Any] = winner.get("queryPlan", winner)
        return plan
    for stage in answer.get("stages", ()):
        if "$cursor" in stage:
            return _find_winner(stage["$cursor"])
    for shard in answer.get("shards", {}).values():
        return _find_winner(shard)
    return {}


def _list_stages(plan: Mapping[str, Any]) -> Iterator[str]:
    """Give a plan's stages, from the answer to the data."""
    if "stage" in plan:
        yield f"{plan['stage']} {plan['indexName']}" if "indexName" in plan else plan["stage"]
    if "inputStage" in plan:
        yield from _list_stages(plan["inputStage"])
    for each in (*plan.get("inputStages", ()), *(shard["winningPlan"] for shard in plan.get("shards", ()))):
        yield from _list_stages(each)
