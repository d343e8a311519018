"""The arithmetic of counts in memory, compared with a plain list of dates."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from database import tally as tally_module
from database.cell import HOUR_MS, find_cell, get_hour
from database.query import CardWindow
from database.tally import Tally, UnfitError

CARDS = ("Visa", "VISA", "Amex")
dates = st.integers(-3, 80).flatmap(
    lambda hour: st.sampled_from([-1, 0, 1, HOUR_MS // 2, HOUR_MS - 1]).map(lambda offset: hour * HOUR_MS + offset)
)
# Each document: card, date, whether it is in the snapshot, and whether it is deleted later.
documents = st.lists(st.tuples(st.sampled_from(CARDS), dates, st.booleans(), st.booleans()), max_size=40)


def build_tally(found: list[tuple[str, int]]) -> Tally:
    """Return a tally of a snapshot."""
    tally = Tally()
    for place, number in Counter(find_cell(get_hour(date), card) for card, date in found).items():
        tally.add(place, number)
    return tally


def change(tally: Tally, card: str, date: int, step: int) -> None:
    tally.change(find_cell(get_hour(date), card), date, step)


@given(found=documents, card=st.sampled_from(["visa", "aMEX", "other"]), ends=st.tuples(dates, dates))
def test_a_window_is_counted_as_a_list_is(
    found: list[tuple[str, int, bool, bool]], card: str, ends: tuple[int, int]
) -> None:
    """With additions and deletions before, during and after loading the edges' dates, the count equals the list's."""
    window = CardWindow(card, min(ends), max(ends))
    held = [(each, date) for each, date, is_first, _ in found if is_first]
    tally = build_tally(held)
    reading = [(cell, tally.begin_dates(cell), list(held)) for cell in tally.list_unknown(window)]
    for each, date, is_first, _ in found:
        if not is_first:
            change(tally, each, date, 1)
            held.append((each, date))
    for cell, known, as_of_then in reading:
        known.fill(date for each, date in as_of_then if find_cell(get_hour(date), each) == cell)
    for each, date, _, goes in found:
        if goes:
            change(tally, each, date, -1)
            held.remove((each, date))
    for cell in tally.list_unknown(window):
        tally.begin_dates(cell).fill(date for each, date in held if find_cell(get_hour(date), each) == cell)
    expected = sum(each.lower() == card.lower() and window.since <= date <= window.until for each, date in held)
    assert tally.count(window) == expected


@given(hours=st.integers(0, 100 * 366 * 24), span=st.integers(0, 100 * 366 * 24))
def test_a_window_of_whole_hours_needs_no_dates(hours: int, span: int) -> None:
    """A window from the start of one hour to the end of another is a sum of hours and days."""
    every = 7 * HOUR_MS
    held = [("Visa", number * every) for number in range(2_000)]
    window = CardWindow("visa", hours * HOUR_MS, (hours + span + 1) * HOUR_MS - 1)
    expected = sum(window.since <= date <= window.until for _, date in held)
    assert build_tally(held).count(window) == expected


def test_the_dates_of_an_edge_that_was_not_asked_for_longest_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory for dates is bounded: the least recently used cells are dropped."""
    monkeypatch.setattr(tally_module, "_MOST_DATES_KEPT", 200)
    tally = build_tally([("Visa", hour * HOUR_MS + 5) for hour in range(4)])
    windows = [CardWindow("Visa", hour * HOUR_MS + 1, (hour + 1) * HOUR_MS - 1) for hour in range(4)]
    for number, window in enumerate(windows):
        for cell in tally.list_unknown(window):
            tally.begin_dates(cell).fill([cell.hour * HOUR_MS + 5])
        assert tally.count(windows[0] if number < 3 else window) == 1
    assert [tally.count(window) for window in windows] == [1, None, 1, 1]


def test_the_dates_of_an_hour_that_grows_take_the_place_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory for dates stays bounded when dates are added to an hour after its dates were loaded."""
    monkeypatch.setattr(tally_module, "_MOST_DATES_KEPT", 200)
    tally = build_tally([("Visa", hour * HOUR_MS + 5) for hour in range(2)])
    windows = [CardWindow("Visa", hour * HOUR_MS + 1, (hour + 1) * HOUR_MS - 1) for hour in range(2)]
    for window in windows:
        for cell in tally.list_unknown(window):
            tally.begin_dates(cell).fill([cell.hour * HOUR_MS + 5])
    for number in range(100):
        change(tally, "Visa", HOUR_MS + 5, 1)
        assert tally.count(windows[1]) == number + 2
    assert tally.count(windows[0]) is None


def test_scattered_dates_are_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """More days and card types than memory is meant for are refused."""
    monkeypatch.setattr(tally_module, "MOST_DAYS", 2)
    tally = build_tally([("Visa", 0), ("Amex", 0), ("visa", 5)])
    with pytest.raises(UnfitError, match="scattered"):
        change(tally, "Visa", 24 * HOUR_MS, 1)


def test_what_was_never_counted_cannot_go() -> None:
    """A deletion that would make a count negative shows that the tally is wrong."""
    with pytest.raises(UnfitError, match="never counted"):
        change(build_tally([("Visa", 0)]), "Amex", 0, -1)


def test_a_date_that_was_never_counted_cannot_go() -> None:
    """Deleting a date that its hour does not hold shows that the tally is wrong, once the dates are loaded."""
    tally = build_tally([("Visa", 5), ("Visa", 9)])
    [cell] = tally.list_unknown(CardWindow("visa", 1, HOUR_MS - 1))
    tally.begin_dates(cell).fill([5, 9])
    with pytest.raises(UnfitError, match="never counted"):
        change(tally, "Visa", 7, -1)


def test_an_hour_of_many_dates_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """The dates of a cell may be loaded up to a maximum number, and not at all beyond it."""
    monkeypatch.setattr(tally_module, "MOST_DATES", 2)
    tally = build_tally([("Visa", 5), ("Visa", 9), ("Visa", HOUR_MS + 5)])
    [cell] = tally.list_unknown(CardWindow("visa", 1, HOUR_MS - 1))
    assert tally.is_small(cell)
    change(tally, "Visa", 7, 1)
    assert not tally.is_small(cell)
