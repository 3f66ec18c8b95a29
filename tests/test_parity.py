"""Recorded scenarios of a real VPP, played onto the engine: the same frames must come out."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.parity_engine import PARITY, play

FAMILIES = ("ip4-", "arp-", "icmp4-")
SCENARIOS = PARITY / "scenarios"


def scenarios() -> list[Path]:
    """The scenarios that the engine must pass by now."""
    return sorted(p for p in SCENARIOS.glob("*.json") if p.name.startswith(FAMILIES))


def test_scenarios_are_there() -> None:
    if not SCENARIOS.is_dir():
        if os.environ.get("CI") == "true":
            pytest.fail(f"{SCENARIOS} is missing")
        pytest.skip(f"{SCENARIOS} is missing")
    assert len(scenarios()) >= 9


@pytest.mark.parametrize("vector_size", [256, 1])
@pytest.mark.parametrize("path", scenarios(), ids=lambda p: p.stem)
def test_same_as_vpp(path: Path, vector_size: int) -> None:
    assert play(path, vector_size=vector_size) == []
