"""The menu that a bare `gateway` shows on a terminal. It prompts; it must not run anything."""

from collections.abc import Mapping

import click


def prompt_for_command(commands: Mapping[str, click.Command]) -> list[str] | None:
    """Prompt for a command and its required arguments, and return them; None if the user quits."""
    names = list(commands)
    width = max(map(len, names))
    click.echo("What should the gateway do?\n")
    for number, name in enumerate(names, start=1):
        click.echo(f"  {number}  {name:{width}}  {commands[name].get_short_help_str(limit=100)}")
    click.echo(f"  q  {'quit':{width}}\n")
    choices = {str(number): name for number, name in enumerate(names, start=1)} | {name: name for name in names}
    choice = click.prompt("Number or name", type=click.Choice([*choices, "q", "quit"]), show_choices=False)
    if choice in {"q", "quit"}:
        return None
    command = commands[choices[choice]]
    needed = [parameter for parameter in command.params if isinstance(parameter, click.Argument) and parameter.required]
    return [choices[choice], *(click.prompt(parameter.human_readable_name, type=str) for parameter in needed)]
