"""Can one reach the other? Seen in packets that are really sent; and why, in copies of the nodes, node by node."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import IPv4Address

from vectorplane.backends.engine.sim_host.host_stack import FirstHop
from vectorplane.backends.engine.sim_host.probe import Probe, ProbeState
from vectorplane.control.cluster.simulated.cluster import OUTSIDE, Cluster
from vectorplane.control.cluster.simulated.cluster_node import ClusterNode, Sender
from vectorplane.control.cluster.simulated.matrix import BLOCKED, REACHED, REFUSED
from vectorplane.control.cluster.simulated.node import NIC
from vectorplane.control.cluster.simulated.targets import Source, Target
from vectorplane.control.cluster.simulated.way import ARRIVED, LOST, Copies, Place, Way, lead
from vectorplane.control.packet_explain.flow import ICMP, SCTP, TCP, UDP, Flow

_SECOND = 1_000_000_000
_TIMEOUT = 3 * _SECOND
"""Of virtual time, for a TCP connection: enough for a first packet lost to ARP, and the next."""
_PORT = 20_000
"""Source port of explained packets: no host sends from it by itself, so they belong to no session."""
_SYN, _ACK = 2, 16
PROTOCOL_NUMBERS = {"tcp": TCP, "udp": UDP, "icmp": ICMP, "sctp": SCTP}
_VERDICTS = {ProbeState.ANSWERED: REACHED, ProbeState.REFUSED: REFUSED}


def probe(host: Sender, target: Target) -> Probe:
    """Begin a try: a TCP connection, a datagram that is echoed, an SCTP INIT, or a ping."""
    address = target.address
    match target.protocol:
        case "tcp":
            return host.connect(address, target.port, timeout=_TIMEOUT)
        case "udp":
            return host.send_udp(address, target.port, b"can you hear me?")
        case "sctp":
            return host.sctp_init(address, target.port)
    return host.ping(address)


def verdict(tried: Probe) -> str:
    """What a try that is over says."""
    return _VERDICTS.get(tried.state, BLOCKED)


@dataclass
class Reach:
    """The answer. ``there``: the way of a first packet; ``back``: of its answer, if it arrived."""

    source: Source
    target: Target
    seen: Probe
    there: Way
    back: Way | None = None
    warnings: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Was it answered?"""
        return self.seen.answered

    @property
    def why(self) -> tuple[str, ...]:
        """What stopped it: policies, or the reason that the dataplane gives."""
        for way in (self.there, self.back):
            if way is not None and not way.is_there:
                return way.sources() or (way.why,)
        return ()


def can_reach(cluster: Cluster, source: Source, target: Target) -> Reach:
    """Try it, then explain it.

    Raises:
        CopyError: it could not be explained.
    """
    tried = probe(source.host, target)
    cluster.wait_for(tried)
    there, back = explain(cluster, source, target)
    answer = Reach(source, target, tried, there, back)
    arrived = there.is_there and back is not None and back.is_there
    refused = tried.state is ProbeState.REFUSED  # by the receiver, or by a node that dropped it and says so
    if arrived != tried.answered and not refused:
        answer.warnings.append("what was seen and what is explained do not agree: this is a bug, please report it")
    return answer


def explain(cluster: Cluster, source: Source, target: Target) -> tuple[Way, Way | None]:
    """The way of a first packet, and that of the answer to it, through copies of the nodes.

    What would be lost to ARP is explained once the neighbours are known.
    """
    for _ in range(len(cluster.nodes) + 1):
        there, back = _ways(cluster, source, target)
        last = there if back is None else back
        if not last.waits_for_arp:
            break
        _meet(cluster, cluster.nodes[last.hops[-1].node])
    return there, back


