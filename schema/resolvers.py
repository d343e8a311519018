"""The resolvers that GraphQL fields and REST paths share, so that both answer alike. They know no HTTP."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import nan

from database.cursor import Position
from database.kept_rows import KeptRows
from database.query import (
    FIELDS,
    FindPlan,
    Order,
    Page,
    TransactionFilter,
    build_count_plan,
    build_find_plan,
    build_id_plan,
    build_ids_plan,
    match_ids,
)
from database.repository import NoteBatch, TransactionRepository
from database.row import ConvertedRow, Row
from database.summary import SummaryRequest, build_summary_plan
from schema.series import build_summary
from schema.summary import TransactionSummary

ALL_FIELDS = frozenset(FIELDS)


@dataclass(frozen=True, slots=True)
class TransactionPage:
    """The rows of a page.

    Attributes:
        number: how many rows it has.
        has_more: whether more rows exist after the page, or before it if it is read from the end.
        first: its first row; None if it is empty.
        last: its last row; None if it is empty.
        load: returns all of its rows.
    """

    number: int
    has_more: bool
    first: Row | None
    last: Row | None
    load: Callable[[], Awaitable[list[Row]]]


async def list_transactions(
    repository: TransactionRepository,
    wanted: TransactionFilter,
    order: Order,
    page: Page,
    fields: frozenset[str] = ALL_FIELDS,
    note_batch: NoteBatch | None = None,
) -> TransactionPage:
    """Return one page, which must have a limit; one extra row is read, to find out whether there are more.

    `note_batch` receives the rows as they are read, in that order, including the extra one.
    """
    limit = page.limit or 0
    kept = None
    if order is Order.DATE_DESC and page == Page(limit):
        kept = _keep(await repository.find_newest(wanted, limit + 1, fields), note_batch)
    if kept is None:
        plan = build_find_plan(wanted, order, replace(page, limit=limit + 1), fields)
        kept = await repository.find_kept_rows(plan, note_batch)
    has_more = kept.number > limit
    number = min(kept.number, limit)
    near = kept.first if number else None
    far = kept.get_last(but_one=has_more) if number else None

    async def load() -> list[Row]:
        rows = (await kept.load())[:number]
        return rows[::-1] if page.from_end else rows

    return TransactionPage(number, has_more, *((far, near) if page.from_end else (near, far)), load)


def _keep(rows: list[Row] | None, note_batch: NoteBatch | None) -> KeptRows | None:
    if rows is None:
        return None
    kept = KeptRows()
    if rows:
        kept.add(rows, partial(list, rows))
        if note_batch:
            note_batch(rows)
    return kept


def build_list_plan(wanted: TransactionFilter, after: Position | None = None) -> FindPlan:
    """Build the plan for `TransactionRepository.open_batches`: all rows, or those after a position, newest first."""
    return build_find_plan(wanted, Order.DATE_DESC, Page(after=after))


async def count_transactions(repository: TransactionRepository, wanted: TransactionFilter) -> int:
    """Return the exact number of transactions that match a filter."""
    return await repository.count(build_count_plan(wanted))


async def summarize_transactions(repository: TransactionRepository, request: SummaryRequest) -> TransactionSummary:
    """Return the summary of a request, which schema/grouping.py has validated."""
    return await build_summary(request, await repository.summarize(build_summary_plan(request)))


async def find_transaction(
    repository: TransactionRepository, row_id: str, fields: frozenset[str] = ALL_FIELDS
) -> Row | None:
    """Return the transaction with an id, or None."""
    rows = await repository.find_rows(build_id_plan(row_id, fields))
    return rows[0] if rows else None


async def find_transactions(
    repository: TransactionRepository, row_ids: Sequence[str], fields: frozenset[str] = ALL_FIELDS
) -> list[Row | None]:
    """Return the transaction with each id, or None, in the order of the ids, with a single database query."""
    if not row_ids:
        return []
    return match_ids(row_ids, await repository.find_rows(build_ids_plan(row_ids, fields)))


def get_position(row: Row, order: Order) -> Position:
    """Return a row's position in an order; NaN, which no cursor accepts, stands for a missing sort value."""
    if isinstance(row, ConvertedRow) and order.field in row.stored:
        return Position(row.stored[order.field], row["_id"])
    return Position(row.get(order.field, nan), row["_id"])
