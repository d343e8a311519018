"""Check that all programs give the same answer, before anything is measured: a fast wrong answer is worthless."""

from collections.abc import Callable, Mapping
from itertools import zip_longest

import httpx

from benchmarks.question import Ask, Row, read_answer

_TIMEOUT_SECONDS = 60
# The window moves with the clock: a transaction may leave it between two answers, but not on every try.
_TRIES = 5


class DisagreementError(Exception):
    """Two programs answer the same request differently, or one fails; the message says which and how."""


Answerer = Callable[[], bytes]


def fetch_answer(url: str, ask: Ask) -> bytes:
    """Return the body of a program's answer.

    Raises:
        DisagreementError: the answer is an error, or there is none.
    """
    method = "GET" if ask.body is None else "POST"
    headers = {"Content-Type": "application/json"} if ask.body else {}
    try:
        answer = httpx.request(method, url + ask.path, content=ask.body, headers=headers, timeout=_TIMEOUT_SECONDS)
    except httpx.TransportError as error:
        raise DisagreementError(f"{url}{ask.path} does not answer: {error}") from error
    if answer.status_code != httpx.codes.OK:
        raise DisagreementError(f"{url}{ask.path} answers with {answer.status_code}: {answer.text[:200]}")
    return answer.content


def check_agreement(ours: Answerer, others: Mapping[str, Answerer]) -> None:
    """Compare the answers of other programs, by name, with ours.

    Raises:
        DisagreementError: one of them differs or cannot be read.
    """
    for name, theirs in others.items():
        _check_pair(ours, name, theirs)


def _check_pair(ours: Answerer, name: str, theirs: Answerer) -> None:
    difference = None
    for _ in range(_TRIES):
        before, answer, after = _read(ours), _read(theirs), _read(ours)
        if answer in (before, after):
            return
        difference = _find_difference(after, answer)
        if before == after:
            break
    raise DisagreementError(f"{name} does not say what the gateway says: {difference}")


def _read(answerer: Answerer) -> list[Row] | int:
    try:
        return read_answer(answerer())
    except ValueError as error:
        raise DisagreementError(str(error)) from error


def _find_difference(ours: list[Row] | int, theirs: list[Row] | int) -> str:
    if isinstance(ours, int) or isinstance(theirs, int):
        return f"{_describe(theirs)} instead of {_describe(ours)}."
    row = next(number for number, (mine, other) in enumerate(zip_longest(ours, theirs)) if mine != other)
    return f"{_describe(theirs)} instead of {_describe(ours)}; row {row} is the first that differs."


def _describe(answer: list[Row] | int) -> str:
    return f"a count of {answer}" if isinstance(answer, int) else f"{len(answer)} rows"
