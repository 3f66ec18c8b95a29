"""Tunnels: what is put in front of a packet, what is taken off, and which tunnel it is."""

from __future__ import annotations

from typing import Any

from vectorplane.control.packet_explain.header_text import summary
from vectorplane.control.packet_explain.headers import ETHERNET, IP4, IP6
from vectorplane.control.packet_explain.lookup import onward
from vectorplane.control.packet_explain.moment import Explainer, Explaining, Moment, Told


def explain_encap(at: Moment) -> Explaining:
    """The tunnel, and its outer header."""
    yield
    name = at.interface(at.before.tx)
    facts: dict[str, Any] = {"tunnel": name, "error": at.reason}
    if at.after is None or at.reason:
        return Told([f"tunnel {name}: {at.reason}"], facts)
    outer = summary(at.after.data, IP4)[0]
    put = len(at.after.data) - len(at.before.data)
    lines = [f"tunnel {name}: {put} bytes in front: {outer}"]
    way = onward(at)
    if way:
        lines.append(f"by the route to its other end: {way}")
    return Told(lines, facts | {"bytes": put, "outer": outer, "path": way})


def explain_underlay(at: Moment) -> Explaining:
    """The route to the tunnel's other end."""
    yield
    way = onward(at)
    return Told([at.reason or f"by the route to the tunnel's other end: {way or at.next}"], {"path": way})


def explain_decap(at: Moment) -> Explaining:
    """The tunnel that the packet came through, and what was in it."""
    yield
    if at.after is None or at.reason:
        return Told([f"no tunnel takes it: {at.reason}"], {"tunnel": None, "error": at.reason})
    if at.after.rx == at.before.rx:
        return Told([], {"tunnel": None})
    name = at.interface(at.after.rx)
    kind = {"ip4-input": IP4, "ip6-input": IP6}.get(at.next or "", ETHERNET)
    inner = summary(at.after.data, kind)
    lines = [f"received by tunnel {name}; in it:", *(f"  {line}" for line in inner)]
    return Told(lines, {"tunnel": name, "inner": inner})


EXPLAINERS = (
    Explainer(("vxlan4-encap", "geneve4-encap", "gre-teb-encap", "gre-erspan-encap", "adj-l2-midchain"), explain_encap),
    Explainer(("tunnel-output", "tunnel-output-no-count", "adj-midchain-tx"), explain_underlay),
    Explainer(("vxlan4-input", "geneve4-input", "gre4-input", "ipip4-input"), explain_decap),
)
