"""Load a gateway with several clients until it refuses connections, and print the outcome of the requests.

deploy/image/stop.py runs this in the gateway's network, where no proxy accepts connections to a closed port; only
Python is available. Arguments: the port, and a key with the scope transactions:read. It prints a line once the load is
steady, then counts as JSON: by status, `refused` by the closed port, and `lost`, which were sent but got no complete
answer.
"""

import itertools
import json
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection, HTTPException

# Half of the clients keep their connection, the others open one for each request. A single worker admits four requests
# and queues eight (gateway/admission.py): with more clients, a 503 could come from overload instead of the stop.
_SIDES = 12
# By then, the clients are spread over all stages between connecting and the end of an answer.
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
            print("steady", flush=True)  # noqa: T201 - for the process that runs this


def main(port: str, key: str) -> None:
    """Send requests until the last client is refused."""
    # `next` on it is atomic across threads.
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
