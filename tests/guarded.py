"""A gateway that requires authentication, with keys and tokens for it."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx

from gateway.caller import Scope
from gateway.keys import create_key
from tests.conftest import ServedDatabase
from tests.issuer import AUDIENCE, ISSUER, SigningKey

NUMBER = "4111111111111111"
SIGNER = SigningKey("first")
JWT = {"GATEWAY_JWT_ISSUER": ISSUER, "GATEWAY_JWT_AUDIENCE": AUDIENCE}


@dataclass(frozen=True)
class Guarded:
    """A gateway that requires authentication, its key file, and API keys by name."""

    served: ServedDatabase
    keys_file: Path
    keys: dict[str, str]

    def ask(self, path: str, *headers: tuple[str, str], method: str = "GET", **options: Any) -> httpx.Response:
        # As bytes, because some header values under test are not ASCII.
        encoded = [(name.encode(), value.encode("latin-1")) for name, value in headers]
        return httpx.request(method, self.served.gateway.url + path, headers=encoded, **options)


def bearer(credentials: str) -> tuple[str, str]:
    return ("Authorization", f"Bearer {credentials}")


def create_keys(path: Path) -> dict[str, str]:
    kinds = {
        "reader": {Scope.TRANSACTIONS_READ},
        "revealing": {Scope.TRANSACTIONS_READ, Scope.CARDS_READ},
        "measuring": {Scope.METRICS_READ},
    }
    keys = {name: create_key(path, name, frozenset(scopes))[1] for name, scopes in kinds.items()}
    return {**keys, "expired": create_key(path, "expired", frozenset(Scope), timedelta(microseconds=1))[1]}
