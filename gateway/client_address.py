"""By which name a client is counted: its caller's, or its address where the caller is anonymous."""

import ipaddress
from functools import lru_cache

from starlette.types import Scope

from gateway.caller import ANONYMOUS


def name_client(scope: Scope) -> str:
    """Give the name of a request's or WebSocket's caller; whoever is anonymous is named by address."""
    caller: str = scope["state"]["caller"].name
    return caller if caller != ANONYMOUS.name else describe_address(scope)


def describe_address(scope: Scope) -> str:
    """Give what stands for the client: its IPv4 address, or its IPv6 network of 64 bits, which is one customer's."""
    client = scope.get("client")
    return _describe(client[0]) if client else ""


@lru_cache(maxsize=4096)
def _describe(text: str) -> str:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return text
    if isinstance(address, ipaddress.IPv4Address):
        return text
    # On a socket for both, IPv4 addresses are written as IPv6.
    return str(address.ipv4_mapped or ipaddress.IPv6Network((int(address), 64), strict=False))
