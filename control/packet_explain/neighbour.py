"""ip4-arp and ip4-glean: the MAC address of the next hop is not known; ip4-rewrite: it is."""

from __future__ import annotations

from ipaddress import IPv4Address
from typing import Any

from vectorplane.control.packet_explain.moment import Explainer, Explaining, Moment, Told
from vectorplane.dataplane.buffer import LOCALLY_ORIGINATED
from vectorplane.graph_nodes.forwarding import Forwarding
from vectorplane.graph_nodes.ip4_header import DONT_FRAGMENT
from vectorplane.graph_nodes.trace_formats import ethernet_header


def _adjacency(at: Moment) -> Any:
    return at.engine.plane.shared(Forwarding).adjacencies[int(at.before.meta["adj"])]


def _hop(adjacency: Any) -> IPv4Address:
    return IPv4Address((int(adjacency["next_hop"]) & 0xFFFFFFFF).to_bytes(4, "little"))


def explain_unknown(at: Moment) -> Explaining:
    """Who is asked for, on which interface, and whether a request leaves."""
    adjacency = _adjacency(at)
    glean = at.node.type.name == "ip4-glean"
    address = IPv4Address(at.before.first[16:20]) if glean else _hop(adjacency)
    yield
    name = at.interface(int(adjacency["sw_if_index"]))
    lines = [f"the MAC address of {address} on {name} is not known; as in VPP the packet is not kept", at.reason]
    facts = {"address": str(address), "interface": name, "error": at.reason}
    return Told([line for line in lines if line], facts)


def explain_rewrite(at: Moment) -> Explaining:
    """TTL, MTU, and the header that is put in front."""
    adjacency, packet = _adjacency(at), at.before.first
    yield
    if len(packet) < 20:
        return Told()
    name, mtu = at.interface(int(adjacency["sw_if_index"])), int(adjacency["mtu"])
    length, ttl = int.from_bytes(packet[2:4], "big"), packet[8]
    ours = bool(int(at.before.meta["flags"]) & LOCALLY_ORIGINATED)
    facts: dict[str, Any] = {"interface": name, "mtu": mtu, "length": length, "ttl": ttl, "error": at.reason}
    if not ours and ttl <= 1:
        return Told([f"TTL {ttl} is used up: {at.reason}"], facts)
    lines = ["the router's own packet: its TTL stays" if ours else f"TTL {ttl} -> {ttl - 1}"]
    if length > mtu and at.next in ("ip4-frag", "ip4-icmp-error"):
        dont = int.from_bytes(packet[6:8], "big") & DONT_FRAGMENT
        what = f"it may not be fragmented: {at.reason}" if dont else "it is fragmented"
        return Told([*lines, f"{length} bytes are more than the MTU of {name}, {mtu}: {what}"], facts)
    lines.append(f"{length} bytes fit in the MTU of {name}, {mtu}")
    if at.after is None or at.reason:
        return Told([*lines, at.reason] if at.reason else lines, facts)
    put = len(at.after.data) - len(at.before.data)
    if at.node.type.name == "ip4-midchain":
        lines.append(f"outer header of {put} bytes for the tunnel {name}")
    else:
        lines.append(f"header for {_hop(adjacency)}: {ethernet_header(at.after.first[:put], payload=False)}")
    features = at.engine.plane.arcs["ip4-output"].chain(int(adjacency["sw_if_index"]))
    if features:
        lines.append(f"features of {name} on ip4-output: {', '.join(features)}")
    return Told(lines, facts | {"neighbour": str(_hop(adjacency)), "features": features})


def explain_fragments(at: Moment) -> Explaining:
    """How many pieces, how long."""
    packet, mtu = at.before.first, int(at.before.meta["icmp_data"])
    yield
    if at.reason or len(packet) < 20:
        return Told([at.reason or "the header is cut"], {"error": at.reason})
    pieces = at.made + (at.after is not None)
    length = int.from_bytes(packet[2:4], "big")
    return Told([f"{length} bytes become {pieces} fragments of at most {mtu}"], {"fragments": pieces, "mtu": mtu})


EXPLAINERS = (
    Explainer(("ip4-frag",), explain_fragments),
    Explainer(("ip4-arp", "ip4-glean"), explain_unknown),
    Explainer(("ip4-rewrite", "ip4-midchain"), explain_rewrite),
)
