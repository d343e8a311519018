"""The README's examples work as printed."""

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.process import GatewayProcess

README = (Path(__file__).parents[2] / "README.md").read_text()


def find_examples() -> Iterator[tuple[str, str]]:
    """Yield each command of a console block with the line that it prints."""
    for block in re.findall(r"```console\n(.*?)```", README, re.DOTALL):
        yield from re.findall(r"^\$ (.*)\n(.*)$", block, re.MULTILINE)


def run_curl(command: str, base: str) -> Any:
    """Perform a curl command, with the options that the README uses."""
    program, address, *options = shlex.split(command)
    assert program == "curl"
    given = dict(zip(options[::2], options[1::2], strict=True))
    headers = dict([given["-H"].split(": ")]) if "-H" in given else {}
    body = given.get("-d")
    url = address.replace("localhost:5000", base)
    return httpx.request("POST" if body else "GET", url, headers=headers, content=body).raise_for_status().json()


def shape(value: Any) -> Any:
    """Return a value's keys and types, without what differs between seedings."""
    if isinstance(value, dict):
        return {key: shape(inner) for key, inner in value.items()}
    return [shape(inner) for inner in value] if isinstance(value, list) else type(value)


@pytest.mark.parametrize(("command", "printed"), list(find_examples()))
def test_an_example_prints_what_the_readme_shows(gateway: GatewayProcess, command: str, printed: str) -> None:
    """A README command returns a response of the shape printed below it."""
    assert shape(run_curl(command, gateway.url)) == shape(json.loads(printed))


def test_there_is_an_example_of_each_style() -> None:
    """REST and GraphQL each have at least one example."""
    commands = [command for command, _ in find_examples()]
    assert any("/graphql" in command for command in commands)
    assert any("/transactions" in command for command in commands)
