"""NAT44's nodes: the session of a packet, else the mapping or the pool that makes one, or why nothing is translated."""

from __future__ import annotations

from ipaddress import IPv4Address
from typing import TYPE_CHECKING, Any

from vectorplane.control.packet_explain.headers import flags_text
from vectorplane.control.packet_explain.moment import Explainer, Explaining, Moment, Told
from vectorplane.control.packet_explain.nat44_flow import Found, Looked, end_text, find, ip_of, looked_for
from vectorplane.graph_nodes.nat44.nat import SM_ADDR_ONLY, SM_IDENTITY, SM_LB
from vectorplane.graph_nodes.nat44.texts import TRANSLATION_ERRORS

if TYPE_CHECKING:
    from vectorplane.backends.engine.engine import Engine
    from vectorplane.backends.engine.nat44.static_mappings import Mapping

_FAST = ("nat44-ed-in2out", "nat44-ed-in2out-output", "nat44-ed-out2in")
_SLOW = tuple(f"{name}-slowpath" for name in _FAST)
_NO_SYN = "non-SYN packet try to create session"
_OUT_OF_PORTS = "out of ports"
_TOO_MANY = "maximum sessions exceeded"


def explain_fast(at: Moment) -> Explaining:
    """The session that is there."""
    looked = looked_for(at, ip_of(at, at.node.type.name.endswith("-output")))
    found = find(at, looked)
    yield
    lines = [_looked_text(at.engine, looked)]
    facts: dict[str, Any] = {"looked_for": looked.text() if looked else None, "session": None}
    if found is None:
        lines.append("no session")
    else:
        lines.append(f"its time is up: {found.text()}" if found.expired else found.text())
        facts["session"] = found.json(at.engine)
        if not found.expired and not at.reason:
            lines.append(found.rewrite(at.engine))
    lines += _reason_lines(at, looked)
    return Told(lines, facts, _disagreement(at, found))


def explain_slow(at: Moment) -> Explaining:
    """What makes a session, or does not."""
    inward = "out2in" in at.node.type.name
    looked = looked_for(at, ip_of(at, "-output" in at.node.type.name))
    mapping = mapping_of(at.engine, looked, inward) if looked is not None else None
    before = find(at, looked)
    yield
    lines = [_looked_text(at.engine, looked)]
    facts: dict[str, Any] = {"looked_for": looked.text() if looked else None}
    if mapping is not None:
        lines.append(mapping_text(at.engine, mapping))
        facts["mapping"] = lines[-1]
    elif looked is not None:
        lines.append(f"no mapping of {looked.destination_text if inward else looked.source_text}")
    made = find(at, looked)
    if made is not None and not at.reason:
        is_new = before is None or before.session.index != made.session.index
        lines += [made.made_text() if is_new else made.text(), made.rewrite(at.engine)]
        facts["made"] = made.json(at.engine)
    elif not at.reason and at.next is not None:
        lines.append(_untouched_text(at, looked, mapping, inward))
        facts["untouched"] = lines[-1]
    lines += _reason_lines(at, looked)
    return Told(lines, facts, _disagreement(at, made) if made is not None and not at.reason else None)


def explain_classify(at: Moment) -> Explaining:
    """Which way a packet of an interface that is both goes."""
    looked = looked_for(at, at.before.first)
    found = find(at, looked)
    yield
    way = "as from outside" if at.next == "nat44-ed-out2in" else "as from inside"
    if found is not None:
        why = f"it belongs to session {found.session.index} {found.way}"
    elif at.next == "nat44-ed-out2in":
        why = "its destination is an address of NAT's"
    else:
        why = "no session, and its destination is none of NAT's addresses"
    return Told([f"{way}: {why}"], {"way": way, "why": why})


def _looked_text(engine: Engine, looked: Looked | None) -> str:
    if looked is None:
        return "an ICMP message that has no session: neither echo nor an error about what can have one"
    quoted = " (quoted by the ICMP error, turned round)" if looked.quoted else ""
    return f"looked for {looked.text()} in table {engine.nat44.vrf_of(looked.fib)}{quoted}"


