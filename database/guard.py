"""Run one command and terminate it when the parent process dies, even by kill -9; mongod.py starts this script.

It must not import anything of the project, so that it starts fast and stays small.
"""

import os
import signal
import subprocess
import sys
import threading

_EVERY_SECONDS = 0.5


def main(arguments: list[str]) -> int:
    """Run `arguments[1:]` for the process `arguments[0]`; return the command's exit code, 128 + n for a signal n."""
    parent = int(arguments[0])
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    command = subprocess.Popen(arguments[1:], stdin=subprocess.DEVNULL)  # noqa: S603 (the command is the caller's own)
    threading.Thread(target=_end, args=(command, parent, stop), daemon=True).start()
    code = command.wait()
    return code if code >= 0 else 128 - code


def _end(command: subprocess.Popen[bytes], parent: int, stop: threading.Event) -> None:
    # An orphan gets another parent, on Linux and macOS alike. A closing pipe would signal that at once, but processes
    # forked by the parent keep it open; Linux's parent-death signal is bound to a thread, and macOS has none.
    while os.getppid() == parent and not stop.wait(_EVERY_SECONDS):
        pass
    command.terminate()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
