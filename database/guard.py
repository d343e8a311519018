"""Run one command and end it when the process that asked for it dies, even by kill -9. Started by embedded.py as a script.

It imports nothing of the project, so that it starts at once and stays small.
"""

import os
import subprocess
import sys
import threading
import time

_EVERY_SECONDS = 0.5


def _end_with(parent: int, command: subprocess.Popen[bytes]) -> None:
    # An orphan is given another parent, on Linux and macOS alike. A pipe that closes would be quicker, but processes
    # forked by the parent would hold it open; the kernel's parent-death signal goes by thread, and Linux alone has it.
    while os.getppid() == parent:
        time.sleep(_EVERY_SECONDS)
    command.terminate()


def main(arguments: list[str]) -> int:
    """Run `arguments[1:]` for the process `arguments[0]`; gives the command's exit code."""
    parent = int(arguments[0])
    command = subprocess.Popen(arguments[1:], stdin=subprocess.DEVNULL)  # noqa: S603 (the command is the caller's own)
    threading.Thread(target=_end_with, args=(parent, command), daemon=True).start()
    return command.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
