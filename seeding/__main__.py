"""Run `gateway seed` as `python -m seeding`."""

import sys

import click

from database.errors import GatewayError
from seeding.seed_command import seed


def main() -> None:
    try:
        seed()
    except GatewayError as error:
        click.echo(f"gateway: {error}", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
