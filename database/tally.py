"""In-memory counts of documents by hour and card, and the exact dates in hours that windows cover only in part.

It never accesses a server: its owner adds the initial counts and the later changes.
"""

from array import array
from bisect import bisect_left, bisect_right, insort
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field

from database.cell import HOUR_MS, Cell, Place
from database.query import CardWindow

_DAY_HOURS = 24
# 8 bytes each; reading a cell with this many dates takes about 50 ms, and larger cells are not read.
MOST_DATES = 100_000
_MOST_DATES_KEPT = 1_000_000
# The overhead of a cell, in units of a date.
_CELL_COST = 64
# Days over all cards, at some 300 bytes each: about 30 cards for a hundred years.
MOST_DAYS = 1_000_000


class UnfitError(Exception):
    """No tally can be kept of this data; the message says why."""


@dataclass(slots=True, eq=False)
class Dates:
    """The sorted dates of one cell; changes wait until the dates are read.

    Attributes:
        cost: the memory reserved for them, in units of a date.
        known: the dates, or None until they are read.
        waiting: the changes since the moment of the reading, each a date and a step of 1 or -1.
    """

    cost: int = 0
    known: "array[int] | None" = None
    waiting: list[tuple[int, int]] = field(default_factory=list)

    def fill(self, dates: Iterable[int]) -> None:
        """Store the dates that were read, and apply the changes that waited."""
        self.known = array("q", sorted(dates))
        for date, step in self.waiting:
            self._change(self.known, date, step)
        self.waiting.clear()

    def change(self, date: int, step: int) -> None:
        """Add the date (`step` 1) or remove it (-1)."""
        if self.known is None:
            self.waiting.append((date, step))
        else:
            self._change(self.known, date, step)

    @staticmethod
    def _change(known: "array[int]", date: int, step: int) -> None:
        if step > 0:
            insort(known, date)
            return
        index = bisect_left(known, date)
        if index == len(known) or known[index] != date:
            raise UnfitError("a document was deleted that was never counted")
        del known[index]


class Tally:
    """The number of documents in each cell at one moment.

    Attributes:
        odd: the number of documents that only the server can match; unless it is 0, no count is reliable.
    """

    def __init__(self) -> None:
        """Start empty."""
        self.odd = 0
        # By card and day: the counts of 24 hours, and their sum.
        self._days: dict[str, dict[int, array[int]]] = {}
        self._size = 0
        self._dates: OrderedDict[Cell, Dates] = OrderedDict()
        self._cost = 0

    def add(self, place: Place, number: int) -> None:
        """Add a number of documents, which may be negative; raise UnfitError if that is impossible."""
        if place is None:
            return
        if place == "odd":
            self.odd += number
            return
        number_of_day, hour = divmod(place.hour, _DAY_HOURS)
        days = self._days.setdefault(place.card, {})
        day = days.get(number_of_day)
        if day is None:
            self._size += 1
            if self._size > MOST_DAYS:
                raise UnfitError("the dates and card types are too many and too scattered")
            day = days[number_of_day] = array("q", bytes(8 * (_DAY_HOURS + 1)))
        day[hour] += number
        day[_DAY_HOURS] += number
        if day[hour] < 0:
            raise UnfitError("a document was deleted that was never counted")

    def change(self, place: Place, date: object, step: int) -> None:
        """Add (`step` 1) or remove (-1) one document, and its date if those of its cell are kept."""
        self.add(place, step)
        if isinstance(place, Cell) and (dates := self._dates.get(place)) and isinstance(date, int | float):
            dates.change(int(date), step)
            # The dates of the current hour keep growing.
            self._reserve(dates, step)

    def list_unknown(self, window: CardWindow) -> list[Cell]:
        """Return the cells that a window covers in part and whose dates must be read before it can be counted."""
        return [cell for cell in self._list_edges(window) if self._find_known(cell) is None]

    def is_small(self, cell: Cell) -> bool:
        """Return whether a cell has few enough dates to read."""
        return self._get_hours(cell.card, cell.hour, cell.hour) <= MOST_DATES

    def begin_dates(self, cell: Cell) -> Dates:
        """Keep the dates of a cell from now on; the caller must read them as of this moment and fill them in."""
        dates = self._dates[cell] = Dates()
        self._reserve(dates, self._get_hours(cell.card, cell.hour, cell.hour) + _CELL_COST)
        return dates

    def drop_dates(self, cell: Cell) -> None:
        """Forget the dates of a cell."""
        if dates := self._dates.pop(cell, None):
            self._cost -= dates.cost

    def _reserve(self, dates: Dates, cost: int) -> None:
        """Reserve memory for dates, and drop the least recently used cells if the total exceeds the limit."""
        dates.cost += cost
        self._cost += cost
        while self._cost > _MOST_DATES_KEPT:
            self.drop_dates(next(iter(self._dates)))

    def count(self, window: CardWindow) -> int | None:
        """Return the number of a window's documents, or None if the dates of an edge are unknown."""
        total = self._get_hours(window.card_type.lower(), window.since // HOUR_MS, window.until // HOUR_MS)
        for cell in self._list_edges(window):
            known = self._find_known(cell)
            if known is None:
                return None
            total -= bisect_left(known, window.since) + len(known) - bisect_right(known, window.until)
        return total

    def _list_edges(self, window: CardWindow) -> list[Cell]:
        """Return the cells that a window covers only in part and that are not empty."""
        edges = set()
        if window.since % HOUR_MS:
            edges.add(window.since // HOUR_MS)
        if (window.until + 1) % HOUR_MS:
            edges.add(window.until // HOUR_MS)
        card = window.card_type.lower()
        return [Cell(card, hour) for hour in sorted(edges) if self._get_hours(card, hour, hour)]

    def _find_known(self, cell: Cell) -> "array[int] | None":
        """Return the dates of a cell, or None if they were not read; mark the cell as most recently used."""
        dates = self._dates.get(cell)
        if dates is None:
            return None
        self._dates.move_to_end(cell)
        return dates.known

    def _get_hours(self, card: str, first: int, last: int) -> int:
        """Return the number of a card's documents from one hour to another, both inclusive."""
        days = self._days.get(card, {})
        (first_day, begin), (last_day, end) = divmod(first, _DAY_HOURS), divmod(last, _DAY_HOURS)
        if first_day == last_day:
            return sum(days[first_day][begin : end + 1]) if first_day in days else 0
        total = sum(days[first_day][begin:_DAY_HOURS]) if first_day in days else 0
        total += sum(days[last_day][: end + 1]) if last_day in days else 0
        if last_day - first_day > len(days):
            between = (day[_DAY_HOURS] for number, day in days.items() if first_day < number < last_day)
        else:
            between = (days[number][_DAY_HOURS] for number in range(first_day + 1, last_day) if number in days)
        return total + sum(between)
