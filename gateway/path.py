"""Paths that several modules need to know."""

GRAPHQL_PATH = "/graphql"
# The prefix of the pages' files.
STATIC_PATH = "/static/"
