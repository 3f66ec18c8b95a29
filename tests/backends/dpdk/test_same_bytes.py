"""The same YAML and capture through capture devices and through net_pcap: the same bytes come out."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from scapy.utils import RawPcapReader

from tests.backends.dpdk.child import TOP, needs_dpdk

pytestmark = needs_dpdk
LAN = TOP / "examples" / "captures" / "lan.pcap"


def _frames(path: Path) -> list[bytes]:
    if path.stat().st_size <= 24:
        return []
    with RawPcapReader(str(path)) as reader:
        return [data for data, _ in reader]


def _replay(config: Path, out: Path, backend: str) -> str:
    command = [sys.executable, "-m", "vectorplane", "replay", str(LAN), "--config", str(config)]
    command += ["--out", str(out), "--backend", backend]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("example", ["router", "home-router", "firewall", "service", "ecmp-vrf"])
def test_same_bytes(example: str, tmp_path: Path) -> None:
    """Without time, packet by packet: DPDK's ports know no time, and an ICMP error's rate limit does."""
    text = (TOP / "examples" / f"{example}.yaml").read_text()
    text = re.sub(r"^  (clock|vector_size):.*\n", "", text, flags=re.M)
    engine = "engine:\n  clock: fast\n  vector_size: 1\n"
    text = text.replace("engine:\n", engine, 1) if "engine:\n" in text else engine + text
    config = tmp_path / "c.yaml"
    config.write_text(text)
    said = {backend: _replay(config, tmp_path / backend, backend) for backend in ("sim", "dpdk")}
    assert "dpdk-input" in said["dpdk"] and "capture-input" in said["sim"]
    files = sorted(f.name for f in (tmp_path / "sim").iterdir())
    assert files
    for name in files:
        assert _frames(tmp_path / "dpdk" / name) == _frames(tmp_path / "sim" / name), name
    assert sum(len(_frames(tmp_path / "sim" / name)) for name in files) > 100


def test_the_balance_in_vectors(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "vectorplane", "replay", str(LAN), "--config", str(TOP / "examples/router.yaml")]
    command += ["--out", str(tmp_path), "--backend", "dpdk", "--clock", "fast", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True)
    said = json.loads(done.stdout)
    assert said["packets_in"] == 785
    left = said["packets_out"] + sum(said["drops"].values()) + sum(said["consumed"].values())
    assert said["packets_in"] + said["generated"] == left
