"""Run the script of `helm test` against a real gateway and MongoDB: it must pass, and fail with the wrong keys."""

from deploy.chart import CHART
from deploy.checks import CheckError
from deploy.stand import PYTHON, open_gateway
from deploy.tool import require, run_program

_QUESTIONS = 8


def run() -> int:
    """Run the chart's test against a gateway.

    Raises:
        CheckError: the test finds a fault, or finds none where there is one.
    """
    script = CHART / "files/ask.py"
    with open_gateway() as stand:
        address = ("127.0.0.1", str(stand.port))
        keys = (stand.folder / "transactions", stand.folder / "metrics")
        answered = require(PYTHON, script, *address, *keys)
        # With the keys swapped: a key for metrics must not give access to transactions.
        done = run_program(PYTHON, script, *address, *reversed(keys))
    if answered.count("ok ") != _QUESTIONS:
        raise CheckError(f"deploy/helm/files/ask.py did not ask {_QUESTIONS} questions:\n{answered}")
    if done.returncode != 1 or "FAULT 403" not in done.stdout:
        raise CheckError(f"deploy/helm/files/ask.py is content with the wrong keys:\n{done.stdout}{done.stderr}")
    return _QUESTIONS + 1
