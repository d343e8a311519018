"""What the gateway exports and takes: its metrics and its settings, asked of the gateway's own Python."""

import json
from functools import cache
from typing import Any

from deploy.tool import ROOT, require

_QUESTION = """
import json
from prometheus_client import Counter, Histogram
from gateway.metrics import DECLARED
from gateway.server import CLOSE_SECONDS
from gateway.setting import SETTINGS

series = {}
for metric in DECLARED:
    name, labels = metric._name, list(metric._labelnames)
    if isinstance(metric, Histogram):
        series |= {name + "_bucket": [*labels, "le"], name + "_sum": labels, name + "_count": labels}
    else:
        series[name + "_total" if isinstance(metric, Counter) else name] = labels
settings = {setting.name: setting.accepts for setting in SETTINGS}
print(json.dumps({"series": series, "settings": settings, "close_seconds": CLOSE_SECONDS}))
"""


@cache
def load_exported() -> dict[str, Any]:
    """Give `series`, the labels of each by name; `settings`, what each accepts, in words; and `close_seconds`."""
    # The gateway's packages and those that check do not go together in one environment.
    exported: dict[str, Any] = json.loads(require(ROOT / ".venv/bin/python", "-c", _QUESTION))
    return exported
