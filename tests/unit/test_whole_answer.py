"""Responses in one piece: complete, or replaced by an error."""

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
    """Return the messages sent to the caller, with a limit of `most_bytes` beyond the allowance for heads."""
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
    """Return how many bytes a body takes in Lambda's JSON, which its client writes in ASCII."""
    return len(json.dumps(body.decode() if is_text else base64.b64encode(body).decode())) - (0 if is_text else 2)


@given(text=st.text(max_size=50), is_text=st.booleans())
async def test_an_answer_is_whole_or_an_error(text: str, *, is_text: bool) -> None:
    """A body is delivered up to the limit, as text or in base64, and not if it takes one byte more."""
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
    """The parts of a response become one body, whose bytes are limited together."""
    parts = [b'["aaaaaaaa",', b'"bbbbbbbb"]']
    assert (await take(answer_with(parts, JSON)))[1]["body"] == b"".join(parts)
    with pytest.raises(AnswerNotDeliverableError):
        await take(answer_with(parts, JSON), len(parts[0]) + 10)


@pytest.mark.parametrize(("path", "named"), [("/graphql", "first: "), ("/transactions/90", "limit=")])
async def test_too_large_an_answer_names_the_pages(path: str, named: str) -> None:
    """The error for a too large response says how to request a part of it."""
    with pytest.raises(AnswerNotDeliverableError, match=named):
        await take(answer_with([b"x" * 2_000], JSON), path=path)


async def test_head_has_no_body() -> None:
    """A response to HEAD has no body; servers drop it, but here no server does."""
    assert (await take(answer_with([b"{}"], JSON), is_head=True))[1]["body"] == b""


async def test_events_are_refused() -> None:
    """An endless stream is an error before any of it is sent; one of known length is not."""
    with pytest.raises(AnswerNotDeliverableError, match="Events"):
        await take(answer_with([], EVENTS))
    assert await take(answer_with([b"data: x\n\n"], EVENTS, (b"content-length", b"9")))


async def test_what_breaks_an_answer_off_is_told_instead() -> None:
    """An error after the response has begun is what the caller gets, although the framework has wrapped it."""
    error = DatabaseUnavailableError("away")

    async def break_off(send: Send) -> None:
        await answer_with([b"["], JSON)(send)
        raise RuntimeError from error

    with pytest.raises(DatabaseUnavailableError, match="away"):
        await take(break_off)


async def test_work_that_was_given_up_is_no_answer() -> None:
    """If the application sends nothing, nothing is delivered."""

    async def give_up(_send: Send) -> None:
        """Send nothing."""

    assert await take(give_up) == []
