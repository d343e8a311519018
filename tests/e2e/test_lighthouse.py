"""Lighthouse's scores of the explorer, other than performance: accessibility and best practices."""

import pytest

from tests.conftest import ServedDatabase
from tests.lighthouse import DEVICES, install_lighthouse, visit


@pytest.mark.parametrize("device", DEVICES)
def test_lighthouse_finds_the_explorer_accessible_and_well_made(still: ServedDatabase, device: str) -> None:
    """Both scores are 95 or more on a phone and on a desktop."""
    found = visit(install_lighthouse(), f"{still.gateway.url}/", device, ["accessibility", "best-practices"])
    assert all(score >= 95 for score in found.scores.values()), (found.scores, found.faults)
