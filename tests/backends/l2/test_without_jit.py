"""Bridges with the JIT off, over checked memory: the random one, those with a BVI, and the MAC table."""

from __future__ import annotations

from tests.budget import run_without_jit


def test_without_jit() -> None:
    names = ("bridge_model", "bvi", "l2fib")
    run_without_jit(
        *(f"tests/backends/l2/test_{n}.py" for n in names), "-k", "not grows and not come_and_go and not wrap"
    )
