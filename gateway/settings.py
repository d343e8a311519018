"""The gateway's own settings: options of the command line and GATEWAY_… variables, read once into one frozen object."""

import difflib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass

from database.errors import ConfigurationError, quote_value
from schema.limits import Limits

PREFIX = "GATEWAY_"


@dataclass(frozen=True, slots=True)
class Setting:
    """A GATEWAY_… variable: a whole number, its bounds and what it is for (docs/settings.md says the same)."""

    name: str
    default: int
    least: int
    most: int
    meaning: str


SETTINGS = (
    Setting("GATEWAY_DATABASE_TIMEOUT_MS", 10_000, 1, 600_000, "longest work of the database on one page or count, ms"),
    Setting("GATEWAY_MAX_BODY_BYTES", 100_000, 1_000, 10_000_000, "largest body of a GraphQL request, bytes"),
    Setting("GATEWAY_MAX_TOKENS", Limits().tokens, 10, 100_000, "longest GraphQL document, tokens"),
    Setting("GATEWAY_MAX_DEPTH", Limits().depth, 4, 100, "deepest nesting of fields in a GraphQL operation"),
    Setting("GATEWAY_MAX_ALIASES", Limits().aliases, 0, 1_000, "most aliases in a GraphQL operation"),
)


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything but the database's own settings, which db_envs.yaml holds.

    Attributes:
        host: address to listen on.
        port: port to listen on; 0 takes a free one.
        workers: processes that answer.
        database_timeout_ms: longest work of the database on one page or count.
        max_body_bytes: largest body of a GraphQL request.
        limits: bounds of a GraphQL operation.
    """

    host: str
    port: int
    workers: int
    database_timeout_ms: int
    max_body_bytes: int
    limits: Limits


def load_settings(
    environ: Mapping[str, str], *, host: str = "127.0.0.1", port: int = 5000, workers: int | None = None
) -> Settings:
    """Join the command line's options with the environment's variables; `workers` is one per core when None.

    Raises:
        ConfigurationError: every fault at once, each by its variable and with what is accepted.
    """
    known = {setting.name for setting in SETTINGS}
    faults = [_name_unknown(name, known) for name in environ if name.startswith(PREFIX) and name not in known]
    values: dict[str, int] = {}
    for setting in SETTINGS:
        text = environ.get(setting.name, str(setting.default))
        if re.fullmatch(r"[0-9]{1,12}", text) and setting.least <= int(text) <= setting.most:
            values[setting.name] = int(text)
        else:
            faults.append(
                f"{setting.name} is {quote_value(text)}; give a whole number from {setting.least} to {setting.most} "
                f"({setting.meaning})."
            )
    if faults:
        raise ConfigurationError("The environment has faults:\n" + "\n".join(f"  {fault}" for fault in faults))
    return Settings(
        host=host,
        port=port,
        workers=workers or os.cpu_count() or 1,
        database_timeout_ms=values["GATEWAY_DATABASE_TIMEOUT_MS"],
        max_body_bytes=values["GATEWAY_MAX_BODY_BYTES"],
        limits=Limits(
            tokens=values["GATEWAY_MAX_TOKENS"],
            depth=values["GATEWAY_MAX_DEPTH"],
            aliases=values["GATEWAY_MAX_ALIASES"],
        ),
    )


def _name_unknown(name: str, known: set[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f"{name} is not a setting; " + (
        f"did you mean {near[0]}?" if near else f"the settings are {', '.join(sorted(known))}."
    )
