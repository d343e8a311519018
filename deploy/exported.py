"""Prints what the gateway exports and takes, as JSON: its metrics and its settings. Run by the gateway's own Python."""

import json
import sys

from prometheus_client import Counter, Histogram

from gateway.metrics import DECLARED
from gateway.setting import SETTINGS


def build_series() -> dict[str, list[str]]:
    """Give the labels of each series that Prometheus finds at /metrics, by the series' name."""
    series: dict[str, list[str]] = {}
    for metric in DECLARED:
        labels = list(metric._labelnames)  # noqa: SLF001 - given nowhere else
        name = metric._name  # noqa: SLF001 - as above
        if isinstance(metric, Histogram):
            series |= {f"{name}_bucket": [*labels, "le"], f"{name}_sum": labels, f"{name}_count": labels}
        else:
            series[f"{name}_total" if isinstance(metric, Counter) else name] = labels
    return series


def build_settings() -> dict[str, str]:
    """Give what each GATEWAY_… variable accepts, in words."""
    return {setting.name: setting.accepts for setting in SETTINGS}


if __name__ == "__main__":
    sys.stdout.write(json.dumps({"series": build_series(), "settings": build_settings()}))
