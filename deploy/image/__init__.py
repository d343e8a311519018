"""The image as it runs: what it runs on, and one module for each side of it that is checked.

Those have checks of the form `(site) -> Iterator[str]`, the facts that they prove.
"""
