"""The nodes of memif once more as plain Python: every access is checked, shared memory ends where its region does."""

from __future__ import annotations

from tests.budget import run_without_jit


def test_without_jit() -> None:
    run_without_jit("tests/backends/memif/test_two_engines.py", "tests/backends/memif/test_hostile_rings.py")
