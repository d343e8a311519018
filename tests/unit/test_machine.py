"""The gateway takes a container's limits for the size of the machine."""

from pathlib import Path

import pytest

from database.machine import count_cores, measure_memory

CORES, MEMORY = count_cores(Path("/nowhere")), measure_memory(Path("/nowhere"))


@pytest.mark.parametrize(
    ("limit", "cores"), [("max 100000", CORES), ("50000 100000", 1), ("100000 100000", 1), ("99900000 100000", CORES)]
)
def test_cores_are_those_that_the_container_has_the_time_of(tmp_path: Path, limit: str, cores: int) -> None:
    """Half a core counts as one; a limit above the machine's cores, or none, changes nothing."""
    (tmp_path / "cpu.max").write_text(f"{limit}\n")
    assert count_cores(tmp_path) == cores


@pytest.mark.parametrize(("limit", "memory"), [("max", MEMORY), ("268435456", 268_435_456), (str(1 << 60), MEMORY)])
def test_memory_is_what_the_container_may_take(tmp_path: Path, limit: str, memory: int) -> None:
    """A memory limit counts as the machine's memory, unless the machine has less."""
    (tmp_path / "memory.max").write_text(f"{limit}\n")
    assert measure_memory(tmp_path) == memory
