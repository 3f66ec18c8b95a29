"""Engines that hold what the handler wants, joined by a switch, with frames from pods, hosts and the outside."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address, ip_interface
from typing import Any

from scapy.layers.inet import ICMP, IP, UDP
from scapy.layers.l2 import ARP, Ether

from tests.control.cluster.driver import NIC, Driver
from tests.control.cluster.ipnet.records import kubernetes, vpp
from vectorplane.backends.devices import options
from vectorplane.backends.engine.backend import EngineBackend
from vectorplane.backends.engine.devices import DeviceMaker
from vectorplane.backends.engine.engine import Engine
from vectorplane.backends.engine.network import Network
from vectorplane.backends.engine.report import report
from vectorplane.backends.engine.sim_link import Link
from vectorplane.backends.engine.sim_nic import SimNic
from vectorplane.backends.items import BridgeDomain, BridgePort, Interface, InterfaceUp, Item
from vectorplane.control.cluster import names
from vectorplane.control.cluster.ipnet.ends import host_end, pod_end
from vectorplane.control.cluster.ipnet.handler import Ipnet
from vectorplane.control.cluster.settings import ClusterSettings
from vectorplane.control.cluster.this_node import LocalPod, Nic
from vectorplane.control.scheduler import Change, Origin, Scheduler

SECOND = 1_000_000_000
GATEWAY, GATEWAY_MAC = "192.168.16.200", "02:00:00:00:99:01"
OUTSIDE = "outside"
"""The switch's port where the gateway is."""


class Router:
    """An engine that holds items."""

    def __init__(self, items: Any = ()) -> None:
        self.engine = Engine(buffers=4096)
        self.devices = DeviceMaker()
        self.scheduler = Scheduler(EngineBackend(self.engine, self.devices))
        self.scheduler.resync()
        self.hold(items)

    def hold(self, items: Any) -> None:
        """These, and nothing else."""
        change = Change("test", whole=True)
        for item in items:
            change.put(item, Origin("test", 0))
        record = self.scheduler.commit(change)
        assert record.outcome == "applied" and not record.pending, record.text()
        assert self.scheduler.verify() == [], self.scheduler.verify()

    def port(self, name: str) -> SimNic:
        return self.devices.ports[name]

    def close(self) -> None:
        made = report(self.engine.plane)
        assert made.missing == 0, made
        self.engine.close()


class Member:
    """A node of the cluster: what its handler wants, and the router that holds it."""

    def __init__(self, number: int, settings: ClusterSettings, host: str) -> None:
        self.number, self.host = number, host
        self.driver = Driver(
            Ipnet, node_id=number, name=f"node-{number}", settings=settings, gateway=GATEWAY, host_addresses=[host]
        )
        self.node = self.driver.node
        address = ip_interface(f"192.168.16.{number}/24")
        self.node.nic = Nic(NIC, address, mac=f"02:00:00:00:16:{number:02x}")
        self.driver.resync()
        self.router = Router(self.driver.wanted)

    def sync(self) -> None:
        self.driver.check()
        self.router.hold(self.driver.wanted)

    def add_pod(self, name: str, address: str | None = None) -> LocalPod:
        made = self.driver.add_pod("default", name, address)
        self.sync()
        return made


