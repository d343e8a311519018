"""One module per tool that checks the deployment; each has `run() -> int`, which returns how many checks passed."""


class CheckError(Exception):
    """A check failed or cannot run; the message names the file, the fault and what would be accepted."""
