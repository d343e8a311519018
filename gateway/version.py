"""The gateway's version."""

from importlib.metadata import version

VERSION = version("transactions-gateway")
