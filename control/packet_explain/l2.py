"""Bridging: the port and its domain, what is learnt, where an address is, who is flooded to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from vectorplane.control.packet_explain.ethernet import tags_of
from vectorplane.control.packet_explain.moment import Explainer, Explaining, Moment, Told
from vectorplane.graph_nodes.l2.buffer import L2_BUFFER
from vectorplane.graph_nodes.l2.features import INPUT_FEATURES

if TYPE_CHECKING:
    from vectorplane.backends.engine.l2.domain import Domain
    from vectorplane.backends.engine.l2.l2fib import Entry

MOST_MEMBERS = 16


def l2_of(meta: Any) -> Any:
    """The metadata as L2 nodes see it (`L2_BUFFER`)."""
    return np.frombuffer(meta.tobytes(), L2_BUFFER)[0]


def l2_length(meta: Any) -> int:
    """Bytes of a bridged frame's Ethernet header with its tags."""
    return int(l2_of(meta)["l2_len"])


def _bd_index(at: Moment) -> int:
    return int(l2_of(at.before.meta)["bd_index"]) & 0xFFFF


def _domain(at: Moment) -> Domain | None:
    return at.engine.bridges.by_index.get(_bd_index(at))


def explain_input(at: Moment) -> Explaining:
    """Bridged or cross-connected; which features come."""
    yield
    name = at.interface(at.before.rx)
    port = at.engine.bridges.port(at.before.rx)
    if at.reason or port is None or at.after is None:
        return Told([f"{name} is no port: {at.reason}" if port is None else at.reason], {"port": name})
    if port.domain is None:
        other = at.interface(port.xconnect)
        return Told([f"{name} is cross-connected to {other}"], {"port": name, "xconnect": other})
    bitmap = int(l2_of(at.after.meta)["feature_bitmap"]) & 0xFFFFFFFF
    nodes = [node for bit, (_, node) in reversed([*enumerate(INPUT_FEATURES)]) if bit and bitmap >> bit & 1]
    group = f", split-horizon group {port.shg}" if port.shg else ""
    kind = "group address: " if at.before.first[:1] and at.before.first[0] & 1 else ""
    lines = [
        f"{name} is a port of bridge domain {port.domain.id}{group}",
        f"{kind}the way is {', '.join(dict.fromkeys(nodes)) or 'not there: no feature takes it'}",
    ]
    return Told(lines, {"port": name, "bridge_domain": port.domain.id, "features": nodes})


def _entry_text(at: Moment, entry: Entry) -> str:
    kinds = [n for n, on in (("static", entry.static), ("filter", entry.filter), ("the router's own", entry.bvi)) if on]
    kind = ", ".join(kinds) or ("provisioned" if entry.age_not else "learnt")
    return f"on {at.interface(entry.sw_if_index)} ({kind})" if entry.sw_if_index >= 0 else f"nowhere ({kind})"


def explain_learn(at: Moment) -> Explaining:
    """What the domain knew of the source, and knows now."""
    domain, mac = _domain(at), at.before.first[6:12]
    index = _bd_index(at)
    was = at.engine.l2fib.get(index, mac)
    yield
    now = at.engine.l2fib.get(index, mac)
    facts = {
        "mac": mac.hex(":"),
        "bridge_domain": None if domain is None else domain.id,
        "before": None if was is None else at.interface(was.sw_if_index),
        "now": None if now is None else at.interface(now.sw_if_index),
    }
    if at.reason:
        return Told([f"source {mac.hex(':')}: {at.reason}"], facts)
    if was is None:
        text = "is not learnt" if now is None else f"is learnt on {at.interface(now.sw_if_index)}"
    elif now is not None and was.sw_if_index != now.sw_if_index:
        text = f"was {_entry_text(at, was)}, has moved: {_entry_text(at, now)}"
    else:
        text = f"is known {_entry_text(at, was)}"
    return Told([f"source {mac.hex(':')} {text}"], facts)


