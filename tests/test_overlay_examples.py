"""The examples of overlays, replayed as a user does, on real captures."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest
from scapy.layers.inet import IP
from scapy.layers.l2 import Dot1Q, Ether
from scapy.layers.vxlan import VXLAN
from scapy.utils import rdpcap
from typer.testing import CliRunner

from tests.replaying import EXAMPLES, LAN, shared
from vectorplane.cli.app import app


def replay(*arguments: object) -> dict[str, int]:
    """Packets by what became of them."""
    done = CliRunner().invoke(app, ["replay", *map(str, arguments)], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    first = re.findall(r"^ (in|generated|out|dropped|consumed) +([\d,]+)", done.output, re.M)[:5]
    books = {name: int(count.replace(",", "")) for name, count in first}
    assert books["in"] + books["generated"] == books["out"] + books["dropped"] + books["consumed"]
    return books


def frames(path: Path) -> list[bytes]:
    """Of a capture."""
    return [bytes(p) for p in rdpcap(str(path))]


@pytest.mark.parametrize("vector_size", [256, 1])
def test_decapsulated_as_scapy_does(tmp_path: Path, vector_size: int) -> None:
    capture = shared("pcaps") / "vxlan.pcap"
    config = tmp_path / "decap.yaml"
    text = (EXAMPLES / "vxlan-decap.yaml").read_text()
    config.write_text(f"engine: {{vector_size: {vector_size}}}\n{text}")
    books = replay(capture, "--config", config, "--out", tmp_path)
    inside = [bytes(p[VXLAN].payload) for p in rdpcap(str(capture))]
    assert frames(tmp_path / "out.pcap") == inside and len(inside) == 127
    assert books["dropped"] == 0


def test_untrusted_checksums_are_dropped(tmp_path: Path) -> None:
    """Those of one direction are wrong in the capture, and then VPP gives the packets up."""
    config = tmp_path / "decap.yaml"
    config.write_text((EXAMPLES / "vxlan-decap.yaml").read_text().replace("trust_checksums: true", "queues: 1"))
    books = replay(shared("pcaps") / "vxlan.pcap", "--config", config, "--out", tmp_path)
    assert books["dropped"] == 73 and len(frames(tmp_path / "out.pcap")) == 54


def test_bridged_and_routed_across_the_tunnel(tmp_path: Path) -> None:
    replay(f"left={LAN}", f"pods-left={LAN}", "--config", EXAMPLES / "overlay.yaml", "--out", tmp_path)
    sent = frames(LAN)
    assert frames(tmp_path / "right.pcap") == sent, "bridged: as it was"
    # routed: two routers decremented the TTL
    wanted: Counter[bytes] = Counter()
    for frame in map(Ether, sent):
        if IP in frame and Dot1Q not in frame and frame.dst == "02:00:00:00:01:01" and frame[IP].ttl > 2:
            packet = frame[IP].copy()
            packet.ttl -= 2
            del packet.chksum
            wanted[bytes(IP(bytes(packet)))] += 1
    arrived = Counter(bytes(Ether(f)[IP]) for f in frames(tmp_path / "pods-right.pcap") if IP in Ether(f))
    assert sum(wanted.values()) > 700 and wanted - arrived == Counter()
    # what is beyond: errors of the first router for packets whose TTL ran out
    assert all(IP(p).proto == 1 and IP(p).src.startswith(("10.1.", "192.168.30.")) for p in arrived - wanted)
