"""The nodes of bridging once more as plain Python, with red zones around the frames."""

from __future__ import annotations

from tests.budget import run_without_jit


def test_without_jit() -> None:
    names = ("arp_term", "efp_filter", "ends", "l2_flood", "l2_fwd", "l2_input", "l2_learn", "tag_rewrite")
    run_without_jit(*(f"tests/graph_nodes/l2/test_{n}.py" for n in names))
