"""REST and GraphQL summaries agree with a plain-Python reference in any time zone, and report what cannot be summed."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
from bson.decimal128 import Decimal128
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pymongo import AsyncMongoClient
from pymongo.collection import Collection

from database.environment import DatabaseEnvironment
from database.group_key import GroupKey
from database.repository import TransactionRepository
from gateway.app import create_app
from gateway.settings import load_settings
from tests import strategies
from tests.recorder import CommandRecorder
from tests.reference import DAY_MS, Document, Question
from tests.totals import RefusedError, Summary, summarize

# After the autumn's clock changes in both hemispheres.
NOW = datetime(2026, 11, 20, 15, 20, tzinfo=UTC)
NOW_MS = int(NOW.timestamp() * 1000)
ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "America/St_Johns"]
ZONES += ["Africa/Cairo", "Pacific/Apia"]
KEYS = [key.value for key in GroupKey]
ORDERS = ["KEY_ASC", "KEY_DESC", "COUNT_DESC", "COUNT_ASC", "SUM_DESC", "SUM_ASC"]
RATES = {"USD": "1.0825", "EUR": "1.27", "JPY": "0.00661253"}
asks = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def find_changes() -> list[int]:
    """Return when the zones' UTC offsets changed in the last 400 days, in ms since the epoch."""
    quarters = [NOW - timedelta(minutes=15 * quarter) for quarter in range(400 * 96)]
    changes = {
        later
        for zone in map(ZoneInfo, ZONES)
        for later, earlier in pairwise(quarters)
        if later.astimezone(zone).utcoffset() != earlier.astimezone(zone).utcoffset()
    }
    return [int(change.timestamp() * 1000) for change in sorted(changes)]


_MINUTES = st.sampled_from([0, 1, 29, 30, 31, 59, 60, 61, 90, 119, 120, 180, 1440])
dates = st.one_of(
    st.builds(
        lambda change, minutes, sign, step: change + sign * minutes * 60_000 + step,
        st.sampled_from(find_changes()),
        _MINUTES,
        st.sampled_from([-1, 1]),
        st.sampled_from([-1, 0, 1]),
    ),
    st.integers(0, 130 * DAY_MS).map(lambda offset: NOW_MS - offset),
    st.sampled_from([NOW_MS, NOW_MS - 90 * DAY_MS, NOW_MS - 90 * DAY_MS - 1, NOW_MS - DAY_MS]),
)
# Both sides of range boundaries, in USD and, at these rates, in other currencies.
_EDGES = [
    -250.0,
    -0.01,
    -0.0,
    0.99,
    1.0,
    1.99,
    2.0,
    4.99,
    5.0,
    49.99,
    50.0,
    499_999.99,
    500_000.0,
    999_999.99,
    1_000_000.0,
]
documents = st.lists(
    st.fixed_dictionaries(
        {
            "_id": st.uuids(version=4).map(str),
            "date": dates,
            "currency": st.sampled_from(["USD", "usd", "EUR", "JPY"]),
            "amount": strategies.amounts.map(float) | st.sampled_from(_EDGES),
            "vendor": st.sampled_from(["Acme", "ACME", "acme", "Bäcker", "BÄCKER", "Zeta"]),
            "cardType": st.sampled_from(strategies.CARD_TYPES),
            "cardNumber": st.just("4111111111111111"),
            "countryOrigin": st.sampled_from(strategies.COUNTRIES),
        }
    ),
    max_size=40,
    unique_by=lambda found: found["_id"],
)


@st.composite
def summaries(draw: st.DrawFn) -> Summary:
    """Summaries of any query, by any keys, in any zone; ordered by sum only with a conversion."""
    days = draw(st.sampled_from([0, 1, 2, 30, 90]))
    question = replace(draw(strategies.questions()), days=days, order="DATE_DESC")
    if draw(st.booleans()):
        question = Question(days)
    keys = draw(st.lists(st.sampled_from(KEYS), max_size=2, unique=True))
    into = draw(st.sampled_from([None, "USD", "CHF"]))
    rates = None
    if into:
        rates = {name: rate for name, rate in RATES.items() if name != into and draw(st.integers(0, 9))}
    return Summary(
        question,
        tuple(keys),
        zone=draw(st.sampled_from(ZONES)),
        percentiles=tuple(draw(st.lists(st.sampled_from(["0", "25", "50", "99.9", "100"]), max_size=3, unique=True))),
        rates=rates,
        into=into,
        order=draw(st.none() | st.sampled_from(ORDERS if into else ORDERS[:4])),
        top=draw(st.none() | st.sampled_from([1, 3, 50])),
    )


