"""Prove facts for a check."""

from collections.abc import Iterator

from deploy.checks import CheckError


def prove(*facts: tuple[object, str]) -> Iterator[str]:
    """Yield the descriptions of facts that hold.

    Raises:
        CheckError: a fact does not hold; the message names it.
    """
    for holds, fact in facts:
        if not holds:
            raise CheckError(f"not so: {fact}")
        yield fact
