"""The same tests with the JIT off: what lies around a packet is then a red zone, and reading it an error (rule 11)."""

from __future__ import annotations

from tests.budget import run_without_jit


def test_fast_path() -> None:
    names = ("ethernet_input", "ip4_input", "ip4_rewrite", "interface_output", "flow_hash", "ip4_header")
    run_without_jit(*(f"tests/graph_nodes/test_{n}.py" for n in names), "-k", "not spread and not scapy")


def test_edges() -> None:
    """Input and output nodes, and lookup on small tables."""
    names = ("pg_input", "capture_input", "capture_tx", "drop", "ip4_lookup")
    slow = "not longest and not running_out and not ecmp and not load_balance and not vrfs"
    run_without_jit(*(f"tests/graph_nodes/test_{n}.py" for n in names), "-k", slow)
