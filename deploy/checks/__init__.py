"""One module for each tool that checks what deploys; each has `run() -> int`, the number of checks that passed."""


class CheckError(Exception):
    """A check failed, or cannot be made; the message names the file, the fault and what would be accepted."""
