"""Where rules of ACLs come from."""

from __future__ import annotations

from collections.abc import Iterator

from vectorplane.control.cluster.ipam.pod import PodId
from vectorplane.control.cluster.policies.configurator import Isolated
from vectorplane.control.cluster.policies.grants import EGRESS, INGRESS
from vectorplane.control.cluster.policies.processor import Processor
from vectorplane.control.cluster.policies.renderer import node_list
from vectorplane.control.cluster.policies.rule import (
    ALL,
    DENY,
    DENY_ALL,
    NODE_GLOBAL,
    REFLECTION,
    Rule,
    from_net,
    to_net,
)
from vectorplane.control.cluster.policies.rule_list import REFLECTING

NOTHING_DENIED = "nothing is denied here; answers pass the other direction's list"


def why(processor: Processor, acl: str, index: int, pod: PodId | None = None) -> tuple[str, ...]:
    """The sources of a rule. Empty: there is no such rule, or not with that pod.

    They are worked out when they are asked for, from what the lists are made of.
    """
    if acl in (REFLECTION, NODE_GLOBAL):
        rules = (REFLECTING if acl == REFLECTION else node_list(processor.global_rules())).rules
        return tuple(_refused(processor, rules[index])) if index in range(len(rules)) else ()
    found: dict[str, None] = {}
    for identity, local in sorted(processor.local.items()):
        if pod in (None, identity):
            for lists, direction in zip(processor.lists(local), (EGRESS, INGRESS), strict=True):
                for of in lists:
                    if index in range(len(of.rules)) and of.acl.name == acl:
                        found |= dict.fromkeys(_sources(processor, local, direction, of.rules[index]))
    return tuple(found)


def _sources(processor: Processor, pod: Isolated, direction: str, rule: Rule) -> Iterator[str]:
    profile, all_granted = pod.restricted(direction), pod.granted[direction]
    if profile is None or (rule.action == DENY and processor.refusals.senders(rule)):
        yield from _refused(processor, rule)
        return
    if rule in DENY_ALL:
        for granted in all_granted:
            yield f"default deny of policy {granted.policy} ({direction})"
        return
    nodes = processor.cache.nodes
    for address in nodes.own:
        if rule == (to_net(address, ALL) if direction == EGRESS else from_net(address, ALL)):
            yield "the pod's own node"
    if direction != EGRESS and rule == from_net(nodes.loopback, ALL):
        yield "the pod itself, by way of a service (NAT loopback)"
    for granted in all_granted:
        for grant in granted.grants:
            if any(rule == made for made in profile.of_grant(grant)):
                yield f"policy {granted.policy} {direction} rule {grant.number}"
    if direction == EGRESS:
        yield from _service(processor, pod, rule)


def _refused(processor: Processor, rule: Rule) -> Iterator[str]:
    senders = processor.refusals.senders(rule) if rule.action == DENY else set()
    if not senders:
        yield NOTHING_DENIED
    for sender in sorted(senders):
        names = ", ".join(str(g.policy) for g in processor.local[sender].granted[EGRESS])
        yield f"default deny of policy {names} (egress) of pod {sender}, by way of a service"


def _service(processor: Processor, pod: Isolated, rule: Rule) -> Iterator[str]:
    """The rule is about an address in front of a service."""
    fronts, lookup = processor.cache.fronts, processor.cache.lookup
    for service in sorted(fronts.at.get((rule.dst, rule.ports), ())):
        if rule.action == DENY:
            names = ", ".join(str(g.policy) for g in pod.granted[EGRESS])
            yield f"service {service}, whose backends are not all allowed: default deny of policy {names} (egress)"
            continue
        for front in fronts.of[service]:
            if not any(vip[:2] == (rule.dst, rule.ports) for vip in front.vips):
                continue
            if any(b.address == pod.seen.address for b in front.backends):
                yield f"service {service}, which the pod itself serves"
            for backend in front.backends:
                there = [p for p in map(lookup[0].__getitem__, lookup[0].at(backend.address)) if p.known]
                for granted in pod.granted[EGRESS]:
                    for grant in granted.grants:
                        ports = grant.ports_at(backend.address, there)
                        if any(p.has(backend.ports.protocol, backend.ports.first) for p in ports):
                            yield f"service {service}, policy {granted.policy} egress rule {grant.number}"
