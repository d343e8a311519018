"""Start, monitor and stop the worker processes of one run. It does not know what they load: see worker.py."""

import multiprocessing
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import cast

from database.environment import DatabaseEnvironment
from database.errors import GatewayError
from seeding.error import SeedingError
from seeding.plan import Plan
from seeding.worker import Finished, Loaded, work

# The same on every platform, and the only start method that is safe with the threads of an open client.
_CONTEXT = multiprocessing.get_context("spawn")


class WorkerPool:
    """Workers that divide the chunks of a plan among themselves."""

    def __init__(self, environment: DatabaseEnvironment, plan: Plan, workers: int) -> None:
        """Start the given number of workers, but at most one per chunk."""
        self._processes: dict[Connection, SpawnProcess] = {}
        workers = min(workers, plan.chunks)
        with _interrupts_held():
            for first in range(workers):
                parent_end, child_end = _CONTEXT.Pipe()
                process = _CONTEXT.Process(
                    target=work,
                    args=(child_end, environment, plan, first, workers),
                    name=f"seeding-{first}",
                    daemon=True,
                )
                process.start()
                # Only the worker may hold its end, so that the pipe closes when it dies.
                child_end.close()
                self._processes[parent_end] = process
        self._listening = set(self._processes)
        self._is_stopping = False

    def listen(self) -> Iterator[Loaded]:
        """Yield the reports of all workers until each is done; the failure of one asks the others to stop.

        Raises:
            GatewayError: the error of the first worker that failed; `SeedingError` if a worker was killed.
        """
        fault: GatewayError | None = None
        while self._listening:
            for ready in wait(list(self._listening)):
                connection = cast("Connection", ready)
                try:
                    message = connection.recv()
                except (EOFError, ConnectionResetError):
                    message = Finished(self._describe_death(connection))
                if isinstance(message, Loaded):
                    yield message
                    continue
                self._listening.discard(connection)
                if message.error is not None and fault is None:
                    fault = message.error
                    self.ask_to_stop()
        if fault is not None:
            raise fault

    def ask_to_stop(self) -> None:
        """Let each worker finish its current chunk; on a second call, terminate them at once."""
        for connection, process in self._processes.items():
            if self._is_stopping:
                process.terminate()
            else:
                with suppress(OSError):
                    connection.send(None)
        self._is_stopping = True

    def close(self) -> None:
        """Terminate the workers that still run, and wait for them."""
        for connection, process in self._processes.items():
            process.terminate()
            process.join()
            connection.close()

    def _describe_death(self, connection: Connection) -> SeedingError | None:
        process = self._processes[connection]
        process.join()
        if self._is_stopping:
            return None
        return SeedingError(
            f"A worker process was ended from outside (exit code {process.exitcode}), perhaps for lack of memory."
        )


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Defer SIGINT here, and block it for good in the processes started meanwhile: a terminal sends it to all."""
    # Started before the mask is set, because its start, otherwise part of the first process's, unblocks the signal.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