class Cluster:
    """Nodes 1 to ``count`` with their hosts at 10.20.0.NUMBER."""

    def __init__(self, count: int = 2, settings: ClusterSettings | None = None, tell: bool = True) -> None:
        self.members = {n: Member(n, settings or ClusterSettings(), f"10.20.0.{n}") for n in range(1, count + 1)}
        ports = [*(f"to-{n}" for n in self.members), OUTSIDE]
        switch: list[Item] = [BridgeDomain(7)]
        for port in ports:
            switch += [Interface(port, "sim", options("sim")), BridgePort(port, 7), InterfaceUp(port)]
        self.switch = Router(switch)
        self.wires = [Link(m.router.port(NIC), self.switch.port(f"to-{n}"), 1000) for n, m in self.members.items()]
        routers = [self.switch, *(m.router for m in self.members.values())]
        self.network = Network([r.engine for r in routers], self.wires)
        self._routers = routers
        self.now = SECOND
        if tell:
            for number in self.members:
                self.put(vpp(number), kubernetes(number))
        self.start()

    def put(self, *records: Any) -> None:
        """All agents see these records."""
        for member in self.members.values():
            member.driver.put(*records)
            member.sync()

    def delete(self, *records: Any) -> None:
        for member in self.members.values():
            member.driver.delete(*records)
            member.sync()

    def start(self) -> None:
        """Hosts, nodes and the gateway hear of each other: routers lose packets while they ask for addresses."""
        for number, member in self.members.items():
            end = host_end(member.node)
            self._ask(member.router.port(names.HOST_LINK), end.mac, str(end.address.ip), str(end.gateway))
            self._ask(self.switch.port(OUTSIDE), GATEWAY_MAC, GATEWAY, f"192.168.16.{number}")
            for other in self.members:
                if other != number:
                    nic = self.members[other].router
                    mine = f"02:00:00:00:16:{number:02x}"
                    self._ask(nic.port(NIC), mine, f"192.168.16.{number}", f"192.168.16.{other}")
        self.run()
        self.heard()

    def _ask(self, port: SimNic, mac: str, ours: str, theirs: str) -> None:
        frame = Ether(src=mac, dst="ff:ff:ff:ff:ff:ff") / ARP(op=1, hwsrc=mac, psrc=ours, pdst=theirs)
        port.inject([(self.now, bytes(frame))])

    def run(self) -> None:
        self.now += SECOND // 100
        self.network.run()

    def heard(self) -> list[tuple[str, Ether]]:
        """What came out since the last call, by the place where: NUMBER/PORT or outside; no ARP."""
        found: list[tuple[str, Ether]] = []
        for number, member in self.members.items():
            for name, port in member.router.devices.ports.items():
                if name != NIC:
                    found += [(f"{number}/{name}", Ether(frame)) for _, frame in port.transmitted()]
        found += [(OUTSIDE, Ether(frame)) for _, frame in self.switch.port(OUTSIDE).transmitted()]
        return [(where, frame) for where, frame in found if ARP not in frame]

    # --- who sends

    def from_pod(self, number: int, pod: LocalPod, to: str, payload: Any = None) -> list[tuple[str, Ether]]:
        """A pod sends a packet. Gives what came out anywhere."""
        member = self.members[number]
        end = pod_end(member.node, pod)
        frame = Ether(src=end.mac, dst=end.gateway_mac) / IP(src=str(end.address.ip), dst=to) / (payload or DATA)
        return self.send(member.router.port(pod.interface), frame)

    def from_host(self, number: int, to: str, payload: Any = None) -> list[tuple[str, Ether]]:
        """A node's host sends a packet over its link to VPP."""
        member = self.members[number]
        end = host_end(member.node)
        assert any(ip_address(to) in network for network in end.routes), "the host has no such route"
        to_vpp = member.router.engine.interfaces[names.HOST_LINK].mac.hex(":")
        frame = Ether(src=end.mac, dst=to_vpp) / IP(src=str(end.address.ip), dst=to) / (payload or DATA)
        return self.send(member.router.port(names.HOST_LINK), frame)

    def send(self, port: SimNic, frame: Ether) -> list[tuple[str, Ether]]:
        port.inject([(self.now, bytes(frame))])
        self.run()
        return self.heard()

    def close(self) -> None:
        for router in self._routers:
            router.close()


DATA = UDP(sport=4000, dport=5000) / b"some data of a pod"
PING = ICMP(type=8, id=1, seq=1) / b"ping"


@contextmanager
def cluster(count: int = 2, settings: ClusterSettings | None = None, tell: bool = True) -> Iterator[Cluster]:
    made = Cluster(count, settings, tell)
    yield made
    made.close()
