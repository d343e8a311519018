"""Checks of the running image: what it runs on, and one module for each aspect.

A check has the form `(site) -> Iterator[str]` and yields the facts that it has proven.
"""
