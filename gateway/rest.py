"""The four REST paths: they pass their parameters to the resolvers and write the responses."""

import orjson
from fastapi import APIRouter, Request
from fastapi.responses import Response

from database.query import Order, Page, TransactionFilter
from database.row import Row
from gateway.errors import SLASH_AT_END, NotFoundError
from gateway.export import choose_export, read_end, read_position
from gateway.list_request import ListRequest
from gateway.negotiation import choose_media_type
from gateway.openapi_operations import COUNT_RESPONSES, LIST_RESPONSES
from gateway.parameter import (
    AfterQuery,
    CardQuery,
    CardTypePath,
    CountryPath,
    CountryQuery,
    DaysPath,
    FormatQuery,
    LimitQuery,
    MaxPath,
    MaxQuery,
    MinPath,
    MinQuery,
    TrailerQuery,
    UntilQuery,
    check_parameters,
)
from gateway.request import get_context
from gateway.route import DirectRoute
from gateway.rows import JSON, RowFormat, RowStream
from gateway.shared_list import SharedLists
from schema.filter import FieldNames, parse_days, parse_filter
from schema.page import build_cursor, parse_limit
from schema.resolvers import count_transactions, list_transactions

router = APIRouter(prefix="/transactions", tags=["transactions"], route_class=DirectRoute)

_COUNT_SLASHES = "/transactions/{days}/card/{cardType}".count("/")


@router.get("", include_in_schema=False)
async def demand_days() -> None:
    """Report that the days are missing, as an empty segment after the slash does."""
    parse_days("", "days")


@router.get("/{days:segment}", summary="Transactions of the last n days", responses=LIST_RESPONSES)
async def list_by_days(
    request: Request,
    days: DaysPath,
    card: CardQuery = None,
    country: CountryQuery = None,
    min_amount: MinQuery = None,
    max_amount: MaxQuery = None,
    limit: LimitQuery = None,
    after: AfterQuery = None,
    until: UntilQuery = None,
    format_name: FormatQuery = None,
    trailer: TrailerQuery = None,
) -> Response:
    """The documents, newest first. Filters combine."""
    check_parameters(request)
    wanted = parse_filter(
        days=days,
        card_type=card,
        country=country,
        min_amount=min_amount,
        max_amount=max_amount,
        names=FieldNames(card_type="card"),
    ).build_filter(read_end(request, until))
    return await _answer_list(request, wanted, limit, after, format_name, trailer)


@router.get(
    "/{days:segment}/card/{cardType:path}",  # noqa: FAST003 - CardTypePath has the alias
    summary="Number of transactions of the last n days with one card type",
    responses=COUNT_RESPONSES,
)
async def count_by_card(request: Request, days: DaysPath, card_type: CardTypePath) -> Response:
    """The exact number."""
    check_parameters(request)
    # A card type may contain slashes, as %2F. Bare ones are an error: as a card type `Visa/country/US` would count 0.
    if request.scope["raw_path"].count(b"/") > _COUNT_SLASHES:
        raise NotFoundError(
            SLASH_AT_END
            if card_type.endswith("/")
            else "There is nothing at this path; in a card type, / is written %2F, and filters combine as "
            "parameters: /transactions/{days}?card=…&country=…."
        )
    choose_media_type(request.headers.getlist("accept"), [JSON.media_type])
    context = get_context(request)
    wanted = parse_filter(days=days, card_type=card_type).build_filter(context.now_ms)
    count = await count_transactions(context.repository, wanted)
    return Response(orjson.dumps({"count": count}), media_type=JSON.media_type)


@router.get(
    "/{days:segment}/country/{country:segment}",
    summary="Transactions of the last n days from one country",
    responses=LIST_RESPONSES,
)
async def list_by_country(
    request: Request,
    days: DaysPath,
    country: CountryPath,
    limit: LimitQuery = None,
    after: AfterQuery = None,
    until: UntilQuery = None,
    format_name: FormatQuery = None,
    trailer: TrailerQuery = None,
) -> Response:
    """The documents, newest first."""
    check_parameters(request)
    wanted = parse_filter(days=days, country=country).build_filter(read_end(request, until))
    return await _answer_list(request, wanted, limit, after, format_name, trailer)


@router.get(
    "/{days:segment}/amount/{min:segment}/{max:segment}",  # noqa: FAST003 - MinPath and MaxPath have the aliases
    summary="Transactions of the last n days within a range of amounts",
    responses=LIST_RESPONSES,
)
async def list_by_amount(
    request: Request,
    days: DaysPath,
    min_amount: MinPath,
    max_amount: MaxPath,
    limit: LimitQuery = None,
    after: AfterQuery = None,
    until: UntilQuery = None,
    format_name: FormatQuery = None,
    trailer: TrailerQuery = None,
) -> Response:
    """The documents, newest first. Both ends are inclusive; currencies are not converted."""
    check_parameters(request)
    wanted = parse_filter(
        days=days,
        min_amount=min_amount,
        max_amount=max_amount,
        names=FieldNames(min_amount="min", max_amount="max"),
    ).build_filter(read_end(request, until))
    return await _answer_list(request, wanted, limit, after, format_name, trailer)


async def _answer_list(
    request: Request,
    wanted: TransactionFilter,
    limit: str | None,
    after: str | None,
    format_name: str | None,
    trailer: str | None,
) -> Response:
    repository = get_context(request).repository
    export = await choose_export(request, wanted, format_name, trailer)
    position = read_position(after)
    if limit is None:
        lists: SharedLists = request.app.state.lists
        has_end = wanted.until != request.state.now_ms
        list_request = ListRequest(repository, wanted, position, export.row_format, has_end)
        rest = lists.open(list_request, request.state.slot)
        # Read before the response begins, so that a failing query gets an error response, not a broken body.
        first = await anext(rest, b"")
        body = export.open_body({"until": wanted.until, "next": None})
        return RowStream(body, first, rest, media_type=export.media_type, headers=export.headers)
    writer = _PageWriter(export.row_format, parse_limit(limit))
    requested_page = Page(writer.left, after=position)
    page = await list_transactions(repository, wanted, Order.DATE_DESC, requested_page, note_batch=writer.note)
    cursor = build_cursor(page.last, Order.DATE_DESC) if page.last is not None and page.has_more else None
    body = export.open_body({"until": wanted.until, "next": cursor})
    headers = export.headers | ({} if cursor is None else {"Link": _build_link(request, cursor)})
    parts = [await body.add(part) for part in writer.parts or (b"",)]
    return Response(b"".join([*parts, await body.end()]), headers=headers, media_type=export.media_type)


class _PageWriter:
    """Encodes a page's rows batch by batch, while they are read."""

    def __init__(self, row_format: RowFormat, limit: int) -> None:
        self.left = limit
        self.parts: list[bytes] = []
        self._format = row_format

    def note(self, batch: list[Row]) -> None:
        """Encode a batch, without the one row that the query reads beyond the page."""
        if rows := batch[: self.left]:
            self.left -= len(rows)
            self.parts.append(self._format.encode(rows))


def _build_link(request: Request, cursor: str) -> str:
    """Build the Link header (RFC 8288) for the rows after a cursor."""
    return f'<{request.url.include_query_params(after=cursor)}>; rel="next"'
