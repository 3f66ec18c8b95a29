"""The nodes for packets to ourselves and for errors once more as plain Python, with red zones around the packets."""

from __future__ import annotations

from tests.budget import run_without_jit

FILES = ("icmp4_error", "icmp4_input", "ip4_frag", "ip4_local", "ip4_options", "ip4_reassembly", "llc_input")


def test_without_jit() -> None:
    run_without_jit(*(f"tests/graph_nodes/test_{name}.py" for name in FILES), "-k", "not many_datagrams")
