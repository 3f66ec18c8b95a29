"""Real protocol stacks through a router, through NAT44 and through a VXLAN tunnel: all arrives, or its loss is counted.

The receiving kernel verifies checksums: its interface is a tap whose frames come without a word about them. That it
does is a test of its own here (a wrong checksum is noticed), and so is that it finds none in all the traffic.
"""

from __future__ import annotations

import hashlib
import json
import os
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import pytest

from tests.lab.labs import EXAMPLES, a_lab, links, needs_root, run, served, snmp
from vectorplane.control.lab.lab import Lab
from vectorplane.control.management_client import Client

pytestmark = [needs_root, pytest.mark.slow, pytest.mark.root]

ROUTER = """
instances:
  router:
    interfaces:
      left: {addresses: [10.77.1.1/24], device: {type: tap, %s}}
      right: {addresses: [10.77.2.1/24], device: {type: tap, %s}}
hosts:
  alice: {link: router.left, addresses: 10.77.1.2/24, gateways: 10.77.1.1}
  bob: {link: router.right, addresses: 10.77.2.2/24, gateways: 10.77.2.1}
"""
FILE_BYTES = 100_000_000
EXPECTED = (
    "ip6-not-enabled: ",
    "arp-reply: ",
    "ip4-glean: ARP requests",
    "ip4-arp: ARP requests",
    "ip4-icmp-input: echo",
)
"""What hosts send beside the traffic, and what is said about that; the first packet waits for ARP in vain."""
NO_LOSS = (
    "l2-input: ",
    "l2-learn: ",
    "l2-output: ",
    "l2-flood: ",
    "l2-fwd: ",
    "vxlan4-encap: good",
    "vxlan4-input: good",
)
"""Counters of packets that went on."""
SEND = """
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
s.sendto(bytes.fromhex(sys.argv[1]), (sys.argv[2], 0))
"""


UDP = """
import socket, sys
what, address = sys.argv[1:3]
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
if what == "receive":
    s.bind((address, 4000)); print("ready", flush=True)
    count = len(s.recv(2000)) // 1400; s.settimeout(2)
    try:
        while s.recv(2000): count += 1
    except TimeoutError:
        print(count)
else:
    data = bytes(1400)
    for _ in range(int(sys.argv[3])): s.sendto(data, (address, 4000))
"""
DATAGRAMS, BESIDE = 200_000, 20


@dataclass(frozen=True)
class Scene:
    """A lab, and who talks to whom: alice to ``address``, which ``server`` has; it sees her as ``seen``."""

    lab: Lab
    server: str
    address: str
    seen: str
    exact: bool = True
    """Does the kernel count the packets that we do? Not those that it hands over before it has cut them."""

    def taps(self) -> Iterator[tuple[str, str, str, str]]:
        """Instance, interface, and the namespace and name of the other end."""
        for host in self.lab.plan.hosts:
            yield (*host.link.split("."), host.name, "eth0")
        if self.lab.plan.switches:
            yield from (("west", "core", "core", "port0"), ("east", "core", "core", "port1"))

    def counters(self, instance: str) -> dict[str, Any]:
        with Client(self.lab.instances[instance].socket) as client:
            return dict(client.call("counters"))

    def losses(self) -> dict[str, int]:
        """All that was counted as lost, by us and by the kernel."""
        found: dict[str, int] = {}
        for name in self.lab.instances:
            for reason, count in self.counters(name)["errors"].items():
                if not reason.startswith((*EXPECTED, *NO_LOSS)):
                    found[f"{name}: {reason}"] = count
        for _, _, namespace, link in self.taps():
            for which in ("rx_dropped", "tx_dropped", "rx_errors"):
                found[f"{namespace} {link}: {which}"] = links(self.lab, namespace)[link][which]
        for host in ("alice", self.server):
            found[f"{host}: Udp.RcvbufErrors"] = snmp(self.lab, host)["Udp.RcvbufErrors"]
        return {reason: count for reason, count in found.items() if count}

    def handed_over(self) -> list[tuple[str, int, int]]:
        """At each tap, in each direction: packets that one side sent, and that the other received."""
        rows = []
        for instance, interface, namespace, link in self.taps():
            kernel = links(self.lab, namespace)[link]
            ours = next(i for i in self.counters(instance)["interfaces"] if i["name"] == interface)
            rows.append((f"{instance}.{interface} received", kernel["tx"], ours["rx_packets"]))
            rows.append((f"{instance}.{interface} sent", ours["tx_packets"], kernel["rx"]))
        return rows


OFFLOADS = {
    "router": "",
    "router, checksums left to it": "checksum_offload: true",
    "router, TCP to be cut": "gso: true",
}


