"""Tunnels between two routers once more as plain Python, where every load and store is checked."""

from __future__ import annotations

from tests.budget import run_without_jit


def test_without_jit() -> None:
    run_without_jit("tests/backends/tunnels/test_both_ends.py", "-k", "anything or damage or chained or group")


def test_circles_without_jit() -> None:
    run_without_jit("tests/backends/tunnels/test_underlay.py", "-k", "itself or each_other")
