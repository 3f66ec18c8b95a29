"""The ACL nodes: lists, the packet's session, each rule up to the one that decides.

The rules are walked in plain Python (`acl_walk`). What the node did is held against that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vectorplane.backends.engine.acl.rule import ACTION_NAMES, REFLECT
from vectorplane.control.packet_explain.acl_seen import Seen, see
from vectorplane.control.packet_explain.acl_session import Found, find, skipped_extensions
from vectorplane.control.packet_explain.acl_walk import Tried, Walked, rule_text, walk
from vectorplane.control.packet_explain.headers import protocol_name
from vectorplane.control.packet_explain.l2 import l2_length
from vectorplane.control.packet_explain.moment import Explainer, Explaining, Moment, Told
from vectorplane.graph_nodes.forwarding import Forwarding

if TYPE_CHECKING:
    from vectorplane.backends.engine.acl.acls import Acls

FIRST, LAST = 4, 2
"""Rules that are not met are told of one by one at the beginning and at the end; those between are counted."""
BY_SESSION = 3
_TOO_MANY = "too many sessions to add new"
_CRITERIA = {"family": "another family", "cut": "ports that are not there", "fragment": "a fragment without ports"}


def packet_of(at: Moment, is_input: bool, is_l2: bool) -> bytes:
    """The IP packet that an ACL node looks at, as far as it is in the first buffer."""
    if is_l2:
        return at.before.first[l2_length(at.before.meta) :]
    if is_input:
        return at.before.first
    adjacency = at.engine.plane.shared(Forwarding).adjacencies[int(at.before.meta["adj"])]
    return at.before.first[int(adjacency["rewrite_length"]) :]


def explain_acl(at: Moment) -> Explaining:
    """The lists, the session, the rules, and what was decided."""
    name, acls = at.node.type.name, at.engine.acls
    is_input, ip6, is_l2 = "-in-" in name, "-ip6-" in name, name.endswith("-l2")
    sw_if = at.before.rx if is_input else at.before.tx
    numbers = acls.inputs(sw_if) if is_input else acls.outputs(sw_if)
    packet = packet_of(at, is_input, is_l2)
    found = find(at.engine, packet, sw_if, is_input, ip6, at.time)
    seen = see(packet, ip6, skipped_extensions(at.engine))
    walked = walk([(i, acls[i].rules) for i in numbers], seen, acls.l4_match_nonfirst_fragment)
    yield
    direction = "input" if is_input else "output"
    lists = ", ".join(_list_name(acls, i) for i in numbers) or "none"
    lines = [f"{direction} of {at.interface(sw_if)}: ACLs {lists}", found.text()]
    facts: dict[str, Any] = {
        "interface": at.interface(sw_if),
        "direction": direction,
        "acls": [{"index": i, "tag": acls[i].tag} for i in numbers],
        "packet": _seen_facts(seen),
        "session": found.json(),
    }
    if found.lets_through:
        lines.append("the session lets it through; no rule is looked at")
        expected, met = BY_SESSION, None
    else:
        met = walked.met
        expected = met.rule.action if met is not None else 0
        lines += rule_lines(acls, walked, at.all_rules)
        facts |= _walk_facts(walked, at.all_rules)
        made = None
        if expected == REFLECT and at.reason != _TOO_MANY:
            made = find(at.engine, packet, sw_if, is_input, ip6, at.time)
            lines.append(f"makes {made.made_text()}")
            facts["made"] = made.json()
        elif expected == REFLECT:
            lines.append(f"{at.reason} (at most {acls.max_sessions:,}): denied")
    facts["action"] = "session" if expected == BY_SESSION else ACTION_NAMES[expected]
    return Told(lines, facts, _disagreement(at, expected, met, found))


def _list_name(acls: Acls, index: int) -> str:
    tag = acls[index].tag
    return f"{index} ({tag})" if tag else str(index)


def _rule_name(acls: Acls, tried: Tried) -> str:
    tag = acls[tried.acl].tag
    return f"acl {tried.acl}{f' ({tag})' if tag else ''} rule {tried.number}"


def rule_lines(acls: Acls, walked: Walked, every: bool) -> list[str]:
    """A line for each rule that was looked at; a long run of those that were not met is cut short."""
    passed = [t for t in walked.tried if t.why is not None]
    lines = [f"{_rule_name(acls, t)}: {t.why.text} ({rule_text(t.rule)})" for t in passed if t.why is not None]
    if not every and len(lines) > FIRST + LAST + 1:
        hidden = Walked(passed[FIRST:-LAST])
        counts = ", ".join(f"{n:,} by {_CRITERIA.get(c, c)}" for c, n in hidden.reasons().items())
        lines[FIRST:-LAST] = [f"... {len(hidden.tried):,} more rules are not met: {counts} (--all-rules shows them)"]
    met = walked.met
    if met is not None:
        lines.append(f"{_rule_name(acls, met)} is met: {rule_text(met.rule)}")
    elif walked.tried:
        lines.append(f"none of the rules is met ({len(walked.tried):,}): denied")
    else:
        lines.append("there are no rules: denied")
    return lines


def _seen_facts(seen: Seen | None) -> dict[str, Any] | None:
    if seen is None:
        return None
    return {
        "source": seen.address(seen.source),
        "destination": seen.address(seen.destination),
        "protocol": protocol_name(seen.protocol),
        "ports": list(seen.ports) if seen.ports is not None else None,
        "tcp_flags": seen.tcp_flags,
        "later_fragment": seen.later_fragment,
    }


def _walk_facts(walked: Walked, every: bool) -> dict[str, Any]:
    passed = [t for t in walked.tried if t.why is not None]
    shown = passed if every or len(passed) <= FIRST + LAST + 1 else [*passed[:FIRST], *passed[-LAST:]]
    met = walked.met
    return {
        "not_met": len(passed),
        "not_met_by": walked.reasons(),
        "rules": [
            {"acl": t.acl, "rule": t.number, "text": rule_text(t.rule), "criterion": t.why.criterion, "why": t.why.text}
            for t in shown
            if t.why is not None
        ],
        "met": None if met is None else {"acl": met.acl, "rule": met.number, "text": rule_text(met.rule)},
    }


def _disagreement(at: Moment, expected: int, met: Tried | None, found: Found) -> str | None:
    """Did the node decide otherwise?"""
    if at.record is None or at.record.body is None:
        return None
    body = at.record.body
    action, acl, rule = int(body["action"]), int(body["acl"]), int(body["rule"])
    if expected == REFLECT and action == 0 and at.reason == _TOO_MANY:
        return None
    if action != expected:
        names = {BY_SESSION: "let through by a session", **dict(enumerate(ACTION_NAMES))}
        return f"the node's action is {names.get(action, action)}, the rules say {names[expected]}"
    if expected == BY_SESSION:
        if rule != found.index:
            return f"the node found session {rule}, here it is {found.index}"
    elif (acl, rule) != ((met.acl, met.number) if met is not None else (-1, -1)):
        mine = f"acl {met.acl} rule {met.number}" if met is not None else "none"
        return f"the node met acl {acl} rule {rule}, here it is {mine}"
    return None


NODES = (
    "acl-plugin-in-ip4-fa",
    "acl-plugin-out-ip4-fa",
    "acl-plugin-in-ip6-fa",
    "acl-plugin-in-ip4-l2",
    "acl-plugin-out-ip4-l2",
    "acl-plugin-in-ip6-l2",
    "acl-plugin-out-ip6-l2",
)
EXPLAINERS = (Explainer(NODES, explain_acl),)
