"""A node as the connectivity handler leaves it, reduced to what services meet, with an engine that packets go through.

Tables 0 and 1, the pods' gateway, a card (192.168.16.1/24, gateway .254), the link to the host, two pods, and a card in
place of the overlay's BVI, behind which 10.1.2.0/24 and 172.30.2.0/24 are.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, ip_interface, ip_network
from typing import Any

from tests.control.cluster.driver import NIC, Driver
from tests.naive.ip4_packet import Ip4, icmp, l4_checksum, tcp, udp
from vectorplane.backends.devices import options
from vectorplane.backends.engine.backend import EngineBackend
from vectorplane.backends.engine.engine import Engine
from vectorplane.backends.engine.sim_nic import SimNic
from vectorplane.backends.items import (
    BridgeDomain,
    BridgePort,
    Interface,
    InterfaceAddress,
    InterfaceTable,
    InterfaceUp,
    Item,
    L2FibEntry,
    Neighbour,
    Path,
    Route,
    Table,
    Unnumbered,
)
from vectorplane.control.cluster import names
from vectorplane.control.cluster.ipam.pod import PodId
from vectorplane.control.cluster.services.handler import Services
from vectorplane.control.scheduler import Scheduler
from vectorplane.control.transactions.change import Change, Origin

TCP, UDP, ICMP = 6, 17, 1
SYN, SYN_ACK, ACK, FIN_ACK, RST = 2, 18, 16, 17, 4
GATEWAY, HOST, PEER = "192.168.16.254", "172.30.1.2", "192.168.16.2"
MAC = "02:00:00:00:00:aa"
_MAC = bytes.fromhex(MAC.replace(":", ""))


@dataclass(frozen=True)
class Packet:
    """A packet as it is on a link. ``sport`` of ICMP: the identifier. ``link``: where it went or comes from."""

    link: str
    source: str
    destination: str
    sport: int = 0
    dport: int = 0
    proto: int = UDP
    flags: int = 0
    type: int = 0
    data: bytes = b"data"

    def reply(self, flags: int = 0) -> Packet:
        """What comes back when it has arrived."""
        return Packet(
            self.link, self.destination, self.source,
            self.sport if self.proto == ICMP else self.dport, 0 if self.proto == ICMP else self.sport,
            self.proto, flags, 0,
        )  # fmt: skip

    @property
    def ends(self) -> tuple[str, int, str, int]:
        """Source and destination."""
        return self.source, self.sport, self.destination, self.dport

    def frame(self, mac: bytes) -> bytes:
        """As it is on the wire."""
        ip = Ip4(int(IPv4Address(self.source)), int(IPv4Address(self.destination)))
        if self.proto == ICMP:
            ip = icmp(self.type, 0, struct.pack("!HH", self.sport, 1) + b"ping data", ip)
        elif self.proto == UDP:
            ip = udp(self.sport, self.dport, self.data, ip)
        else:
            ip = tcp(self.sport, self.dport, self.data, ip)
            raw = bytearray(ip.payload)
            raw[13], raw[16:18] = self.flags, bytes(2)
            raw[16:18] = l4_checksum(ip.source, ip.destination, TCP, bytes(raw)).to_bytes(2, "big")
            ip.payload = bytes(raw)
        return mac + _MAC + b"\x08\x00" + bytes(ip)


def _read(link: str, frame: bytes) -> Packet | None:
    """A packet that left; its checksums must be right. None: it is no IPv4."""
    if frame[12:14] != b"\x08\x00":
        return None
    ip = Ip4.parse(frame[14:])
    ends = str(IPv4Address(ip.source)), str(IPv4Address(ip.destination))
    if ip.protocol == ICMP:
        return Packet(link, *ends, int.from_bytes(ip.payload[4:6], "big"), 0, ICMP, 0, ip.payload[0])
    sport, dport = struct.unpack("!HH", ip.payload[:4])
    flags = ip.payload[13] if ip.protocol == TCP else 0
    bare = ip.protocol == UDP and ip.payload[6:8] == bytes(2)
    assert bare or l4_checksum(ip.source, ip.destination, ip.protocol, ip.payload) == 0, "checksum"
    data = ip.payload[8 if ip.protocol == UDP else 20 :]
    return Packet(link, *ends, sport, dport, ip.protocol, flags, data=data)


class Rig:
    """See the module. ``driver`` has the handler; what it wants is brought to the engine by `apply`.

    ``tunnel``: the BVI is a real one, with a VXLAN tunnel to 192.168.16.2. ``away``: there is none; the node that the
    other pods are behind is a neighbour of the card.
    """

    def __init__(self, tunnel: bool = False, away: str = "", **more: Any) -> None:
        more = {"gateway": GATEWAY, "host_addresses": (HOST,), "address": "192.168.16.1/24", **more}
        self.driver = Driver(Services, **more)
        self.engine = Engine(buffers=2048)
        self.backend = EngineBackend(self.engine)
        self.scheduler = Scheduler(self.backend)
        self.asked: set[str] = set()
        """Whom VPP asked for by ARP in the last `send`."""
        base: list[Item] = [
            Table(1),
            *_port(NIC, 0, "192.168.16.1/24"),
            *_port(names.HOST_LINK, 0, "172.30.1.1/24"),
            *(_overlay() if tunnel else _port(names.BVI, 1, "192.168.30.1/24")),
            *_port(names.POD_GATEWAY, 1, "10.1.1.1/24", device="loopback"),
            Route(ip_network("0.0.0.0/0"), (Path(GATEWAY, NIC),)),
            Route(ip_network("0.0.0.0/0"), (Path(table=0),), 1),
            Route(ip_network("10.1.1.0/24" if away else "10.1.0.0/16"), (Path(table=1),)),
            *([] if away else [Route(ip_network("172.30.0.0/16"), (Path(table=1),))]),
            Route(ip_network("172.30.1.0/24"), (Path(table=0),), 1),
            Route(ip_network(f"{HOST}/32"), (Path(HOST, names.HOST_LINK),)),
            *(
                Route(ip_network(n), (Path(away, NIC) if away else Path("192.168.30.2", names.BVI),), 0 if away else 1)
                for n in ("10.1.2.0/24", "10.1.3.0/24", "172.30.2.0/24")
            ),
            Neighbour(NIC, IPv4Address(GATEWAY), MAC),
            Neighbour(names.HOST_LINK, IPv4Address(HOST), MAC),
            Neighbour(names.BVI, IPv4Address("192.168.30.2"), MAC),
            Neighbour(NIC, IPv4Address(PEER), MAC),
        ]
        self._commit("base", base)
        self.a = self.add_pod("a").interface
        self.b = self.add_pod("b").interface
        self.address_of = {str(p.id.name): str(p.address) for p in self.driver.node.pods.values()}

    def add_pod(self, name: str) -> Any:
        """One more, the next address of 10.1.1.2, 10.1.1.3 ..."""
        pod = self.driver.add_pod("default", name)
        self._commit(
            f"pod {name}",
            [
                Interface(pod.interface, "sim", options("sim")),
                InterfaceTable(pod.interface, 1),
                Unnumbered(pod.interface, names.POD_GATEWAY),
                InterfaceUp(pod.interface),
                Route(ip_network(f"{pod.address}/32"), (Path(str(pod.address), pod.interface),), 1),
                Neighbour(pod.interface, pod.address, MAC),
            ],
        )
        return pod

    def delete_pod(self, name: str) -> None:
        """It goes, its link last."""
        self.driver.delete_pod("default", name)
        self.driver.node.ipam.release(PodId("default", name))
        self.apply()
        self._commit(f"pod {name}", [])

    def _commit(self, source: str, items: Iterable[Item]) -> None:
        change = Change(source, whole=True)
        for item in items:
            change.put(item, Origin(source, 0))
        record = self.scheduler.commit(change)
        assert not record.failures, record.lines()

    def apply(self) -> Any:
        """Bring what is wanted to the engine."""
        change = Change("agent", whole=True)
        for item in self.driver.wanted:
            change.put(item, Origin("agent", 0))
        record = self.scheduler.commit(change)
        assert not (record.failures or record.pending or record.conflicts), record.lines()
        return record

    def put(self, *records: Any) -> None:
        """Records of the store, brought to the engine."""
        self.driver.put(*records)
        self.driver.check()
        self.apply()

    def send(self, *packets: Packet) -> list[Packet]:
        """Packets arrive at their links; what left, in order."""
        for packet in packets:
            nic = self._nic(packet.link)
            mac = self.engine.interfaces[nic.sw_if_index].mac
            nic.inject([(self.engine.now, packet.frame(bytes(mac)))])
        self.engine.run_until(self.engine.now + 1_000_000)
        found = []
        self.asked.clear()
        for interface in self.engine.interfaces.by_index.values():
            if isinstance(interface.device, SimNic):
                for _, frame in interface.device.transmitted():
                    packet = _read(interface.name, frame)
                    if packet is not None:
                        found.append(packet)
                    elif frame[12:14] == b"\x08\x06":
                        self.asked.add(str(IPv4Address(frame[38:42])))
        return found

    def read(self, link: str, frame: bytes) -> Packet:
        """What a frame has."""
        packet = _read(link, frame)
        assert packet is not None
        return packet

    def one(self, packet: Packet) -> Packet:
        """One packet, of which one leaves."""
        found = self.send(packet)
        assert len(found) == 1, found
        return found[0]

    def _nic(self, name: str) -> SimNic:
        device = self.engine.interfaces[name].device
        assert isinstance(device, SimNic)
        return device

    def wait(self, seconds: float) -> None:
        """Time goes by."""
        self.engine.run_until(self.engine.now + int(seconds * 1e9))

    def close(self) -> None:
        """No buffer is lost."""
        assert self.engine.plane.free_buffers() == self.engine.plane.pool.count
        self.engine.close()


def _overlay() -> list[Item]:
    device = options("vxlan", src=IPv4Address("192.168.16.1"), dst=IPv4Address(PEER), vni=10)
    tunnel = names.tunnel(2)
    return [
        *_port(names.BVI, 1, "192.168.30.1/24", "loopback"),
        BridgeDomain(1, flood=False, uu_flood=False, learn=False),
        BridgePort(names.BVI, 1, "bvi"),
        Interface(tunnel, "vxlan", device),
        InterfaceUp(tunnel),
        BridgePort(tunnel, 1, shg=1),
        L2FibEntry(1, MAC, tunnel),
    ]


def _port(name: str, table: int, address: str, device: str = "sim") -> list[Item]:
    made: list[Item] = [Interface(name, device, options(device)), InterfaceUp(name)]
    if table:
        made.append(InterfaceTable(name, table))
    return [*made, InterfaceAddress(name, ip_interface(address))]
