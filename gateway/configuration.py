"""Reads a command's options, variables and files; gateway/settings.py and database/environment.py validate them."""

# ruff: noqa: PLC0415 -- as in gateway/cli.py: `gateway --help` needs none of it.

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from database.errors import ConfigurationError, DatabaseUnavailableError

if TYPE_CHECKING:
    from database.environment import Credentials, DatabaseEnvironment
    from gateway.settings import Settings


def take_settings(host: str, port: int, workers: int | None) -> "Settings":
    """Load the gateway's settings, and remove their variables from the environment.

    Raises:
        ConfigurationError: a setting is not valid, or what it names cannot be used.
    """
    from gateway.settings import load_settings
    from gateway.startup import check_settings

    is_terminal = sys.stderr.isatty()
    settings = load_settings(os.environ, host=host, port=port, workers=workers, is_terminal=is_terminal)
    _forget("GATEWAY_")
    check_settings(settings)
    return settings


def take_environment(config: Path) -> "DatabaseEnvironment":
    """Load the database's settings, and remove their variables from the environment; raises ConfigurationError."""
    from database.environment import load_environment

    environment = load_environment(config, os.environ)
    _forget("MONGO_")
    return environment


def _forget(prefix: str) -> None:
    """Remove variables, which child processes inherit and easily expose; workers get the settings through a pipe."""
    for name in [name for name in os.environ if name.startswith(prefix)]:
        del os.environ[name]


def get_accepted_environment(config: Path) -> "DatabaseEnvironment":
    """Load the database's settings, and return them as the configured server accepts them.

    Raises:
        ConfigurationError: the settings are not valid.
        DatabaseUnavailableError, DatabaseRefusedError: no server responds, or it does not accept them.
    """
    from database.client import ConnectionOutcome, check_server

    environment = take_environment(config)
    state = check_server(environment)
    if state.outcome is ConnectionOutcome.SILENT and environment.uri is None and environment.is_local:
        raise DatabaseUnavailableError(f"{state.message} `gateway up` starts a server there.")
    if state.outcome is not ConnectionOutcome.ACCEPTED:
        raise state.build_error()
    return state.environment


def load_credentials(role: str, name: str | None, password_file: Path | None) -> "Credentials | None":
    """Load a user's credentials, the password from a file; None if no user is named. `role` names the options.

    Raises:
        click.UsageError: the name or the file is missing, or the name is not valid.
        ConfigurationError: the file cannot be read, or the password is not valid.
    """
    from database.address import CHECKS
    from database.environment import Credentials

    if (name is None) != (password_file is None):
        raise click.UsageError(f"--{role} and --{role}-password-file belong together: give both or none.")
    if name is None or password_file is None:
        return None
    try:
        password = password_file.read_text("utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{password_file} cannot be read as UTF-8 text") from error
    if fault := CHECKS["mongo_username"](name):
        raise click.UsageError(f"--{role} {fault}: give a user's name.")
    if fault := CHECKS["mongo_password"](password):
        raise ConfigurationError(f"{password_file} {fault}; it should hold the password of {name}")
    return Credentials(name, password)
