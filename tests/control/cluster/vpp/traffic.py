"""Plays flows through a node: first packets reach it at its links, and whoever receives one answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from scapy.layers.l2 import ARP, Ether
from scapy.packet import Packet

from tests.control.cluster.vpp.flows import BLOCKED, ERROR, HERE, HOST, OUTSIDE, Flow, Outcome
from tests.control.cluster.vpp.packets import Seen, encapsulated, message, seen
from tests.control.cluster.vpp.twins import NIC_MAC, Twin
from vectorplane.control.cluster import names
from vectorplane.control.cluster.ipnet import macs
from vectorplane.control.cluster.ipnet.ends import HostEnd, host_end
from vectorplane.control.cluster.kube.model.pods import Pod
from vectorplane.control.cluster.kube.model.services import Service
from vectorplane.control.cluster.simulated.node import NIC

_GATEWAY = 254
_OUTSIDE_ADDRESS = "198.51.100.7"
_FIRST_PORT = 20_000


def node_ip(node: int) -> str:
    """Where a node has its VPP."""
    return f"192.168.16.{node}"


def node_mac(node: int) -> str:
    """Of a node's card, or of the gateway."""
    return f"02:ca:00:00:00:{node:02x}"


class Traffic:
    """See the module. Each flow has a source port of its own."""

    def __init__(self, twin: Twin[Any]) -> None:
        self._twin, self._next = twin, 0

    def introduce(self) -> None:
        """The gateway, the other nodes and the host ask for the node's addresses: now it knows theirs."""
        host = self._host
        asks = [self._ask(NIC, node_mac(n), node_ip(n), HERE) for n in (2, 3, _GATEWAY)]
        asks.append(self._ask(names.HOST_LINK, host.mac, str(host.address.ip), str(host.gateway)))
        answers = [Ether(frame) for _, frame in self._twin.plane.play(asks)]
        assert [a.op for a in answers if ARP in a] == [2] * len(asks), answers

    def play(self, flows: Sequence[Flow]) -> list[Outcome]:
        """First packets of all, then answers of those who received one; who that is must be right."""
        played: dict[str, tuple[Outcome, int]] = {}
        frames = []
        for flow in flows:
            self._next += 1
            tag, port = f"<{self._next:06d}>", _FIRST_PORT + self._next
            ip = message(flow.kind, self._source(flow), self._address(flow.to), port, flow.port, tag)
            ip.ttl = flow.ttl
            frames.append(self._frame(flow.source, ip))
            played[tag] = Outcome(flow), port
        for came in self._sent(frames):
            outcome, _ = played[_tag(came)]
            if outcome.there is not None:
                outcome.more.append(came)
            else:
                outcome.there, outcome.place = came, self._place(came)
        answers = []
        for tag, (outcome, port) in played.items():
            if self._arrived(outcome, port):
                answers.append(self._answer(outcome, tag))
        for came in self._sent(answers):
            outcome, _ = played[_tag(came)]
            assert outcome.back is None, came
            outcome.back = came
        for outcome, port in played.values():
            self._answered(outcome, port)
        return [outcome for outcome, _ in played.values()]

    # --- what is right

    def _arrived(self, outcome: Outcome, port: int) -> bool:
        """Is there somebody to answer? Who does he think it was, and what was he asked for?"""
        flow, there = outcome.flow, outcome.there
        assert outcome.place in flow.places, (str(flow), outcome.place, there)
        if outcome.place == BLOCKED or there is None:
            return False
        if outcome.place == ERROR:
            assert there.ip.dst == self._source(flow), (str(flow), there)
            return False
        found = there.ends
        assert found.src == (flow.seen_as or self._source(flow)), (str(flow), str(found))
        assert flow.seen_as or found.sport == port, (str(flow), str(found))
        assert flow.kind == "ping" or found.dport == (flow.at or flow.port), (str(flow), str(found))
        return True

    def _answered(self, outcome: Outcome, port: int) -> None:
        """Whoever asked is answered, by the one whom he asked."""
        flow, back = outcome.flow, outcome.back
        assert (back is None) == (outcome.place in (BLOCKED, ERROR)), (str(flow), outcome)
        if back is not None:
            found = back.ends
            expected = self._address(flow.to), port if flow.kind == "ping" else flow.port, self._source(flow)
            assert (found.src, found.sport, found.dst) == expected, (str(flow), str(found))
            assert flow.kind == "ping" or found.dport == port, (str(flow), str(found))

    def _place(self, came: Seen) -> str:
        """Where it came out, at the right neighbour."""
        if came.error:
            return ERROR
        if came.link == names.HOST_LINK:
            assert came.frame.dst == self._host.mac
            return HOST
        pod = next((p for p in self._twin.cluster.kube.list_of(Pod) if str(p.address) == came.ip.dst), None)
        name = OUTSIDE if pod is None else f"{pod.namespace}/{pod.name}"
        if came.link == NIC:
            node = next((n for n in (2, 3) if came.ip.dst == node_ip(n)), _GATEWAY)
            hop = node if pod is None else self._node_of(name)
            assert came.frame.dst == node_mac(hop)
            assert came.peer == (node_ip(hop) if pod is not None and self._overlay else "")
        else:
            end = self._twin.end_of(name)
            assert (came.link, came.frame.dst, came.frame.src) == (end.interface, end.mac, end.gateway_mac)
        return name

    # --- who sends

    def _frame(self, source: str, ip: Packet) -> tuple[str, bytes]:
        """A packet of somebody, as it reaches the node."""
        if source == OUTSIDE:
            return NIC, bytes(Ether(src=node_mac(_GATEWAY), dst=NIC_MAC) / ip)
        if source == HOST:
            return names.HOST_LINK, bytes(Ether(src=self._host.mac, dst=macs.host_link(1)) / ip)
        node = self._node_of(source)
        if node == 1:
            end = self._twin.end_of(source)
            return end.interface, bytes(Ether(src=end.mac, dst=end.gateway_mac) / ip)
        ip.ttl -= 1  # its own node is a router, too
        if self._overlay:
            ip = encapsulated(ip, (macs.bvi(node), macs.bvi(1)), (node_ip(node), HERE))
        return NIC, bytes(Ether(src=node_mac(node), dst=NIC_MAC) / ip)

    def _answer(self, outcome: Outcome, tag: str) -> tuple[str, bytes]:
        assert outcome.there is not None
        found = outcome.there.ends
        port = found.sport if found.kind == "ping" else found.dport
        return self._frame(
            outcome.place, message(found.kind, found.dst, found.src, port, found.sport, tag, answer=True)
        )

    def _sent(self, frames: Sequence[tuple[str, bytes]]) -> list[Seen]:
        played = self._twin.plane.play(frames) if frames else []
        return [found for link, frame in played if (found := seen(link, frame)) is not None]

    @staticmethod
    def _ask(link: str, mac: str, ours: str, theirs: str) -> tuple[str, bytes]:
        return link, bytes(Ether(src=mac, dst="ff:ff:ff:ff:ff:ff") / ARP(op=1, hwsrc=mac, psrc=ours, pdst=theirs))

    # --- names and addresses

    def _source(self, flow: Flow) -> str:
        return flow.address or self._address(flow.source)

    def _address(self, name: str) -> str:
        if name == OUTSIDE:
            return _OUTSIDE_ADDRESS
        if name == HOST:
            return str(self._host.address.ip)
        space, slash, rest = name.partition("/")
        if not slash:
            return name
        if space == "svc":
            service = self._twin.cluster.kube.get(Service, rest, "web")
            assert service is not None, name
            return service.cluster_ip
        return str(self._pod(name).address)

    def _pod(self, name: str) -> Pod:
        space, _, rest = name.partition("/")
        pod = self._twin.cluster.kube.get(Pod, rest, space)
        assert pod is not None and pod.address is not None, name
        return pod

    def _node_of(self, name: str) -> int:
        return int(self._pod(name).spec.nodeName.removeprefix("node-"))

    @property
    def _overlay(self) -> bool:
        return self._twin.cluster.settings.transport == "vxlan"

    @property
    def _host(self) -> HostEnd:
        assert self._twin.agent.node is not None
        return host_end(self._twin.agent.node)


def _tag(came: Seen) -> str:
    data = bytes(came.frame)
    return data[data.rindex(b"<") :][:8].decode()


def compare(one: Traffic, other: Traffic, flows: Sequence[Flow]) -> list[tuple[Outcome, Outcome]]:
    """Play flows through both: the same packets come out. Gives what became of each."""
    both = list(zip(one.play(flows), other.play(flows), strict=True))
    different = [f"{a.flow}: {text}" for a, b in both if (text := a.unlike(b))]
    assert not different, "\n".join(different)
    return both
