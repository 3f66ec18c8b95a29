"""The recorded scenarios through VPP's binary API: ``vectorplane vpp`` as a process, vpp_papi as the client.

What the parity tool does by hand (../shared/parity), for the project's own scenarios (tests/parity) too, and with both
sets of message definitions: VPP's, and those that ``vectorplane api`` writes.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[2] / "shared"
PARITY = SHARED / "parity"
OWN = Path(__file__).parent / "parity" / "scenarios"
COMMAND = f"{sys.executable} -m vectorplane vpp"
WANTED = ("ip4-", "arp-", "icmp4-", "real-", "l2-", "vxlan-", "acl-")

pytestmark = [
    pytest.mark.skipif(not PARITY.exists(), reason="needs ../shared/parity: the tool, and recorded scenarios"),
    pytest.mark.slow,
]


def scenarios() -> list[Path]:
    recorded = [p for p in sorted((PARITY / "scenarios").glob("*.json")) if p.name.startswith(WANTED)]
    return recorded + sorted(OWN.glob("*.json"))


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The message definitions that we write ourselves."""
    from vectorplane.control.vppapi import api_json
    from vectorplane.control.vppapi.handlers import all_handlers
    from vectorplane.control.vppapi.schema.registry import load

    folder = tmp_path_factory.mktemp("api")
    api_json.write(folder, load(), all_handlers())
    return folder


def play(scenario: Path, api_dir: Path) -> list[str]:
    from tests.parity_engine import parity_tool

    options = argparse.Namespace(vpp=COMMAND, api_dir=str(api_dir), trace=False)
    problems: list[str] = parity_tool().play(scenario, options, False)
    return problems


@pytest.mark.parametrize("scenario", scenarios(), ids=lambda p: p.stem)
def test_with_vpps_definitions(scenario: Path) -> None:
    assert play(scenario, SHARED / "vpp-api-json") == []


@pytest.mark.parametrize("scenario", scenarios(), ids=lambda p: p.stem)
def test_with_our_definitions(scenario: Path, generated: Path) -> None:
    assert play(scenario, generated) == []