@dataclass(frozen=True)
class Asker:
    """Sends requests to the application in this process with its clock stopped; records its database commands."""

    http: httpx.AsyncClient
    collection: Collection[Document]
    recorder: CommandRecorder

    def fill(self, found: list[Document]) -> None:
        self.collection.delete_many({})
        if found:
            self.collection.insert_many([{**document} for document in found])

    async def ask_rest(self, asked: Summary) -> dict[str, Any]:
        summary = {
            "groupBy": ",".join(asked.keys) or None,
            "timeZone": asked.zone,
            "percentiles": ",".join(asked.percentiles) or None,
            "rates": ",".join(f"{name}:{rate}" for name, rate in (asked.rates or {}).items()) or None,
            "into": asked.into,
            "orderBy": asked.order,
            "top": asked.top,
        }
        parameters = {name: str(value) for name, value in summary.items() if value is not None}
        parameters |= asked.question.write_parameters()
        path = f"/transactions/{asked.question.days}/summary"
        answer: dict[str, Any] = (await self.http.get(path, params=parameters)).json()
        return {"code": answer["code"]} if "code" in answer else answer

    async def ask_graphql(self, asked: Summary, query: str = "") -> dict[str, Any]:
        """Return GraphQL's response in the form of REST's."""
        variables = {
            "filter": asked.question.write_filter(),
            "keys": [GroupKey(key).name for key in asked.keys],
            "zone": asked.zone,
            "percentiles": list(asked.percentiles),
            "rates": None if asked.rates is None else [{"currency": n, "rate": r} for n, r in asked.rates.items()],
            "into": asked.into,
            "order": asked.order,
            "top": asked.top,
        }
        answer = (await self.http.post("/graphql", json={"query": query or GRAPHQL, "variables": variables})).json()
        if "errors" in answer:
            return {"code": answer["errors"][0]["extensions"]["code"]}
        summary: dict[str, Any] = answer["data"]["transactionSummary"]
        for group in summary["groups"]:
            assert all(group.pop(key) is None for key in KEYS if key not in asked.keys)
        return summary


GRAPHQL = """
query Ask(
  $filter: TransactionFilter, $keys: [SummaryKey!], $zone: String, $percentiles: [Decimal!], $rates: [ExchangeRate!],
  $into: String, $order: SummaryOrder, $top: Int
) {
  transactionSummary(
    filter: $filter, groupBy: $keys, timeZone: $zone, percentiles: $percentiles, rates: $rates, into: $into,
    orderBy: $order, top: $top
  ) {
    groups {
      cardType country currency vendor amountRange hour day week month count
      amounts { currency count sum average min max percentiles { percentile value } }
    }
    omitted
  }
}
"""
AMOUNTS = "amounts { currency count sum average min max percentiles { percentile value } }"
# Both omit the amounts, the second by a directive.
COUNTING = (GRAPHQL.replace(AMOUNTS, ""), GRAPHQL.replace(AMOUNTS, f"... @include(if: false) {{ {AMOUNTS} }}"))


@pytest.fixture
async def asker(
    reader_environment: DatabaseEnvironment, collection: Collection[Document], monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Asker]:
    monkeypatch.setattr("gateway.request.read_clock_ms", lambda: NOW_MS)
    recorder = CommandRecorder()
    app = create_app(
        load_settings({"GATEWAY_REQUESTS_PER_MINUTE": "1000000", "GATEWAY_LOG_LEVEL": "error"}), reader_environment
    )
    async with AsyncMongoClient[dict[str, Any]](
        reader_environment.connection_uri, event_listeners=[recorder]
    ) as client:
        app.state.repository = TransactionRepository(client, reader_environment.database, timeout_ms=10_000)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as http:
            yield Asker(http, collection, recorder)


def expect(found: list[Document], asked: Summary) -> dict[str, Any]:
    try:
        return summarize(found, asked, NOW_MS)
    except RefusedError as error:
        return {"code": str(error)}


@asks
@given(found=documents, asked=summaries())
@example(found=[], asked=Summary(Question(90), ("hour",), "Australia/Lord_Howe"))
@example(found=[], asked=Summary(Question(90), ("month", "week"), "America/New_York", order="KEY_DESC"))
async def test_both_styles_agree_with_the_reference(asker: Asker, found: list[Document], asked: Summary) -> None:
    """Every group, in order and to the last digit, equals the reference's in both styles; a summary is one command."""
    asker.fill(found)
    expected = expect(found, asked)
    asker.recorder.commands.clear()
    by_rest = await asker.ask_rest(asked)
    assert asker.recorder.names == ["aggregate"]
    assert by_rest == expected
    assert await asker.ask_graphql(asked) == expected


