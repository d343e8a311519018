"""Read the gateway's metrics, settings and database privileges, by running code in the gateway's own environment."""

import json
from functools import cache
from typing import Any

from deploy.tool import ROOT, require

_QUESTION = """
import json
from prometheus_client import Counter, Histogram
from database import provision
from gateway.contract import build_openapi
from gateway.metrics import DECLARED
from gateway.problems import PROBLEMS
from gateway.settings import CLOSE_SECONDS
from gateway.variable import VARIABLES

series = {}
for metric in DECLARED:
    name, labels = metric._name, list(metric._labelnames)
    if isinstance(metric, Histogram):
        series |= {name + "_bucket": [*labels, "le"], name + "_sum": labels, name + "_count": labels}
    else:
        series[name + "_total" if isinstance(metric, Counter) else name] = labels
settings = {variable.name: variable.accepts for variable in VARIABLES}
rights = {provision.READER_ROLE: provision.READER_ACTIONS, provision.OWNER_ROLE: provision.OWNER_ACTIONS}
values = {"code": list(PROBLEMS), "route": list(json.loads(build_openapi())["paths"])}
told = {"series": series, "values": values, "settings": settings, "close_seconds": CLOSE_SECONDS, "rights": rights}
print(json.dumps(told))
"""


@cache
def load_exported() -> dict[str, Any]:
    """Return what the deployment must agree with.

    `series` maps each series to its labels, `values` some labels to their possible values, `settings` each setting to
    a description of what it accepts, and `rights` each database role to its actions on the collection;
    `close_seconds` is a number.
    """
    # The gateway's packages and those of the checks do not fit into one environment.
    exported: dict[str, Any] = json.loads(require(ROOT / ".venv/bin/python", "-c", _QUESTION))
    return exported
