"""The nodes of access control once more as plain Python, with red zones around the packets."""

from __future__ import annotations

from tests.budget import run_without_jit


def test_without_jit() -> None:
    run_without_jit(
        "tests/graph_nodes/acl/test_acl_nodes.py",
        "tests/graph_nodes/acl/test_macip.py",
        "tests/graph_nodes/test_ip4_sv_reassembly.py",
    )
