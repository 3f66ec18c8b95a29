"""Explanations with the nodes as plain Python, red zones around packets: nothing is read beyond them."""

from __future__ import annotations

from tests.budget import run_without_jit


def test_without_jit() -> None:
    here = "tests/control/packet_explain"
    run_without_jit("tests/dataplane/test_stepper.py", f"{here}/test_acl_walk.py", f"{here}/test_journey.py")
