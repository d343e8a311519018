"""The command-line options of `gateway up` and `gateway serve`."""

from collections.abc import Callable
from typing import Any

import click


def server_options(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        click.option("--workers", type=click.IntRange(1, 256), help="Worker processes.  [default: one per core]"),
        click.option(
            "--port", type=click.IntRange(0, 65535), default=5000, show_default=True, help="0 picks a free one."
        ),
        click.option("--host", default="127.0.0.1", show_default=True, help="0.0.0.0 serves other machines too."),
    ):
        command = option(command)
    return command
