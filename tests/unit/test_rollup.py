"""How loading dates shares the event loop."""

import asyncio
from typing import Any, cast

from bson.timestamp import Timestamp

from database.cell import Cell
from database.change_tail import ChangeTail
from database.rollup import Rollup, _State
from database.tally import Dates, Tally
from tests.rollup import NOW_MS, Watcher

CELL = Cell("visa", 0)
MOMENT = Timestamp(1, 1)


class ReadyDatabase:
    """A stand-in for a database whose reply needs no waiting."""

    async def command(self, _command: dict[str, Any]) -> dict[str, Any]:
        return {"cursor": {"firstBatch": [{"_id": None, "dates": [NOW_MS]}], "id": 0}}


async def test_the_event_loop_goes_round_between_decoding_dates_and_keeping_them() -> None:
    """Decoding dates and storing them happen in separate iterations, as each takes long for a large cell."""
    rollup = Rollup(cast("Any", {"": ReadyDatabase()}), "", Watcher())
    state = _State(Tally(), cast("ChangeTail", None))
    dates = Dates()
    state.loads[CELL] = asyncio.create_task(rollup._read_dates(state, CELL, dates, MOMENT))  # noqa: SLF001 - what a count waits for
    await asyncio.sleep(0)
    is_kept_at_once = dates.known is not None
    await asyncio.sleep(0)
    assert not is_kept_at_once
    assert dates.known is not None
    assert list(dates.known) == [NOW_MS]
