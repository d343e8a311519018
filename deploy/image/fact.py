"""What a check proves: facts that hold."""

from collections.abc import Iterator

from deploy.checks import CheckError


def prove(*facts: tuple[object, str]) -> Iterator[str]:
    """Give the facts that hold.

    Raises:
        CheckError: one does not; the message is the fact.
    """
    for holds, fact in facts:
        if not holds:
            raise CheckError(f"not so: {fact}")
        yield fact