def explain_forward(at: Moment) -> Explaining:
    """Where the destination is."""
    mac = at.before.first[:6]
    entry = at.engine.l2fib.get(_bd_index(at), mac)
    yield
    facts = {"mac": mac.hex(":"), "interface": None if entry is None else at.interface(entry.sw_if_index)}
    if entry is None:
        line = f"destination {mac.hex(':')} is not known"
    else:
        line = f"destination {mac.hex(':')} is {_entry_text(at, entry)}"
        if at.next in ("l2-flood", "l2-uu-fwd") or at.reason == "Stale entry Drop":
            line += ", but that was flushed since"
    return Told([line, at.reason] if at.reason else [line], facts | {"error": at.reason})


def explain_flood(at: Moment) -> Explaining:
    """Who gets a replica, and who does not."""
    domain, group = _domain(at), int(l2_of(at.before.meta)["shg"]) & 0xFF
    yield
    if domain is None:
        return Told([at.reason])
    members = domain.members[: domain.flood_count]
    out = [m for m in members if m.sw_if_index != at.before.rx and (not group or m.shg != group)]
    names = [at.interface(m.sw_if_index) + (" (to L3)" if m.is_bvi else "") for m in out]
    shown = ", ".join(names[:MOST_MEMBERS]) + (f" and {len(names) - MOST_MEMBERS} more" * (len(names) > MOST_MEMBERS))
    lines = [f"flooded in bridge domain {domain.id} to {shown}" if names else "nobody to flood to"]
    kept = [at.interface(m.sw_if_index) for m in members if m not in out and m.sw_if_index != at.before.rx]
    if kept:
        lines.append(f"not to {', '.join(kept[:MOST_MEMBERS])}: the same split-horizon group, {group}")
    facts = {"bridge_domain": domain.id, "to": names, "same_group": kept, "error": at.reason}
    return Told([*lines, at.reason] if at.reason else lines, facts)


def _rewrite(at: Moment) -> list[str]:
    """What became of a frame's tags."""
    if at.after is None:
        return []
    was, now = tags_of(at.before.first)[0], tags_of(at.after.first)[0]
    names = [", ".join(f"VLAN {tag}" for tag in tags) or "none" for tags in (was, now)]
    return [f"tags: {names[0]} -> {names[1]}"] if was != now else []


def explain_rewrite(at: Moment) -> Explaining:
    """The port's VLAN tag rewrite."""
    yield
    lines = [at.reason] if at.reason else _rewrite(at) or ["the tags stay as they are"]
    return Told(lines, {"port": at.interface(at.before.rx), "error": at.reason})


def explain_output(at: Moment) -> Explaining:
    """The port where the frame leaves the bridge, and its tag rewrite."""
    yield
    name = at.interface(at.before.tx)
    lines = [f"by port {name}{f': {at.reason}' if at.reason else ''}", *_rewrite(at)]
    return Told(lines, {"port": name, "error": at.reason})


def explain_feature_drop(at: Moment) -> Explaining:
    """No feature took the frame."""
    bitmap = int(l2_of(at.before.meta)["feature_bitmap"]) & 0xFFFFFFFF
    yield
    left = [node for bit, (_, node) in enumerate(INPUT_FEATURES) if bit and bitmap >> bit & 1]
    why = f"{', '.join(left)} is not there" if left else "the port or its domain has switched off what would take it"
    return Told([f"no feature takes the frame: {why}"], {"features": left})


EXPLAINERS = (
    Explainer(("l2-input",), explain_input),
    Explainer(("l2-learn",), explain_learn),
    Explainer(("l2-fwd",), explain_forward),
    Explainer(("l2-flood",), explain_flood),
    Explainer(("l2-input-vtr",), explain_rewrite),
    Explainer(("l2-output", "l2-uu-fwd"), explain_output),
    Explainer(("feature-bitmap-drop",), explain_feature_drop),
)
