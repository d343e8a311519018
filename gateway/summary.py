"""The REST path of summaries: passes its parameters to schema/grouping.py, and writes the response as JSON."""

import asyncio
from decimal import Decimal
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import WithJsonSchema

from database.errors import InvalidTimeZoneError
from database.group_key import GroupKey
from database.summary import MAX_GROUPS, SummaryOrder, SummaryRequest
from gateway.errors import PLUS
from gateway.negotiation import choose_media_type
from gateway.openapi_operations import SUMMARY_RESPONSES
from gateway.parameter import TEXT, CardQuery, CountryQuery, DaysPath, MaxQuery, MinQuery, check_parameters
from gateway.request import get_context
from gateway.route import DirectRoute
from gateway.rows import JSON
from schema.filter import FieldNames, parse_filter
from schema.grouping import parse_key, parse_order, parse_rate, parse_summary_request
from schema.resolvers import summarize_transactions
from schema.scalar import serialize_decimal
from schema.summary import AmountSummary, SummaryGroup, TransactionSummary

router = APIRouter(prefix="/transactions", tags=["transactions"], route_class=DirectRoute)

# With ten percentiles, encoding one currency of a group takes 30 µs.
_GROUPS_PER_CHUNK = 10
_KEYS = "|".join(key.value for key in GroupKey)

GroupByQuery = Annotated[
    str | None,
    WithJsonSchema({"type": "string", "pattern": f"^({_KEYS})(,({_KEYS}))?$"}),
    Query(
        alias="groupBy",
        description="What the transactions are grouped by: one key, or two separated by a comma (`cardType,day`). "
        "One total if omitted. Gaps in time are filled with empty groups, within the days of the path.",
    ),
]
TimeZoneQuery = Annotated[
    str | None,
    TEXT,
    Query(alias="timeZone", description="The IANA time zone of hours, days, weeks and months; UTC if omitted."),
]
PercentilesQuery = Annotated[
    str | None,
    TEXT,
    Query(description="Which percentiles of the amounts to give, separated by commas: `50,95,99.9`."),
]
RatesQuery = Annotated[
    str | None,
    TEXT,
    Query(
        description="What one unit of each other currency that occurs is worth in the currency `into`: "
        "`EUR:1.08,GBP:1.27`."
    ),
]
IntoQuery = Annotated[
    str | None,
    WithJsonSchema({"type": "string", "pattern": "^[A-Za-z]{3}$"}),
    Query(description="Convert all amounts into this currency, ISO 4217."),
]
OrderByQuery = Annotated[
    str | None,
    WithJsonSchema({"type": "string", "enum": [order.name for order in SummaryOrder]}),
    Query(
        alias="orderBy",
        description="The order of the groups; if omitted KEY_ASC, or COUNT_DESC with `top`. Sums need `into`.",
    ),
]
TopQuery = Annotated[
    str | None,
    WithJsonSchema({"type": "integer", "minimum": 1, "maximum": MAX_GROUPS}),
    Query(description="Only this many groups, the first in the order; gaps in time are not filled."),
]


@router.get(
    "/{days:segment}/summary",
    summary="Transactions of the last n days, grouped, counted and summed up",
    responses=SUMMARY_RESPONSES,
)
async def summarize(
    request: Request,
    days: DaysPath,
    group_by: GroupByQuery = None,
    time_zone: TimeZoneQuery = None,
    percentiles: PercentilesQuery = None,
    rates: RatesQuery = None,
    into: IntoQuery = None,
    order_by: OrderByQuery = None,
    top: TopQuery = None,
    card: CardQuery = None,
    country: CountryQuery = None,
    min_amount: MinQuery = None,
    max_amount: MaxQuery = None,
) -> Response:
    """Each group's count and, for each currency, the exact sum, the average, the extremes and percentiles."""
    check_parameters(request)
    choose_media_type(request.headers.getlist("accept"), [JSON.media_type])
    context = get_context(request)
    try:
        summary_request = parse_summary_request(
            parse_filter(
                days=days,
                card_type=card,
                country=country,
                min_amount=min_amount,
                max_amount=max_amount,
                names=FieldNames(card_type="card"),
            ).build_filter(context.now_ms),
            keys=[parse_key(name) for name in _split(group_by)],
            time_zone=time_zone,
            percentiles=_split(percentiles),
            rates=None if rates is None else [parse_rate(rate) for rate in _split(rates)],
            into=into,
            order=None if order_by is None else parse_order(order_by),
            top=top,
        )
    except InvalidTimeZoneError as error:
        # Some names contain a +, such as Etc/GMT+5; none contains a space.
        raise InvalidTimeZoneError(f"{error}{PLUS if ' ' in (time_zone or '') else ''}") from None
    summary = await summarize_transactions(context.repository, summary_request)
    return Response(orjson.dumps(await write_summary(summary, summary_request)), media_type=JSON.media_type)


def _split(texts: str | None) -> list[str]:
    return [] if texts is None else texts.split(",")


async def write_summary(summary: TransactionSummary, summary_request: SummaryRequest) -> dict[str, Any]:
    """Return a summary as JSON values, letting the event loop run between groups."""
    groups = []
    for number, group in enumerate(summary.found):
        if number % _GROUPS_PER_CHUNK == 0:
            await asyncio.sleep(0)
        groups.append(_write_group(group, summary_request))
    return {"groups": groups, "omitted": summary.omitted}


def _write_group(group: SummaryGroup, summary_request: SummaryRequest) -> dict[str, Any]:
    keys = {key.value: _write_key(getattr(group, key.name.lower())) for key in summary_request.keys}
    return {**keys, "count": group.count, "amounts": [_write_amounts(amounts) for amounts in group.amounts]}


def _write_key(value: str | Decimal | None) -> str | None:
    return serialize_decimal(value) if isinstance(value, Decimal) else value


def _write_amounts(amounts: AmountSummary) -> dict[str, Any]:
    # As strings: most readers parse JSON numbers as doubles, which cannot hold all digits of a sum.
    numbers = {name: getattr(amounts, name) for name in ("sum", "average", "min", "max")}
    written = {name: None if value is None else serialize_decimal(value) for name, value in numbers.items()}
    percentiles = [
        {
            "percentile": serialize_decimal(each.percentile),
            "value": None if each.value is None else serialize_decimal(each.value),
        }
        for each in amounts.percentiles
    ]
    return {"currency": amounts.currency, "count": amounts.count, **written, "percentiles": percentiles}