def _reason_lines(at: Moment, looked: Looked | None) -> list[str]:
    """Why the packet is dropped."""
    nat = at.engine.nat44
    if not at.reason:
        return []
    if at.reason == _NO_SYN and looked is not None:
        return [f"only a SYN begins a TCP session, and its flags are {flags_text(looked.flags)}: dropped"]
    if at.reason == _OUT_OF_PORTS:
        pool = ", ".join(str(IPv4Address(p.address)) for p in nat.addresses.pool(False)) or "no address"
        return [f"the pool ({pool}) has no port left for this destination: dropped"]
    if at.reason == _TOO_MANY:
        return [f"there are {len(nat.sessions):,} sessions already, and none of them is silent enough: dropped"]
    outcome = ""
    if at.record is not None and at.record.body is not None and int(at.record.body["outcome"]):
        outcome = f" ({TRANSLATION_ERRORS[int(at.record.body['outcome'])]})"
    return [f"{at.reason}{outcome}: dropped"]


def _untouched_text(at: Moment, looked: Looked | None, mapping: Mapping | None, inward: bool) -> str:
    """Why a packet goes on as it is."""
    nat = at.engine.nat44
    if at.next == "ip4-icmp-error":
        return "its TTL ends here"
    if mapping is not None and mapping.flags & SM_IDENTITY:
        return "the identity mapping says: not translated"
    if at.next == "nat44-ed-in2out":
        return "it belongs to a session from inside: it goes to the node for those"
    if looked is not None and _is_own(at, looked.destination):
        return f"its destination is an address of {at.interface(at.before.rx)} itself: not translated"
    if nat.forwarding:
        return "forwarding is on: what is for no mapping goes on as it is"
    if inward:
        return "an answer for this router itself: not translated"
    return "its destination is not behind an outside interface: not translated"


def _is_own(at: Moment, address: int) -> bool:
    own = at.engine.addresses.of(at.before.rx)
    return any(int(a.ip) == address for a in own)


def mapping_of(engine: Engine, looked: Looked, inward: bool) -> Mapping | None:
    """The mapping that a packet without a session meets: by its destination, or by its source."""
    found: Mapping | None = None
    for m in engine.nat44.mappings:
        whole = bool(m.flags & SM_ADDR_ONLY)
        if inward:
            ends = m.external == looked.destination and (m.external_port == looked.destination_port or whole)
        elif m.flags & SM_LB:
            ends = any((b.address, b.port) == (looked.source, looked.source_port) for b in m.locals)
        else:
            ends = m.local == looked.source and (m.local_port == looked.source_port or whole)
        if ends and (whole or m.proto == looked.proto) and (found is None or not whole):
            found = m
    return found


def mapping_text(engine: Engine, m: Mapping) -> str:
    """A line about a mapping."""
    tag = f" ({m.tag})" if m.tag else ""
    external = end_text(m.external, m.external_port, m.proto)
    if m.flags & SM_IDENTITY:
        return f"identity mapping{tag} of {external}"
    if m.flags & SM_LB:
        total = sum(b.probability for b in m.locals) or 1
        backends = ", ".join(
            f"{end_text(b.address, b.port, m.proto)} ({100 * b.probability / total:.0f} %)" for b in m.locals
        )
        kept = f", for {m.affinity} s the same for a client" if m.affinity else ""
        return f"service{tag} {external}: one of {backends}{kept}"
    return f"mapping{tag} of {external} to {end_text(m.local, m.local_port, m.proto)}"


def _disagreement(at: Moment, found: Found | None) -> str | None:
    """Did the node use another session?"""
    if at.record is None or at.record.body is None:
        return None
    number = int(at.record.body["number"])
    if number < 0 or (found is not None and number == 2 * found.session.index + found.direction):
        return None
    mine = "none" if found is None else f"{found.session.index}, {found.way}"
    return f"the node took session {number >> 1} (half {number & 1}), here it is {mine}"


EXPLAINERS = (
    Explainer(_FAST, explain_fast),
    Explainer(_SLOW, explain_slow),
    Explainer(("nat44-ed-classify",), explain_classify),
)
