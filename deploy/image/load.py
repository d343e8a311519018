"""Asks a gateway from several sides until it refuses connections, and prints what became of each request.

deploy/image/stop.py runs it inside the gateway's network, where no proxy accepts for a port that is closed; it has
nothing but Python. Arguments: the port, and a key of the scope transactions:read. It prints a line when the load is
steady, then the counts as JSON: by status, `refused` by the closed port, and `lost`, which were sent and got no whole
answer.
"""

import itertools
import json
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection, HTTPException

# Half of them keep their connection, the others open one for each request. A single worker lets four in and has eight
# wait (gateway/admission.py): with more than these, a 503 might be the overload's and no fault of the stop.
_SIDES = 12
# From here on all sides are somewhere between a connection and the end of an answer, each elsewhere.
_STEADY_ANSWERS = 200
_SECONDS = 30
_GRAPHQL = json.dumps({"query": "{ transactions(filter: {days: 90}, first: 50) { totalCount nodes { id amount } } }"})
_QUESTIONS: tuple[tuple[str, str, str | None], ...] = (
    ("GET", "/transactions/90/card/Visa", None),
    ("POST", "/graphql", _GRAPHQL),
    ("GET", "/transactions/90/country/US?limit=100", None),
    # Thousands of rows, streamed.
    ("GET", "/transactions/30", None),
)


def _ask_until_refused(port: int, key: str, *, keeps: bool, answers: Iterator[int]) -> Counter[str]:
    headers = {"X-API-Key": key, "Content-Type": "application/json"}
    counts: Counter[str] = Counter()
    connection: HTTPConnection | None = None
    questions = itertools.cycle(_QUESTIONS)
    while True:
        method, path, body = next(questions)
        if connection is None:
            connection = HTTPConnection("127.0.0.1", port, timeout=_SECONDS)
            try:
                connection.connect()
            except ConnectionRefusedError:
                counts["refused"] += 1
                return counts
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            answer.read()
        except (OSError, HTTPException) as error:
            counts["lost"] += 1
            counts[f"lost by {type(error).__name__}, {'kept' if keeps else 'new'}"] += 1
            connection.close()
            connection = None
            continue
        counts[str(answer.status)] += 1
        if answer.will_close or not keeps:
            connection.close()
            connection = None
        if next(answers) == _STEADY_ANSWERS:
            print("steady", flush=True)  # noqa: T201 - for who runs it


def main(port: str, key: str) -> None:
    """Ask until the last side is refused."""
    # Its steps are not broken up among threads.
    answers = itertools.count(1)
    with ThreadPoolExecutor(_SIDES) as sides:
        running = [
            sides.submit(_ask_until_refused, int(port), key, keeps=number % 2 == 0, answers=answers)
            for number in range(_SIDES)
        ]
        total = sum((each.result() for each in running), Counter())
    print(json.dumps(total))  # noqa: T201 - as above


if __name__ == "__main__":
    main(*sys.argv[1:])
