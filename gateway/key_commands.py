"""The command `gateway keys`: it creates, lists and revokes API keys through gateway/keys.py."""

# ruff: noqa: PLC0415 -- as in gateway/cli.py: `gateway --help` needs none of it.

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gateway.caller import Scope

if TYPE_CHECKING:
    from gateway.keys import ApiKey


class _Lifetime(click.ParamType[timedelta]):
    """A number of days or hours, such as 90d or 12h."""

    name = "time"

    def convert(self, value: str | timedelta, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        if isinstance(value, timedelta):
            return value
        match = re.fullmatch(r"([1-9][0-9]{0,4})([dh])", value)
        if match is None:
            self.fail(f"{value!r} is not a number of days or hours, such as 90d or 12h.", param, ctx)
        number = int(match[1])
        return timedelta(days=number) if match[2] == "d" else timedelta(hours=number)


def _show_examples(*examples: str) -> str:
    # click joins the lines of a paragraph unless it begins with \b.
    return "\n".join(("\b", "Examples:", *(f"  {example}" for example in examples)))


_file_option = click.option(
    "--file",
    "path",
    type=click.Path(dir_okay=False, path_type=Path),
    envvar="GATEWAY_KEYS_FILE",
    show_envvar=True,
    required=True,
    help="The file of the keys' hashes.",
)


@click.group(
    epilog=_show_examples(
        "gateway keys create reports --scope transactions:read --file keys.json",
        "gateway keys list --file keys.json",
        "gateway keys revoke 1f2e3d4c --file keys.json",
    )
)
def keys() -> None:
    """Create, list and revoke API keys.

    A running gateway with GATEWAY_KEYS_FILE picks up each change within a second.
    """


@keys.command(
    epilog=_show_examples(
        "gateway keys create reports --scope transactions:read --expires 90d --file keys.json",
        "KEY=$(gateway keys create prometheus --scope metrics:read --file keys.json)",
    )
)
@click.argument("name")
@click.option(
    "--scope",
    "scopes",
    type=click.Choice([scope.value for scope in Scope]),
    multiple=True,
    required=True,
    help="What the key allows; repeat it for several.",
)
@click.option("--expires", "lifetime", type=_Lifetime(), help="When it ends, such as 90d or 12h.  [default: never]")
@_file_option
def create(name: str, scopes: tuple[str, ...], lifetime: timedelta | None, path: Path) -> None:
    """Create a key and print it, only this once.

    NAME says whose it is or what for. The file keeps only a hash: a lost key can be replaced, but not recovered.
    """
    from gateway.keys import create_key

    key, text = create_key(path, name, frozenset(map(Scope, scopes)), lifetime)
    click.echo(
        f"Key {key.id} for {name}: {_describe_scopes(key)}, {_describe_end(key)}. It is shown this once; send it as\n"
        "Authorization: Bearer <key>",
        err=True,
    )
    click.echo(text)


@keys.command("list", epilog=_show_examples("gateway keys list --file keys.json"))
@_file_option
def list_keys(path: Path) -> None:
    """List the keys with their scopes and times."""
    from gateway.keys import load_keys

    rows = [
        (key.id, key.name, _describe_scopes(key), f"created {key.created:%Y-%m-%d}", _describe_end(key))
        for key in load_keys(path)
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        click.echo("  ".join(f"{text:{width}}" for text, width in zip(row, widths, strict=True)).rstrip())
    if not rows:
        click.echo(f"{path} holds no keys; `gateway keys create` adds one.", err=True)


@keys.command(epilog=_show_examples("gateway keys revoke 1f2e3d4c --file keys.json"))
@click.argument("key_id", metavar="ID")
@_file_option
def revoke(key_id: str, path: Path) -> None:
    """Revoke a key.

    ID is as `gateway keys list` shows it, or the key itself.
    """
    from gateway.keys import KEY_PATTERN, revoke_key

    whole = KEY_PATTERN.fullmatch(key_id)
    key = revoke_key(path, whole[1] if whole else key_id)
    click.echo(f"Key {key.id} for {key.name} is revoked.")


def _describe_scopes(key: "ApiKey") -> str:
    return ", ".join(sorted(key.scopes))


def _describe_end(key: "ApiKey") -> str:
    if key.expires is None:
        return "never expires"
    return f"{'expired' if key.has_expired(datetime.now(UTC)) else 'expires'} {key.expires:%Y-%m-%d %H:%M} UTC"
