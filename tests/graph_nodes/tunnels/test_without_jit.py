"""The nodes of tunnels once more as plain Python, with red zones around the packets."""

from __future__ import annotations

from tests.budget import run_without_jit


def test_without_jit() -> None:
    names = ("inner_hash", "ip_input", "midchain", "udp_bypass", "udp_encap", "udp_input")
    run_without_jit(*(f"tests/graph_nodes/tunnels/test_{n}.py" for n in names), "-k", "not spread")
