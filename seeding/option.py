"""Shared by the commands: the --config option, the embedded server's folder, and the end of a help text."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

DATA_FOLDER = Path(".data")

_EXIT_CODES = """\b
Exit codes:
  0    done
  1    an error; one message on stderr says which and what to do
  2    wrong usage
  130  stopped by Ctrl-C before it was done"""


def build_epilog(*examples: str) -> str:
    # click joins the lines of a paragraph unless it begins with \b.
    return "\n".join(("\b", "Examples:", *(f"  {example}" for example in examples), "", _EXIT_CODES))


def config_option(command: Callable[..., Any]) -> Callable[..., Any]:
    return click.option(
        "--config",
        type=click.Path(path_type=Path),
        default=Path("db_envs.yaml"),
        show_default=True,
        help="The database's settings; MONGO_… environment variables override its keys.",
    )(command)