def _ways(cluster: Cluster, source: Source, target: Target) -> tuple[Way, Way | None]:
    hop = source.host.first_hop(target.address)
    frame = b"" if hop is None else _first(hop, target)
    place = _on_the_wire(cluster, frame) if source.node is None else Place(source.node, source.interface)
    if hop is None or place is None:
        return Way(LOST, why=f"{source.label} has no way to {target.address}"), None

    def onward(node: ClusterNode, interface: str, frame: bytes) -> Place | None:
        return _onward(cluster, node, interface, frame)

    copies = Copies()
    with contextlib.closing(copies):
        there = lead(place, frame, onward, copies)
        answer, begin = _back(cluster, there)
        return there, None if begin is None else lead(begin, answer, onward, copies)


def _meet(cluster: Cluster, node: ClusterNode) -> None:
    """Have a node's host ping the others on the wire, so that the node knows their addresses."""
    found = node.sender(None)
    others = [other.address for other in cluster.nodes.values() if other is not node and not other.down]
    if found is not None:
        addresses = [address for address in (*others, cluster.outside.addresses[0].ip) if address is not None]
        cluster.wait_for(*[found[0].ping(address) for address in addresses])


def _first(hop: FirstHop, target: Target) -> bytes:
    """The first packet of a conversation, as it leaves the sender."""
    number = PROTOCOL_NUMBERS[target.protocol]
    ports = (8, 0) if target.protocol == "icmp" else (_PORT, target.port)
    length = _length(target.protocol)
    flow = Flow(number, hop.source, target.address, *ports, flags=_SYN, ident=_PORT, length=length)
    return hop.next_mac + hop.mac + b"\x08\x00" + flow.packet()


def _length(protocol: str) -> int:
    return {"udp": 16, "icmp": 56}.get(protocol, 0)


def _back(cluster: Cluster, there: Way) -> tuple[bytes, Place | None]:
    """The answer to a packet that came to somebody, and where it arrives; None: there is none."""
    if there.answer is not None:
        interface, frame = there.answer
        return bytes.fromhex(frame), _onward(cluster, cluster.nodes[there.host], interface, bytes.fromhex(frame))
    answer = _answer(bytes.fromhex(there.frame)) if there.verdict == ARRIVED else None
    if answer is None:
        return b"", None
    if there.host == OUTSIDE or not there.hops:
        return answer, _on_the_wire(cluster, answer)
    last = there.hops[-1]
    return answer, Place(cluster.nodes[last.node], last.sent_by)


def _onward(cluster: Cluster, node: ClusterNode, interface: str, frame: bytes) -> Place | None:
    if interface == NIC:
        return _on_the_wire(cluster, frame)
    host = node.host_at(interface)
    return None if host is None else Place(None, host=host)


def _on_the_wire(cluster: Cluster, frame: bytes) -> Place | None:
    """Who takes a frame of that destination on the wire."""
    if frame[:6] == cluster.outside.mac:
        return Place(None, host=OUTSIDE)
    for node in cluster.nodes.values():
        if not node.down and node.nic_mac() == frame[:6]:
            return Place(node, NIC)
    return None


def _answer(frame: bytes) -> bytes | None:
    """What the receiver would answer to a first packet; None: nothing that could be told here."""
    packet = frame[14:]
    header = (packet[0] & 15) * 4
    source, destination = IPv4Address(packet[12:16]), IPv4Address(packet[16:20])
    number, rest = packet[9], packet[header:]
    ports = int.from_bytes(rest[2:4], "big"), int.from_bytes(rest[:2], "big")
    make: Callable[..., Flow] = Flow
    if number == ICMP:
        made = make(ICMP, destination, source, 0, 0, ident=int.from_bytes(rest[4:6], "big"), length=len(rest) - 8)
    elif number in (TCP, UDP, SCTP):
        length = len(rest) - 8 if number == UDP else 0
        made = make(number, destination, source, *ports, flags=_SYN | _ACK, length=length)
    else:
        return None
    return frame[6:12] + frame[:6] + frame[12:14] + made.packet()
