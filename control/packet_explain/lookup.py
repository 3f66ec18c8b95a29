"""ip4-lookup and ip4-load-balance: which route of which table, and which of its paths."""

from __future__ import annotations

from ipaddress import IPv4Address
from typing import TYPE_CHECKING, Any

from vectorplane.control.packet_explain.moment import Explainer, Explaining, Moment, Told
from vectorplane.graph_nodes.fib import Fibs
from vectorplane.graph_nodes.forwarding import (
    DPO_ADJACENCY,
    DPO_ADJACENCY_INCOMPLETE,
    DPO_ADJACENCY_MULTICAST,
    DPO_DROP,
    DPO_GLEAN,
    DPO_ICMP_ERROR,
    DPO_INTERFACE_RX,
    DPO_LOAD_BALANCE,
    DPO_LOOKUP,
    DPO_MIDCHAIN,
    DPO_PATH_MTU,
    DPO_PUNT,
    DPO_RECEIVE,
    HASH_DST,
    HASH_DST_PORT,
    HASH_GTPV1_TEID,
    HASH_PROTO,
    HASH_REVERSE,
    HASH_SRC,
    HASH_SRC_PORT,
    HASH_SYMMETRIC,
    Forwarding,
)

if TYPE_CHECKING:
    from vectorplane.backends.engine.engine import Engine

_HASHED = (
    (HASH_SRC, "source"),
    (HASH_DST, "destination"),
    (HASH_PROTO, "protocol"),
    (HASH_SRC_PORT, "source port"),
    (HASH_DST_PORT, "destination port"),
    (HASH_REVERSE, "reversed"),
    (HASH_SYMMETRIC, "symmetric"),
    (HASH_GTPV1_TEID, "GTP tunnel"),
)
_PLAIN = {
    DPO_DROP: "dropped",
    DPO_PUNT: "to the host (punt)",
    DPO_LOAD_BALANCE: "by another route (load-balance {index})",
    DPO_LOOKUP: "looked up again in table {table}",
    DPO_ICMP_ERROR: "answered by an ICMP error, or dropped",
    DPO_INTERFACE_RX: "begins again as if {interface} had received it",
    DPO_PATH_MTU: "with a path MTU of its own",
}


def where(engine: Engine, kind: int, index: int) -> str:
    """Where a data-path object leads, in words."""
    names = engine.plane.interfaces.names
    if kind in (DPO_ADJACENCY, DPO_ADJACENCY_INCOMPLETE, DPO_MIDCHAIN, DPO_GLEAN, DPO_ADJACENCY_MULTICAST):
        adjacency = engine.plane.shared(Forwarding).adjacencies[index]
        name = names.get(int(adjacency["sw_if_index"]), "?")
        hop = IPv4Address((int(adjacency["next_hop"]) & 0xFFFFFFFF).to_bytes(4, "little"))
        return {
            DPO_ADJACENCY: f"to neighbour {hop} on {name}",
            DPO_ADJACENCY_INCOMPLETE: f"to {hop} on {name}, whose MAC address is not known",
            DPO_MIDCHAIN: f"into the tunnel {name}",
            DPO_GLEAN: f"to a neighbour on {name} that is not known",
            DPO_ADJACENCY_MULTICAST: f"to a group on {name}",
        }[kind]
    if kind == DPO_RECEIVE:
        return f"to this router itself{f', by {names[index]}' if index in names and index else ''}"
    text = _PLAIN.get(kind, f"to object {index} of kind {kind}")
    return text.format(index=index, table=_table_of(engine, index), interface=names.get(index, "?"))


_BY_NODE = {
    "ip4-rewrite": DPO_ADJACENCY,
    "ip4-midchain": DPO_MIDCHAIN,
    "ip4-arp": DPO_ADJACENCY_INCOMPLETE,
    "ip4-glean": DPO_GLEAN,
    "ip4-load-balance": DPO_LOAD_BALANCE,
    "ip4-receive": DPO_RECEIVE,
}


