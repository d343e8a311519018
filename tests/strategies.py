"""Random documents and questions, close enough to each other that the questions find something."""

from decimal import Decimal

from hypothesis import strategies as st

from tests.reference import DAY_MS, Document, Question

CARD_TYPES = ["Visa", "VISA", "visa", "Mastercard", "Amex", "Maestro", "Discover", "Carte Bleue", "Ünion", "$ne", "a/b"]
COUNTRIES = ["US", "us", "GB", "DE", "FR", "XK"]
# Few values, so that many rows share a date or an amount and only their ids tell them apart.
AMOUNTS = ["0.0", "0.01", "9.99", "10.0", "99.99", "100.0", "100.01", "999.0", "123456789012.34"]
DAYS = [0, 1, 2, 30, 90, 365, 36_500]
ORDERS = ["DATE_DESC", "DATE_ASC", "AMOUNT_DESC", "AMOUNT_ASC"]

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12) | st.sampled_from(
    ['"quoted", with a comma', "two\nlines", "=1+1", "naïve 🏦", ""]
)
amounts = st.sampled_from(AMOUNTS) | st.integers(0, 10_000_000).map(lambda cents: str(Decimal(cents) / 100))


def documents(offsets: st.SearchStrategy[int], now_ms: int) -> st.SearchStrategy[list[Document]]:
    """Lists of documents whose dates are `now_ms` less an offset in ms."""
    document = st.fixed_dictionaries(
        {
            "_id": st.uuids(version=4).map(str),
            "date": offsets.map(lambda offset: now_ms - offset),
            "currency": st.sampled_from(["USD", "EUR", "JPY"]),
            "amount": amounts.map(float),
            "vendor": texts,
            "address": texts,
            "cardType": st.sampled_from(CARD_TYPES),
            "cardNumber": st.sampled_from(["4111111111111111", "378282246310005", "6759649826438453"]),
            "countryOrigin": st.sampled_from(COUNTRIES),
        }
    )
    return st.lists(document, max_size=40, unique_by=lambda found: found["_id"])


# Both sides of both ends of each window, to the millisecond.
edge_offsets = st.sampled_from([days * DAY_MS + step for days in DAYS[:-1] for step in (-1, 0, 1)])
# Away from every end, so that the moment a process reads its clock does not matter.
inner_offsets = st.sampled_from([days * DAY_MS + side for days in DAYS[:-1] for side in (-3_600_000, 3_600_000)])


@st.composite
def questions(draw: st.DrawFn) -> Question:
    """Questions with any conditions and any order; a range of amounts is never reversed."""
    amount = st.none() | amounts
    low, high = draw(amount), draw(amount)
    if low is not None and high is not None and Decimal(low) > Decimal(high):
        low, high = high, low
    return Question(
        days=draw(st.none() | st.sampled_from(DAYS)),
        card_type=draw(st.none() | st.sampled_from(CARD_TYPES)),
        country=draw(st.none() | st.sampled_from(COUNTRIES)),
        min_amount=low,
        max_amount=high,
        order=draw(st.sampled_from(ORDERS)),
    )
