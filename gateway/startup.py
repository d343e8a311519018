"""Checks once, before any worker starts, that the files and packages that the settings name can be used."""

# ruff: noqa: PLC0415 -- most settings are not given, and the modules that they need are slow to import.

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import click

from database.errors import ConfigurationError

if TYPE_CHECKING:
    from gateway.settings import Settings


def check_settings(settings: "Settings") -> None:
    """Check that each file and package that the settings name can be used; workers open them again.

    Raises:
        ConfigurationError: one of them cannot be used.
    """
    if settings.keys_file:
        from gateway.keys import load_keys

        if not load_keys(settings.keys_file):
            click.echo(
                f"GATEWAY_KEYS_FILE={settings.keys_file} holds no key: nobody can use one until `gateway keys create` "
                "adds it.",
                err=True,
            )
    if settings.jwt and not settings.jwt.is_url:
        from gateway.tokens import load_key_set

        load_key_set(Path(settings.jwt.jwks))
    if settings.trusted_documents:
        from gateway.documents import load_documents
        from schema.schema import build_schema

        load_documents(settings.trusted_documents, build_schema(settings.limits))
    if settings.rate_store:
        from gateway.rate import open_storage

        open_storage(settings.rate_store)
    if settings.is_tracing and not _is_installed("opentelemetry.sdk.trace", "opentelemetry.exporter.otlp.proto.http"):
        raise ConfigurationError(
            "GATEWAY_TRACING=on needs the extra tracing: pip install '.[tracing]' in the gateway's repository."
        )


def _is_installed(*modules: str) -> bool:
    try:
        return all(map(find_spec, modules))
    except ModuleNotFoundError:  # the parent package is missing
        return False
