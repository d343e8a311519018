"""Names clients for limits: by caller, or by address if the caller is anonymous."""

import ipaddress
from functools import lru_cache

from starlette.types import Scope

from gateway.caller import ANONYMOUS


def name_client(scope: Scope) -> str:
    """Return the name of a request's or WebSocket's caller; for an anonymous one, its address."""
    caller: str = scope["state"]["caller"].name
    return caller if caller != ANONYMOUS.name else describe_address(scope)


def describe_address(scope: Scope) -> str:
    """Return the client's IPv4 address, or its IPv6 network of 64 bits, which belongs to one customer."""
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
    # A socket for both protocols reports IPv4 addresses as IPv6.
    return str(address.ipv4_mapped or ipaddress.IPv6Network((int(address), 64), strict=False))
