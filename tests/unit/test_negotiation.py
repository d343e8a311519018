"""Content negotiation: a request gets the media type it prefers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import NotAcceptableError
from gateway.negotiation import choose_coding, choose_media_type

OFFERS = ["application/json", "application/x-ndjson", "text/csv"]


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        ("", "application/json"),
        ("*/*", "application/json"),
        ("text/csv", "text/csv"),
        ("TEXT/CSV", "text/csv"),
        ("text/*", "text/csv"),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "application/json"),
        ("text/csv;q=0.5, application/x-ndjson", "application/x-ndjson"),
        ("application/json;q=0, */*", "application/x-ndjson"),
        ("application/*;q=0.2, text/csv;q=0.3", "text/csv"),
        ("text/csv; header=present; q=1", "text/csv"),
    ],
)
def test_the_preferred_offer_is_chosen(accept: str, chosen: str) -> None:
    """The quality decides, then the more specific range, then the order of the offers."""
    assert choose_media_type([accept], OFFERS) == chosen


@pytest.mark.parametrize("accept", ["image/png", "text/csv;q=0", "*/*;q=0", "text/csv;q=x", "*/*;q=nan", "nonsense"])
def test_what_cannot_be_given_is_refused(accept: str) -> None:
    """An Accept header that excludes all offers is an error that lists them."""
    with pytest.raises(NotAcceptableError, match="text/csv"):
        choose_media_type([accept], OFFERS)


@pytest.mark.parametrize("lines", [["image/png", "text/csv"], ["*/*;q=0.5", "text/csv"]])
def test_all_lines_count(lines: list[str]) -> None:
    """Several Accept lines are one list (RFC 9110, section 5.3)."""
    assert choose_media_type(lines, OFFERS) == "text/csv"


def test_no_line_takes_the_first_offer() -> None:
    """A request without Accept gets the first offer."""
    assert choose_media_type([], OFFERS) == OFFERS[0]


def test_a_hundred_elements_are_looked_at() -> None:
    """A preference is found in the hundredth element of a header, and not beyond."""
    assert choose_media_type(["image/png," * 99 + "text/csv"], OFFERS) == "text/csv"
    with pytest.raises(NotAcceptableError):
        choose_media_type(["image/png," * 100 + "text/csv"], OFFERS)
    assert choose_coding(b"br," * 99 + b"gzip", ("gzip",)) == ("gzip", False)
    assert choose_coding(b"br," * 100 + b"gzip", ("gzip",)) == (None, False)


@given(accept=st.lists(st.text(max_size=80), max_size=3))
def test_any_header_chooses_an_offer_or_is_refused(accept: list[str]) -> None:
    """Any header selects an offer or raises NotAcceptableError."""
    try:
        assert choose_media_type(accept, OFFERS) in OFFERS
    except NotAcceptableError as error:
        assert "application/json" in str(error)
