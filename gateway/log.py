"""Writes the log on stderr: one format, JSON or text, for all of the gateway's processes and the libraries' loggers.

It must not log an exception's text, which may quote a card number, but only its type and where it was raised.
"""

import logging
import sys
from types import TracebackType
from typing import Any

import orjson
import structlog
from structlog.typing import EventDict, Processor

from database.errors import hide_secrets

_LONGEST_TEXT = 200


def configure_logging(log_format: str, log_level: str) -> None:
    """Configure this process's log: its format, `text` or `json`, and the lowest level that is written."""
    level = logging.getLevelNamesMapping()[log_level.upper()]
    render = _render_json if log_format == "json" else _build_text_renderer()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
            _describe_exception,
            render,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.BytesLoggerFactory(sys.stderr.buffer),
        cache_logger_on_first_use=True,
    )
    # What libraries log at info is of use only to their developers.
    logging.basicConfig(level=max(level, logging.WARNING), handlers=[_Bridge()], force=True)
    # gateway/observation.py logs failures in the application, with all that is known of the request.
    logging.getLogger("uvicorn.error").addFilter(lambda record: not str(record.msg).startswith("Exception in ASGI"))


def clean_text(text: str) -> str:
    """Make a text from outside safe for a log line: no card number, no control character, limited length."""
    # Masked before anything is cut off: part of a card number would not be recognised as one.
    text = hide_secrets(text)
    if not text.isprintable():
        text = text.encode("unicode_escape").decode("ascii")
    return text if len(text) <= _LONGEST_TEXT else text[:_LONGEST_TEXT] + "…"


def describe_exception(error: BaseException) -> dict[str, str]:
    """Return an exception's type and the place where it was raised."""
    trace: TracebackType | None = error.__traceback__
    if trace is None:
        return {"error": type(error).__name__}
    while trace.tb_next is not None:
        trace = trace.tb_next
    return {"error": type(error).__name__, "place": f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}"}


class _Bridge(logging.Handler):
    """Passes the records of the standard library's loggers to structlog."""

    def emit(self, record: logging.LogRecord) -> None:
        # Starlette logs the traceback of a failed start as a message; its last line names the error.
        event = clean_text(record.getMessage().strip().rpartition("\n")[2])
        error = record.exc_info[1] if record.exc_info else None
        structlog.get_logger().log(record.levelno, event, logger=record.name, **({"exc_info": error} if error else {}))


def _describe_exception(_logger: object, _method: str, line: EventDict) -> EventDict:
    error = line.pop("exc_info", None)
    if isinstance(error, BaseException):
        line.update(describe_exception(error))
    return line


def _render_json(_logger: object, _method: str, line: EventDict) -> bytes:
    first = {name: line.pop(name) for name in ("time", "level", "event")}
    return orjson.dumps({**first, **line}, default=str)


def _build_text_renderer() -> Processor:
    console = structlog.dev.ConsoleRenderer(
        colors=sys.stderr.isatty(), timestamp_key="time", sort_keys=False, pad_event_to=0
    )

    def render(logger: Any, method: str, line: EventDict) -> bytes:  # noqa: ANN401 - as in structlog
        return console(logger, method, {name: value for name, value in line.items() if value is not None}).encode()

    return render