@asks
@given(found=documents, asked=summaries(), counting=st.sampled_from(COUNTING))
async def test_a_summary_that_counts_alone_has_the_same_groups(
    asker: Asker, found: list[Document], asked: Summary, counting: str
) -> None:
    """A summary without amounts has the reference's groups, and the database sums none."""
    asker.fill(found)
    expected = expect(found, asked)
    for group in expected.get("groups", ()):
        del group["amounts"]
    asker.recorder.commands.clear()
    assert await asker.ask_graphql(asked, counting) == expected
    assert asked.into or "'$sum': '$amount'" not in str(asker.recorder.commands)


@asks
@given(found=documents, keys=st.permutations(KEYS).map(lambda keys: tuple(keys[:2])), zone=st.sampled_from(ZONES))
async def test_without_days_gaps_are_filled_from_the_first_group_to_the_last(
    asker: Asker, found: list[Document], keys: tuple[str, ...], zone: str
) -> None:
    """GraphQL without days fills gaps between the first and last transaction only, or reports too many groups."""
    asker.fill(found)
    asked = Summary(Question(), keys, zone)
    assert await asker.ask_graphql(asked) == expect(found, asked)


def build_document(**changes: object) -> Document:
    """Return a document dated an hour ago with some fields changed; None removes a field."""
    document = {
        "_id": str(changes),
        "date": NOW_MS - 3_600_000,
        "currency": "USD",
        "amount": 12.5,
        "cardType": "Visa",
        "countryOrigin": "US",
    }
    return {key: value for key, value in {**document, **changes}.items() if value is not None}


@pytest.mark.parametrize(
    ("amount", "total"),
    [
        (Decimal128("123456789012.345678901"), "123456789012.345678901"),
        (7, "7.00"),
        (2**40, "1099511627776.00"),
        (-3.25, "-3.25"),
        (-0.0, "0.00"),
        (0.1 + 0.2, "0.30"),
    ],
    ids=str,
)
async def test_numbers_of_any_kind_are_summed(asker: Asker, amount: object, total: str) -> None:
    """An amount counts to its last digit, a double to its fifteenth, whatever number type is stored."""
    asker.fill([build_document(amount=amount)])
    for percentiles in ((), ("50",)):
        answer = await asker.ask_rest(Summary(Question(1), percentiles=percentiles))
        [amounts] = answer["groups"][0]["amounts"]
        assert [amounts[name] for name in ("sum", "average", "min", "max")] == [total] * 4


@pytest.mark.parametrize(
    "changes",
    [
        {"amount": None},
        {"amount": "12.50"},
        {"amount": float("nan")},
        {"amount": float("inf")},
        {"amount": 1e15},
        {"amount": Decimal128("NaN")},
        {"amount": {"value": 1}},
        {"currency": None},
        {"currency": 840},
    ],
    ids=str,
)
@pytest.mark.parametrize("into", [None, "USD"])
async def test_what_cannot_be_summed_is_omitted_and_told(
    asker: Asker, changes: dict[str, object], into: str | None
) -> None:
    """A document with a malformed amount or currency is in no group, changes no number, and is counted as omitted."""
    asker.fill([build_document(), build_document(**changes)])
    for keys in ((), ("cardType", "day")):
        for percentiles in ((), ("50",)):
            answer = await asker.ask_rest(Summary(Question(1), keys, percentiles=percentiles, into=into))
            assert answer["omitted"] == 1
            assert sum(group["count"] for group in answer["groups"]) == 1
            assert [each["sum"] for group in answer["groups"] for each in group["amounts"] if each["count"]] == [
                "12.50"
            ]


@pytest.mark.parametrize("date", [None, "today", NOW, 10**18, -(10**18), float("nan")], ids=str)
async def test_a_date_that_is_none_matters_to_the_calendar_alone(asker: Asker, date: object) -> None:
    """Without a window, a document without a usable date counts, unless a calendar key is used."""
    asker.fill([build_document(), build_document(date=date)])
    assert (await asker.ask_graphql(Summary(Question())))["groups"][0]["count"] == 2
    answer = await asker.ask_graphql(Summary(Question(), ("day",)))
    assert (len(answer["groups"]), answer["omitted"]) == (1, 1)


