"""What the command line compiles before it starts."""

from __future__ import annotations

import pytest

from vectorplane.cli import progress
from vectorplane.jit.kernel import Compiled, Kernel
from vectorplane.jit.prepare import Unit


def test_an_engine_needs_no_node_kernels_to_be_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of nodes are compiled when they are in the graph: most configurations use a third of them."""
    asked: list[Unit] = []
    monkeypatch.setattr(progress, "compile_missing", asked.extend)
    progress.compile_control()
    assert any(isinstance(u, Compiled) for u in asked)
    assert [u for u in asked if isinstance(u, Kernel)] == []
