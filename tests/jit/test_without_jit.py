"""The same tests with the JIT off, in one process with the twins (rule 11)."""

from __future__ import annotations

from tests.budget import run_without_jit


def test_ops() -> None:
    run_without_jit("tests/jit/test_ops.py", "-k", "by_hand or call3 or threads or python_store or wild")