@pytest.mark.parametrize("date", [float(NOW_MS - 1), Decimal128(str(NOW_MS - 1)), NOW_MS - 1.5], ids=str)
async def test_dates_of_any_number_fall_in_their_bucket(asker: Asker, date: object) -> None:
    """A date stored as another number type is read as milliseconds."""
    asker.fill([build_document(date=date)])
    answer = await asker.ask_rest(Summary(Question(1), ("hour",), top=1))
    assert answer["groups"][0]["hour"] == "2026-11-20T15:00:00+00:00"


@pytest.mark.parametrize("text", [None, 7, ["Visa"], "nul \0 inside", "$dollar.dot", "", "K\u212a"], ids=repr)
async def test_a_key_may_be_missing_or_odd(asker: Asker, text: object) -> None:
    """A key that is not text is null; any text is valid, without its NUL characters."""
    asker.fill([build_document(cardType=text)])
    for keys in (("cardType",), ("day", "cardType")):
        answer = await asker.ask_rest(Summary(Question(1), keys, top=5))
        expected = text.replace("\0", "") if isinstance(text, str) else None
        assert [group["cardType"] for group in answer["groups"]] == [expected]


@pytest.mark.parametrize(
    ("amount", "start"),
    [
        (Decimal128("-1E-30"), None),
        (Decimal128("-0"), "0.00"),
        (Decimal128("4.999999999999999999999"), "2.00"),
        (5 - 4e-16, "5.00"),
        (5, "5.00"),
        (999_999.99, "500000.00"),
        (1e15 - 1, "1000000.00"),
    ],
    ids=str,
)
async def test_an_amount_is_in_the_range_of_what_is_summed_up(asker: Asker, amount: object, start: str | None) -> None:
    """A range includes its lower bound; a double counts to its fifteenth digit, whatever number type is stored."""
    asker.fill([build_document(amount=amount)])
    answer = await asker.ask_rest(Summary(Question(1), ("amountRange",)))
    assert [group["amountRange"] for group in answer["groups"]] == [start]


async def test_currencies_without_a_rate_are_named(asker: Asker) -> None:
    """Every currency without a rate is named once, however many groups it is in, even with `top`."""
    found = [build_document(_id=str(i), currency=["EUR", "gbp", "USD"][i % 3], vendor=str(i)) for i in range(60)]
    asker.fill(found)
    response = await asker.http.get("/transactions/1/summary?groupBy=vendor,hour&into=USD&top=1")
    assert response.json()["code"] == "RATE_MISSING"
    assert "'EUR', 'GBP', in which" in response.json()["detail"]


async def test_the_largest_rates_are_reckoned_with(asker: Asker) -> None:
    """The largest amount times the largest rate is given in full, with two decimals."""
    amount, rate = 10**15 - 1, 9 * 10**31
    asker.fill([build_document(amount=float(amount), currency="USD")])
    answer = await asker.ask_rest(Summary(Question(1), rates={"USD": str(rate)}, into="EUR"))
    [amounts] = answer["groups"][0]["amounts"]
    assert [amounts[name] for name in ("sum", "average", "min", "max")] == [f"{amount * rate}.00"] * 4


async def test_groups_are_bounded_but_a_top_of_them_is_not(asker: Asker) -> None:
    """More groups than the limit are refused with a code; `top` still returns the first of them."""
    asker.fill([build_document(_id=str(i), vendor=f"Vendor {i}", amount=float(i)) for i in range(10_001)])
    response = await asker.http.get("/transactions/1/summary?groupBy=vendor")
    assert (response.status_code, response.json()["code"]) == (400, "TOO_MANY_GROUPS")
    answer = await asker.ask_rest(Summary(Question(1), ("vendor",), into="USD", order="SUM_DESC", top=2))
    assert [group["vendor"] for group in answer["groups"]] == ["Vendor 10000", "Vendor 9999"]
    response = await asker.http.get("/transactions/36500/summary?groupBy=hour")
    assert response.json()["code"] == "TOO_MANY_GROUPS"


async def test_summaries_take_of_the_rows_of_an_operation(asker: Asker) -> None:
    """An operation with more summaries than its row limit allows is refused; at most the allowed ones are sent."""
    fields = " ".join(f"s{number}: transactionSummary {{ omitted }}" for number in range(21))
    asker.recorder.commands.clear()
    answer = (await asker.http.post("/graphql", json={"query": f"{{ {fields} }}"})).json()
    assert {error["extensions"]["code"] for error in answer["errors"]} == {"TOO_MANY_ROWS"}
    assert len(asker.recorder.names) <= 20


