"""Answers in one piece: whole, or an error in their place."""

import base64
import json
from collections.abc import Awaitable, Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import Message, Receive, Scope, Send

from database.errors import DatabaseUnavailableError
from gateway.errors import AnswerNotDeliverableError
from gateway.whole_answer import _HEAD_BYTES, MOST_BYTES, WholeAnswerMiddleware

Answer = Callable[[Send], Awaitable[None]]
JSON = (b"content-type", b"application/json")
GZIP = (b"content-encoding", b"gzip")
EVENTS = (b"content-type", b"text/event-stream; charset=utf-8")


def answer_with(parts: list[bytes], *headers: tuple[bytes, bytes]) -> Answer:
    async def answer(send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": list(headers)})
        for part in parts:
            await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body"})

    return answer


async def take(answer: Answer, most_bytes: int = 1_000, *, path: str = "/", is_head: bool = False) -> list[Message]:
    """Give what the caller is sent, whose bound is so many bytes beyond those that heads are given."""
    sent: list[Message] = []

    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        await answer(send)

    async def receive() -> Message:
        raise AssertionError

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "http", "path": path, MOST_BYTES: _HEAD_BYTES + most_bytes, "state": {"is_head": is_head}}
    await WholeAnswerMiddleware(app)(scope, receive, send)
    return sent


def count_handed_over(body: bytes, *, is_text: bool) -> int:
    """Give the bytes that Lambda's JSON, which its client writes in ASCII, takes for a body."""
    return len(json.dumps(body.decode() if is_text else base64.b64encode(body).decode())) - (0 if is_text else 2)


@given(text=st.text(max_size=50), is_text=st.booleans())
async def test_an_answer_is_whole_or_an_error(text: str, *, is_text: bool) -> None:
    """A body is handed over up to the bound, as text or in base64, and not where it takes one byte more."""
    body = text.encode()
    headers = [JSON] if is_text else [JSON, GZIP]
    size = count_handed_over(body, is_text=is_text)
    head, whole = await take(answer_with([body], *headers), size + (2 if is_text else 0))
    assert head["status"] == 200
    assert whole["body"] == body
    if size > 2:
        with pytest.raises(AnswerNotDeliverableError, match="larger than"):
            await take(answer_with([body], *headers), size - 1)


async def test_parts_are_handed_over_together() -> None:
    """The parts of an answer become one body, whose bytes are bounded together."""
    parts = [b'["aaaaaaaa",', b'"bbbbbbbb"]']
    assert (await take(answer_with(parts, JSON)))[1]["body"] == b"".join(parts)
    with pytest.raises(AnswerNotDeliverableError):
        await take(answer_with(parts, JSON), len(parts[0]) + 10)


@pytest.mark.parametrize(("path", "named"), [("/graphql", "first: "), ("/transactions/90", "limit=")])
async def test_too_large_an_answer_names_the_pages(path: str, named: str) -> None:
    """Who is told that an answer is too large is told how to ask for a part of it."""
    with pytest.raises(AnswerNotDeliverableError, match=named):
        await take(answer_with([b"x" * 2_000], JSON), path=path)


async def test_head_has_no_body() -> None:
    """Servers drop the body of an answer to HEAD; here nobody else does."""
    assert (await take(answer_with([b"{}"], JSON), is_head=True))[1]["body"] == b""


async def test_events_are_refused() -> None:
    """A stream without an end is an error before any of it is there; one of a known length is not."""
    with pytest.raises(AnswerNotDeliverableError, match="Events"):
        await take(answer_with([], EVENTS))
    assert await take(answer_with([b"data: x\n\n"], EVENTS, (b"content-length", b"9")))


async def test_what_breaks_an_answer_off_is_told_instead() -> None:
    """An error after the answer had begun is what the caller is told; the framework has wrapped it by then."""
    error = DatabaseUnavailableError("away")

    async def break_off(send: Send) -> None:
        await answer_with([b"["], JSON)(send)
        raise RuntimeError from error

    with pytest.raises(DatabaseUnavailableError, match="away"):
        await take(break_off)


async def test_work_that_was_given_up_is_no_answer() -> None:
    """Where the application sends nothing, nothing is handed over."""

    async def give_up(_send: Send) -> None:
        """Send nothing."""

    assert await take(give_up) == []
