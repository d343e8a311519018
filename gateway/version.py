"""Which version of the gateway this is."""

from importlib.metadata import version

VERSION = version("transactions-gateway")
