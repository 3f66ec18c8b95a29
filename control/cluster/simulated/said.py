"""What one node did with a packet, in a few lines: route, access list, translation, tunnel."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

ROUTE, ACL, NAT, TUNNEL, DROP, SENT = "route", "ACL", "NAT", "tunnel", "dropped", "sent"

Why = Callable[[str, int, str], tuple[str, ...]]
"""Where a rule comes from: by the list's name, the rule's number, and the interface that it was met on."""


class Said(NamedTuple):
    """A line, and what it is about. ``sources``: the objects of Kubernetes that it comes from."""

    about: str
    text: str
    sources: tuple[str, ...] = ()


def said(explanation: dict[str, Any], why: Why) -> list[Said]:
    """The lines of an explanation (`Explanation.json`)."""
    lines = [line for step in explanation["steps"] for line in _step(step, why)]
    outcomes = [p["outcome"] for p in explanation["packets"] if p["origin"] != "made" and p["outcome"]]
    lines += [Said(DROP, f"{o['node']}: {o['reason']}") for o in outcomes if o["kind"] == "dropped"]
    return lines


def _step(step: dict[str, Any], why: Why) -> Iterator[Said]:
    node, facts = step["node"], step["facts"]
    if node == "ip4-lookup" and "route" in facts:
        yield _route(facts)
    elif node.startswith("acl-plugin-"):
        yield _acl(facts, why)
    elif node.startswith("nat44-ed-"):
        yield from _nat(facts)
    elif facts.get("tunnel"):
        yield _tunnel(facts)


def _route(facts: dict[str, Any]) -> Said:
    table, destination, route = facts["table"], facts["destination"], facts["route"]
    if route is None:
        return Said(ROUTE, f"table {table} has no route for {destination}")
    return Said(ROUTE, f"table {table}, {route}: {facts.get('path', '')}")


def _acl(facts: dict[str, Any], why: Why) -> Said:
    where = f"{facts['direction']} of {facts['interface']}"
    if facts["action"] == "session":
        return Said(ACL, f"{where}: belongs to a connection that was let through")
    met = facts.get("met")
    if met is None:
        return Said(ACL, f"{where}: no rule permits it")
    tags = {acl["index"]: acl["tag"] for acl in facts["acls"]}
    name = tags.get(met["acl"], "")
    sources = why(name, int(met["rule"]), facts["interface"])
    verdict = "denied" if facts["action"] == "deny" else "permitted"
    return Said(ACL, f"{where}: {verdict} by {name} rule {met['rule']} ({met['text']})", sources)


def _nat(facts: dict[str, Any]) -> Iterator[Said]:
    """Who is translated; of those who are not there is nothing to tell."""
    made, session, mapping = facts.get("made"), facts.get("session"), facts.get("mapping")
    if made:
        source = f"{_short(mapping)}: " if mapping else ""
        yield Said(NAT, f"{source}{made['rewrite']}")
    elif session and session.get("rewrite") and not session.get("expired"):
        yield Said(NAT, f"by the connection's session: {session['rewrite']}")


def _short(mapping: str) -> str:
    """Without the list of backends."""
    head, one_of, backends = mapping.partition(": one of ")
    return f"{head} has {backends.count('%)')} backends" if one_of else mapping


def _tunnel(facts: dict[str, Any]) -> Said:
    if "outer" in facts:
        return Said(TUNNEL, f"into {facts['tunnel']}: {facts['outer']}")
    return Said(TUNNEL, f"out of {facts['tunnel']}")
