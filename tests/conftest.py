"""Hooks for all tests. With ``CI=true`` a skipped test is a failure: CI must have all that a test needs.

A test that may be skipped even there says so: its reason begins with `ALLOWED`.
"""

from __future__ import annotations

import os
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

ALLOWED = "not in CI:"
"""How the reason of a skip begins that CI accepts (a privilege, hardware or an hour that it does not have)."""


SLOW = (
    "backends/af_packet/",
    "backends/dpdk/",
    "backends/memif/",
    "backends/tap/",
    "backends/vpp/test_reconnect",
    "control/cluster/ipnet/test_any_cluster",
    "control/cluster/kube/test_sequences",
    "control/cluster/simulated/",
    "control/cluster/truth/",
    "graph_nodes/test_af_packet_input",
    "graph_nodes/test_gso",
    "graph_nodes/tunnels/",
    "lab/",
    "test_cluster_page",
    "test_cli",
    "test_packaging",
    "test_parity_api",
    "test_replay",
)
"""What is not in the quick run: tests that start processes, touch the kernel, play all captures, or make
whole clusters."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is slow: the files of `SLOW`, and every test that runs kernels as plain Python or a model's machine."""
    root = Path(__file__).parent
    for item in items:
        place = item.path.relative_to(root).as_posix()
        if place.startswith(SLOW) or item.path.stem.endswith(("_without_jit", "_model")):
            item.add_marker(pytest.mark.slow)


def _refuse(report: Any) -> None:
    if os.environ.get("CI") != "true" or report.outcome != "skipped" or hasattr(report, "wasxfail"):
        return
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    reason = reason.removeprefix("Skipped: ")
    if not reason.startswith(ALLOWED):
        report.outcome = "failed"
        report.longrepr = f"skipped in CI, where nothing may be missing: {reason}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
    """Tests that skip themselves."""
    report = yield
    _refuse(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Generator[None, Any, Any]:
    """Files that skip themselves."""
    report = yield
    _refuse(report)
    return report
