"""Paths that modules must know besides the one that answers there."""

GRAPHQL_PATH = "/graphql"
# What it begins with.
STATIC_PATH = "/static/"
