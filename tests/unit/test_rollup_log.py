"""The log says where counts come from, and why, each time that this changes."""

from structlog.testing import capture_logs

from gateway.rollup_log import RollupLog


def test_each_change_is_logged_once() -> None:
    """While a document is left to the database one line says so; one says that it is over, and the next one counts."""
    log = RollupLog()
    with capture_logs() as lines:
        log.note_build(3, 0.5)
        for _ in range(2):
            log.note_count(from_memory=True)
            for _ in range(3):
                log.note_odd()
                log.note_count(from_memory=False)
        log.note_count(from_memory=True)
    memory, database = "counts come from memory", "counts come from the database"
    assert [line["event"] for line in lines] == [memory, database, memory, database, memory]
