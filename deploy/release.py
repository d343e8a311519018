"""Release the chart to the current context and test it: `python -m deploy.release ENVIRONMENT REPOSITORY DIGEST`.

A release that does not come up or fails `helm test` is rolled back to the previous revision, if there is one.
"""

import json
import sys

from deploy.chart import CHART, ENVIRONMENTS, get_helm
from deploy.checks import CheckError
from deploy.tool import require, run_program

_NAME = "gateway"


def find_revision(namespace: str) -> int | None:
    """Return the deployed revision, or None if there is none."""
    done = run_program(get_helm(), "history", _NAME, "--namespace", namespace, "--output", "json")
    if done.returncode:
        if "not found" in done.stderr:
            return None
        raise CheckError(done.stderr)
    deployed = [each["revision"] for each in json.loads(done.stdout) if each["status"] == "deployed"]
    return max(deployed, default=None)


def release(environment: str, repository: str, digest: str) -> None:
    """Install or upgrade, then test; roll back if either fails.

    Raises:
        CheckError: the release failed; the message holds Helm's output and, if the test failed, says what runs now.
    """
    namespace = f"transactions-{environment}"
    before = find_revision(namespace)
    image = [f"--set=image.repository={repository}", f"--set=image.digest={digest}"]
    values = ["--namespace", namespace, f"--values={CHART}/environments/{environment}.yaml", *image]
    # Helm itself rolls back a release that does not come up.
    wait = ["--atomic", "--wait-for-jobs", "--timeout", "20m", "--history-max", "10"]
    require(get_helm(), "upgrade", _NAME, CHART, "--install", *values, *wait)
    done = run_program(get_helm(), "test", _NAME, "--namespace", namespace, "--logs", "--timeout", "5m")
    sys.stdout.write(done.stdout)
    if not done.returncode:
        return
    if before is None:
        raise CheckError(f"the first release does not answer, and stays for you to look at:\n{done.stderr}")
    require(get_helm(), "rollback", _NAME, str(before), "--namespace", namespace, "--wait", "--timeout", "10m")
    raise CheckError(f"the release does not answer; revision {before} runs again:\n{done.stderr}")


def main(arguments: list[str]) -> int:
    """Release as the command line says; return 1 if that fails, 2 if the arguments are invalid."""
    if len(arguments) != 3 or arguments[0] not in ENVIRONMENTS:  # noqa: PLR2004 - the arguments named below
        sys.stderr.write(f"Give {' or '.join(ENVIRONMENTS)}, the image's repository and its digest (sha256:…).\n")
        return 2
    try:
        release(*arguments)
    except CheckError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
