"""`bench lab` measures, and leaves nothing behind."""

from __future__ import annotations

import json
import subprocess

import pytest

from tests.lab.labs import PROGRAM, needs_root
from vectorplane.backends.engine.host.namespace import FOLDER

pytestmark = [needs_root, pytest.mark.slow, pytest.mark.root]


def test_bench_lab() -> None:
    """All cases, in turns."""
    words = [*PROGRAM, "bench", "lab", "--rounds", "1", "--seconds", "1", "--json"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=300, check=True)
    cases = {case["case"]: case for case in json.loads(done.stdout)["cases"]}
    assert set(cases) == {"bridge", "bridge-cut", "router", "router-gso", "nat44", "nat44-gso", "vxlan"}
    assert all(len(case["gbits"]) == 1 and case["median"] > 0.01 for case in cases.values())
    assert not list(FOLDER.glob("vp-*-a"))


def test_a_case_that_is_not() -> None:
    done = subprocess.run([*PROGRAM, "bench", "lab", "no"], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2 and "no case no: there are bridge, bridge-cut, router" in done.stderr
