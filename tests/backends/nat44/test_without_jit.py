"""NAT44's nodes once more as plain Python, with red zones around the packets."""

from __future__ import annotations

from tests.budget import run_without_jit


def test_without_jit() -> None:
    run_without_jit("tests/backends/nat44/test_nat44_model.py", "tests/backends/nat44/test_sessions.py")