def onward(at: Moment) -> str:
    """Where the packet goes behind a node that has chosen an object for it; empty: that can't be told."""
    kind = _BY_NODE.get(at.next or "")
    return where(at.engine, kind, int(at.after.meta["adj"])) if at.after is not None and kind is not None else ""


def _table_of(engine: Engine, fib: int) -> int:
    tables = engine.plane.shared(Fibs).index_by_id
    return next((table for table, index in tables.items() if index == fib), fib)


def _path(at: Moment, lb: int) -> tuple[list[str], dict[str, Any], str | None]:
    """Which bucket of a load-balance the packet takes; and whether the node took it."""
    engine = at.engine
    forwarding = engine.plane.shared(Forwarding)
    hops = engine.routes.control.load_balances.hops(lb)
    meta = at.after.meta if at.after is not None else at.before.meta
    flow_hash, chosen = int(meta["flow_hash"]) & 0xFFFFFFFF, 0
    lines: list[str] = []
    facts: dict[str, Any] = {"load_balance": lb, "buckets": len(hops)}
    if len(hops) > 1:
        chosen = flow_hash & (len(hops) - 1)
        config = int(forwarding.load_balances[lb]["hash"])
        what = ", ".join(name for bit, name in _HASHED if config & bit)
        ways = ", ".join(f"{n} {w}" for w, n in _ways(engine, hops).items())
        lines.append(f"{len(hops)} buckets: {ways}")
        lines.append(f"flow hash 0x{flow_hash:08x} of {what} chooses bucket {chosen}")
        facts |= {"flow_hash": flow_hash, "bucket": chosen, "hashed": what}
    word = hops[chosen]
    slot, kind, index = word & 0xFFFF, word >> 16 & 0xFFFF, word >> 32 & 0xFFFFFFFF
    lines.append(where(engine, kind, index))
    facts["path"] = lines[-1]
    names = at.node.next_names()
    wanted = names[slot] if slot < len(names) else str(slot)
    if at.after is None or (at.next == wanted and (kind == DPO_DROP or int(meta["adj"]) == index)):
        return lines, facts, None
    return lines, facts, f"the node sent it to {at.next} (object {int(meta['adj'])}), the route says {wanted} ({index})"


def _ways(engine: Engine, hops: list[int]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for word in hops:
        text = where(engine, word >> 16 & 0xFFFF, word >> 32 & 0xFFFFFFFF)
        counts[text] = counts.get(text, 0) + 1
    return counts


def explain_lookup(at: Moment) -> Explaining:
    """The table, the longest prefix that holds the destination, the path."""
    engine, packet = at.engine, at.before.first
    own = int(engine.interfaces.record(at.before.rx)["ip4_table"])
    fib = own if at.before.tx < 0 else at.before.tx
    table = _table_of(engine, fib)
    address = IPv4Address(packet[16:20]) if len(packet) >= 20 else IPv4Address(0)
    route = engine.routes.lookup(int(address), table)
    yield
    whose = f"of {at.interface(at.before.rx)}" if at.before.tx < 0 else "that was chosen before"
    facts: dict[str, Any] = {"table": table, "destination": str(address)}
    if route is None:
        return Told([f"table {table} ({whose}): no route for {address}"], facts | {"route": None})
    facts |= {"route": str(route), "source": route.source}
    lines, path, disagreement = _path(at, route.stats_index)
    head = f"table {table} ({whose}): {address} takes route {route} ({route.source})"
    return Told([head, *lines], facts | path, disagreement)


def explain_load_balance(at: Moment) -> Explaining:
    """The paths of the route that another one leads to."""
    lb = int(at.before.meta["adj"])
    yield
    return Told(*_path(at, lb))


EXPLAINERS = (
    Explainer(("ip4-lookup",), explain_lookup),
    Explainer(("ip4-load-balance",), explain_load_balance),
)
