"""Log lines: one format, one line each, and nothing secret in them."""

import json
import logging
from collections.abc import Iterator

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from gateway.log import clean_text, configure_logging
from gateway.traceparent import find_traceparent, get_trace_id

PLANTED = "4111 1111 1111 1111"


@pytest.fixture(autouse=True)
def unchanged_logging() -> Iterator[None]:
    """Restore the process-wide logging configuration after each test."""
    root, uvicorn = logging.getLogger(), logging.getLogger("uvicorn.error")
    before = (root.level, list(root.handlers), list(uvicorn.filters))
    yield
    root.level, root.handlers, uvicorn.filters = before
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def test_an_exception_is_told_without_its_words(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    """A library's exception record becomes one line with type and location, without the exception's message."""
    configure_logging("json", "info")
    try:
        int(PLANTED)
    except ValueError:
        logging.getLogger("any").exception("Failed with %s\n", PLANTED)
    [line] = capfdbinary.readouterr().err.splitlines()
    told = json.loads(line)
    assert (told["level"], told["event"], told["logger"]) == ("error", "Failed with ************", "any")
    assert told["error"] == "ValueError"
    assert told["place"].startswith(__file__)
    assert b"1111" not in line


def test_every_line_has_the_request_it_belongs_to(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    """While a request is handled, a library's log lines carry its id too."""
    configure_logging("json", "info")
    structlog.contextvars.bind_contextvars(request_id="abc")
    logging.getLogger("any").warning("Something")
    assert json.loads(capfdbinary.readouterr().err)["request_id"] == "abc"


@pytest.mark.parametrize(("level", "events"), [("info", ["one", "two"]), ("warning", ["two"]), ("error", [])])
def test_less_than_the_level_is_not_told(
    capfdbinary: pytest.CaptureFixture[bytes], level: str, events: list[str]
) -> None:
    """GATEWAY_LOG_LEVEL is the lowest level that is written."""
    configure_logging("json", level)
    logger = structlog.get_logger()
    logger.info("one")
    logger.warning("two")
    assert [json.loads(line)["event"] for line in capfdbinary.readouterr().err.splitlines()] == events


def test_text_is_one_line_without_colours(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    """In text format, a line has named values, omits unknown ones, and has no colours outside a terminal."""
    configure_logging("text", "info")
    structlog.get_logger().info("answered", status=200, code=None, question={"days": "90"})
    [line] = capfdbinary.readouterr().err.decode().splitlines()
    assert line.endswith("answered status=200 question={'days': '90'}")
    assert "code" not in line
    assert "\x1b" not in line


@given(st.text())
def test_foreign_text_is_fit_for_a_line(text: str) -> None:
    """A caller's text is logged printable, short, and without card numbers."""
    cleaned = clean_text(f"{text}4111111111111111")
    assert cleaned.isprintable()
    assert len(cleaned) <= 201
    assert "4111111111111111" not in cleaned


def test_a_number_is_hidden_before_a_text_is_cut_off() -> None:
    """Wherever a long text is truncated, no part of a card number is left at its end."""
    for before in range(180, 205):
        assert "4" not in clean_text("x" * before + "4111111111111111")


def test_of_a_traceback_the_last_line_is_told(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    """A library's message of several lines, such as a failed start's, is logged by its last line."""
    configure_logging("json", "info")
    logging.getLogger("any").error("Traceback (most recent call last):\n  File\nValueError: no port\n")
    assert json.loads(capfdbinary.readouterr().err)["event"] == "ValueError: no port"


def test_libraries_tell_warnings_alone(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    """Library messages at info are dropped, as are uvicorn's about failed requests, whose own log line says more."""
    configure_logging("json", "info")
    logging.getLogger("any").info("one")
    logging.getLogger("any").warning("two")
    logging.getLogger("uvicorn.error").error("Exception in ASGI application\n")
    logging.getLogger("uvicorn.error").error("three")
    assert [json.loads(line)["event"] for line in capfdbinary.readouterr().err.splitlines()] == ["two", "three"]


def build_headers(*values: str) -> list[tuple[bytes, bytes]]:
    return [(b"traceparent", value.encode()) for value in values]


@given(
    st.integers(1, 2**128 - 1),
    st.integers(1, 2**64 - 1),
    st.integers(0, 255),
    st.sampled_from(["00", "01", "fe"]),
)
def test_a_trace_keeps_its_id(trace_id: int, parent_id: int, flags: int, version: str) -> None:
    """A valid traceparent yields its trace id, whatever its flags and version."""
    more = "-more" if version != "00" else ""
    given_text = f"{version}-{trace_id:032x}-{parent_id:016x}-{flags:02x}{more}"
    found = find_traceparent(build_headers(given_text))
    assert found == given_text
    assert get_trace_id(found) == f"{trace_id:032x}"


TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


@pytest.mark.parametrize(
    "values",
    [
        (),
        ("",),
        ("4111111111111111",),
        (f"00-{TRACE}-{PARENT}",),
        (f"00-{TRACE.upper()}-{PARENT}-01",),
        (f"00-{'0' * 32}-{PARENT}-01",),
        (f"00-{TRACE}-{'0' * 16}-01",),
        (f"ff-{TRACE}-{PARENT}-01",),
        (f"00-{TRACE}-{PARENT}-01-more",),
        (f"00-{TRACE}-{PARENT}-01", f"00-{TRACE}-{PARENT}-01"),
    ],
)
def test_an_invalid_traceparent_counts_as_none(values: tuple[str, ...]) -> None:
    """A traceparent that is invalid by the standard, or given twice, counts as missing."""
    assert find_traceparent(build_headers(*values)) is None
