"""The command line of a gateway whose clock stands still: `FIXED_CLOCK_MS=… python -m tests.fixed_clock serve`.

Its workers are spawned, so that they import this module again, before they read the time.
"""

import os
from types import SimpleNamespace

import schema.context
from gateway.__main__ import main

_NOW_NS = int(os.environ["FIXED_CLOCK_MS"]) * 1_000_000

# The one place where the gateway asks when a request arrived; timeouts go by other clocks, and go on.
vars(schema.context)["time"] = SimpleNamespace(time_ns=lambda: _NOW_NS)

if __name__ == "__main__":
    main()