async def test_the_database_need_not_know_a_time_zone_but_for_old_dates(
    asker: Asker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A zone known only to the gateway is refused by its field's name if the database has to evaluate it."""
    monkeypatch.setattr("schema.grouping.parse_time_zone", lambda name: name)
    for module in ("schema.series", "database.zone"):
        monkeypatch.setattr(f"{module}.ZoneInfo", lambda _: ZoneInfo("UTC"))
    asker.fill([build_document()])
    question = "summary?groupBy=day&timeZone=Moon/Tycho"
    assert (await asker.http.get(f"/transactions/1/{question}")).status_code == HTTPStatus.OK
    asker.fill([build_document(date=-1)])
    response = await asker.http.get(f"/transactions/36500/{question}")
    assert (response.json()["code"], response.json()["detail"][:8]) == ("INVALID_TIME_ZONE", "timeZone")


@pytest.mark.parametrize(
    ("parameters", "code", "named"),
    [
        ("groupBy=colour", "INVALID_GROUPING", "groupBy"),
        ("groupBy=day,day", "INVALID_GROUPING", "groupBy"),
        ("groupBy=day,hour,week", "INVALID_GROUPING", "groupBy"),
        ("groupBy=", "INVALID_GROUPING", "groupBy"),
        ("top=0", "INVALID_GROUPING", "top"),
        ("top=10001", "INVALID_GROUPING", "top"),
        ("top=" + "9" * 5_000, "INVALID_GROUPING", "top"),
        ("orderBy=SUM", "INVALID_GROUPING", "orderBy"),
        ("orderBy=SUM_ASC", "INVALID_GROUPING", "into"),
        ("timeZone=", "INVALID_TIME_ZONE", "timeZone"),
        ("timeZone=../etc/passwd", "INVALID_TIME_ZONE", "timeZone"),
        ("timeZone=localtime", "INVALID_TIME_ZONE", "timeZone"),
        ("timeZone=%2B02:00", "INVALID_TIME_ZONE", "timeZone"),
        ("timeZone=Etc/GMT+5", "INVALID_TIME_ZONE", "In a URL, + is written %2B."),
        ("percentiles=101", "INVALID_PERCENTILE", "percentiles"),
        ("percentiles=-1", "INVALID_PERCENTILE", "percentiles"),
        ("percentiles=1e1", "INVALID_PERCENTILE", "percentiles"),
        ("percentiles=5,5.0", "INVALID_PERCENTILE", "percentiles"),
        ("percentiles=1,2,3,4,5,6,7,8,9,10,11", "INVALID_PERCENTILE", "percentiles"),
        ("into=EURO", "INVALID_RATE", "into"),
        ("rates=EUR:1", "INVALID_RATE", "into"),
        ("into=USD&rates=EUR", "INVALID_RATE", "rates"),
        ("into=USD&rates=EUR:0", "INVALID_RATE", "EUR"),
        ("into=USD&rates=EUR:-1", "INVALID_RATE", "EUR"),
        ("into=USD&rates=EUR:NaN", "INVALID_RATE", "EUR"),
        ("into=USD&rates=EUR:1.0000000000000001", "INVALID_RATE", "EUR"),
        ("into=USD&rates=EUR:1,eur:2", "INVALID_RATE", "EUR"),
        ("into=USD&rates=USD:2", "INVALID_RATE", "USD"),
        ("limit=5", "INVALID_PARAMETER", "limit"),
    ],
)
async def test_a_faulty_question_is_refused_by_name(asker: Asker, parameters: str, code: str, named: str) -> None:
    """An invalid parameter gets its code and a detail that names it, without a query."""
    asker.recorder.commands.clear()
    response = await asker.http.get(f"/transactions/1/summary?{parameters}")
    assert (response.status_code, response.json()["code"]) == (400, code)
    assert named in response.json()["detail"]
    assert not asker.recorder.commands


async def test_amounts_are_bounded_too(asker: Asker) -> None:
    """Groups with more amounts than the limit are refused with the remedy; grouping by currency alone is not."""
    currencies = [f"C{number}" for number in range(6)]
    asker.fill(
        [
            build_document(_id=f"{vendor} {currency}", vendor=str(vendor), currency=currency)
            for vendor in range(8_400)
            for currency in currencies
        ]
    )
    response = await asker.http.get("/transactions/1/summary?groupBy=vendor")
    assert response.json()["code"] == "TOO_MANY_GROUPS"
    assert "into" in response.json()["detail"]
    answer = await asker.ask_rest(Summary(Question(1), ("currency",)))
    assert [group["count"] for group in answer["groups"]] == [8_400] * 6