@pytest.fixture(scope="module", params=[*OFFLOADS, "nat44", "vxlan"])
def scene(request: pytest.FixtureRequest) -> Iterator[Scene]:
    if request.param in OFFLOADS:
        offload = OFFLOADS[request.param]
        with a_lab(ROUTER % (offload, offload), "router") as lab:
            yield Scene(lab, "bob", "10.77.2.2", "10.77.1.2", exact="gso" not in offload)
    elif request.param == "nat44":
        with a_lab((EXAMPLES / "lab.yaml").read_text(), "nat") as lab:
            yield Scene(lab, "web", "203.0.113.9", "203.0.113.7")
    else:
        with a_lab((EXAMPLES / "lab-vxlan.yaml").read_text(), "vxlan") as lab:
            yield Scene(lab, "bob", "10.88.0.3", "10.88.0.2")


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """100 MB, and their hash."""
    path = tmp_path_factory.mktemp("served") / "file"
    data = os.urandom(1 << 20) * (FILE_BYTES // (1 << 20) + 1)
    path.write_bytes(data[:FILE_BYTES])
    return path, hashlib.sha256(data[:FILE_BYTES]).hexdigest()


@pytest.fixture(autouse=True)
def met(scene: Scene) -> None:
    """Neighbours know one another: no packet has to wait, in vain, for an answer to an ARP request."""
    run(scene.lab, "alice", "ping", "-c", "3", "-i", "0.2", scene.address)


@pytest.fixture
def books(scene: Scene, met: None) -> Iterator[None]:
    """No checksum was found wrong, and what one side of a tap sent the other has."""
    before = {host: snmp(scene.lab, host) for host in ("alice", scene.server)}
    yield
    for host, counts in before.items():
        now = snmp(scene.lab, host)
        wrong = {k: now[k] - counts[k] for k in now if k.endswith("InCsumErrors") and now[k] != counts[k]}
        assert wrong == {}, host
    end = time.monotonic() + 10
    while scene.exact and [row for row in scene.handed_over() if row[1] != row[2]] and time.monotonic() < end:
        time.sleep(0.1)  # something is on its way yet
    if scene.exact:
        assert [row for row in scene.handed_over() if row[1] != row[2]] == []


@pytest.mark.usefixtures("books")
def test_ping(scene: Scene) -> None:
    """None is lost, of any size up to the MTU, nor of fragments."""
    for size in ("0", "56", "1472", "4000"):
        told = run(scene.lab, "alice", "ping", "-c", "20", "-i", "0.02", "-s", size, scene.address)
        assert " 20 received, 0% packet loss" in told


@pytest.mark.usefixtures("books")
def test_a_file_by_http(scene: Scene, file: tuple[Path, str], tmp_path: Path) -> None:
    """100 MB arrive as they are; the server sees the address that it should."""
    path, digest = file
    command = [sys.executable, "-u", "-m", "http.server", "8000", "--directory", str(path.parent)]
    seen = tmp_path / "seen"
    with served(scene.lab, scene.server, "Serving", "sh", "-c", f"exec {' '.join(command)} 2>{seen}"):
        got = tmp_path / "got"
        run(scene.lab, "alice", "curl", "--silent", "--fail", "-o", str(got), f"http://{scene.address}:8000/file")
        assert hashlib.sha256(got.read_bytes()).hexdigest() == digest
    assert seen.read_text().startswith(f"{scene.seen} ")


@pytest.mark.usefixtures("books")
@pytest.mark.parametrize("direction", [(), ("-R",)], ids=["there", "back"])
def test_tcp(scene: Scene, direction: tuple[str, ...]) -> None:
    """iperf3 moves what it can. When something is sent again, a loss was counted, or it was only late (DSACK)."""

    def reasons() -> int:
        late = sum(snmp(scene.lab, host)["TcpExt.TCPDSACKRecv"] for host in ("alice", scene.server))
        return late + sum(scene.losses().values())

    before = reasons()
    with served(scene.lab, scene.server, "listening", "iperf3", "-s", "--forceflush"):
        told = json.loads(run(scene.lab, "alice", "iperf3", "-c", scene.address, "-t", "2", "-J", *direction))
    end = told["end"]
    assert end["sum_received"]["bytes"] > 10_000_000
    assert end["sum_sent"]["retransmits"] == 0 or reasons() > before


@pytest.mark.usefixtures("books")
def test_more_udp_than_can_be_carried(scene: Scene) -> None:
    """Datagrams as fast as a host can send them: each one that did not arrive is in a counter."""
    before = sum(scene.losses().values())
    receiver = scene.lab.command(scene.server, sys.executable, "-c", UDP, "receive", scene.address)
    counting = subprocess.Popen(receiver, stdout=subprocess.PIPE, text=True)
    assert counting.stdout is not None and counting.stdout.readline() == "ready\n"
    run(scene.lab, "alice", sys.executable, "-c", UDP, "send", scene.address, str(DATAGRAMS))
    came = int(counting.communicate(timeout=60)[0])
    assert came > 0
    counted = sum(scene.losses().values()) - before
    # a full queue also drops what the hosts say beside the datagrams: ARP, router solicitations
    assert 0 <= counted - (DATAGRAMS - came) <= BESIDE, scene.losses()


def checksum(data: bytes) -> int:
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


@pytest.mark.parametrize(("protocol", "name"), [(6, "Tcp"), (17, "Udp")])
@pytest.mark.parametrize("right", [True, False], ids=["right", "wrong"])
def test_the_receiving_kernel_looks_at_checksums(scene: Scene, protocol: int, name: str, right: bool) -> None:
    """A wrong one that we carried is noticed there, once; a right one is not."""
    source = next(h.eth0.addresses[0].ip for h in scene.lab.plan.hosts if h.name == "alice")
    addresses = source.packed + IPv4Address(scene.address).packed
    if protocol == 17:
        segment = struct.pack("!HHHH", 4000, 4001, 12, 0) + b"data"
    else:
        segment = struct.pack("!HHIIBBHHH", 4000, 4001, 1, 0, 0x50, 2, 1000, 0, 0)
    at = 6 if protocol == 17 else 16
    value = checksum(addresses + struct.pack("!BBH", 0, protocol, len(segment)) + segment)
    segment = segment[:at] + struct.pack("!H", value if right else value ^ 0x0101) + segment[at + 2 :]
    header = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(segment), 7, 0, 64, protocol, 0) + addresses
    before = snmp(scene.lab, scene.server)[f"{name}.InCsumErrors"]
    run(scene.lab, "alice", sys.executable, "-c", SEND, (header + segment).hex(), scene.address)
    time.sleep(0.3)
    assert snmp(scene.lab, scene.server)[f"{name}.InCsumErrors"] - before == (0 if right else 1)
