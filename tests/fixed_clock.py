"""The gateway's command line with a stopped clock: `FIXED_CLOCK_MS=… python -m tests.fixed_clock serve`.

Workers are spawned, so they import this module again before they read the time.
"""

import os
from types import SimpleNamespace

import schema.context
from gateway.__main__ import main

_NOW_NS = int(os.environ["FIXED_CLOCK_MS"]) * 1_000_000

# The only module from which the gateway reads a request's arrival time; timeouts use other clocks and keep running.
vars(schema.context)["time"] = SimpleNamespace(time_ns=lambda: _NOW_NS)

if __name__ == "__main__":
    main()
