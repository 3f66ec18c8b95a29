"""The same tests with the JIT off: every kernel runs as its Python twin, over checked memory (rule 11)."""

from __future__ import annotations

from tests.budget import run_without_jit


def test_foundations() -> None:
    names = ("buffer", "dispatch", "feature", "python_node", "event")
    slow = "not (traded or keeps_no_more or real_time or cycle_counter or starts or enough or stay_full)"
    run_without_jit(*(f"tests/dataplane/test_{n}.py" for n in names), "-k", slow)
