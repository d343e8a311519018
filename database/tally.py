"""Numbers of documents by hour and card, in memory, and the exact dates of the hours that windows began or ended in.

It asks nothing of a server: whoever fills it says what was counted, and which changes came after.
"""

from array import array
from bisect import bisect_left, bisect_right, insort
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field

from database.cell import HOUR_MS, Cell, Place
from database.query import CardWindow

_DAY_HOURS = 24
# 8 bytes each; a cell of so many dates is read in about 50 ms, and one with more is not read at all.
MOST_DATES = 100_000
_MOST_DATES_KEPT = 1_000_000
# What a cell takes beside its dates, in dates.
_CELL_COST = 64
# Days of all cards together, at some 300 bytes each: those of 30 cards in a hundred years.
MOST_DAYS = 1_000_000


class UnfitError(Exception):
    """The data is not what a tally can be kept of; the message says why."""


@dataclass(slots=True, eq=False)
class Dates:
    """The dates of one cell, in order; None until they are read. What changes meanwhile waits.

    Attributes:
        cost: the memory that was set aside for them, in dates.
    """

    cost: int = 0
    known: "array[int] | None" = None
    waiting: list[tuple[int, int]] = field(default_factory=list)

    def fill(self, dates: Iterable[int]) -> None:
        """Take the dates that were read, and what has changed since."""
        self.known = array("q", sorted(dates))
        for date, step in self.waiting:
            self._change(self.known, date, step)
        self.waiting.clear()

    def change(self, date: int, step: int) -> None:
        """Add the date (`step` 1) or take it away (-1)."""
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
    """How many documents each cell holds at one moment.

    Attributes:
        odd: documents that only the server can judge; while there are any, no count is right.
    """

    def __init__(self) -> None:
        """Count nothing."""
        self.odd = 0
        # By card and day: 24 hours, and their sum.
        self._days: dict[str, dict[int, array[int]]] = {}
        self._size = 0
        self._dates: OrderedDict[Cell, Dates] = OrderedDict()
        self._cost = 0

    def add(self, place: Place, number: int) -> None:
        """Count documents in, or out by a negative number; raises UnfitError where that cannot be."""
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
        """Count one document in (`step` 1) or out (-1), its date too where those of its cell are kept."""
        self.add(place, step)
        if isinstance(place, Cell) and (dates := self._dates.get(place)) and isinstance(date, int | float):
            dates.change(int(date), step)
            # What is known of the present hour grows for as long as that lasts.
            self._pay(dates, step)

    def list_unknown(self, window: CardWindow) -> list[Cell]:
        """Give the cells that a window holds in part and whose dates must be read before it can be counted."""
        return [cell for cell in self._list_edges(window) if self._find_known(cell) is None]

    def is_small(self, cell: Cell) -> bool:
        """Whether the dates of a cell may be read."""
        return self._get_hours(cell.card, cell.hour, cell.hour) <= MOST_DATES

    def begin_dates(self, cell: Cell) -> Dates:
        """Keep the dates of a cell from now on; whoever asks reads them as of this moment, and fills them in."""
        dates = self._dates[cell] = Dates()
        self._pay(dates, self._get_hours(cell.card, cell.hour, cell.hour) + _CELL_COST)
        return dates

    def drop_dates(self, cell: Cell) -> None:
        """Forget the dates of a cell."""
        if dates := self._dates.pop(cell, None):
            self._cost -= dates.cost

    def _pay(self, dates: Dates, cost: int) -> None:
        """Set memory aside for dates, which those that were not asked for longest give."""
        dates.cost += cost
        self._cost += cost
        while self._cost > _MOST_DATES_KEPT:
            self.drop_dates(next(iter(self._dates)))

    def count(self, window: CardWindow) -> int | None:
        """Give the number of a window's documents, or None where the dates of an edge are not known."""
        total = self._get_hours(window.card_type.lower(), window.since // HOUR_MS, window.until // HOUR_MS)
        for cell in self._list_edges(window):
            known = self._find_known(cell)
            if known is None:
                return None
            total -= bisect_left(known, window.since) + len(known) - bisect_right(known, window.until)
        return total

    def _list_edges(self, window: CardWindow) -> list[Cell]:
        """Give the cells that a window holds in part, and that hold anything."""
        edges = set()
        if window.since % HOUR_MS:
            edges.add(window.since // HOUR_MS)
        if (window.until + 1) % HOUR_MS:
            edges.add(window.until // HOUR_MS)
        card = window.card_type.lower()
        return [Cell(card, hour) for hour in sorted(edges) if self._get_hours(card, hour, hour)]

    def _find_known(self, cell: Cell) -> "array[int] | None":
        """Give the dates of a cell if they were read; it is then the last to be forgotten."""
        dates = self._dates.get(cell)
        if dates is None:
            return None
        self._dates.move_to_end(cell)
        return dates.known

    def _get_hours(self, card: str, first: int, last: int) -> int:
        """Give the number of a card's documents from one hour to another, both inclusive."""
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
