"""Which rule a packet meets, found by walking the rules in plain Python, and why it does not meet those before.

It knows nothing of how kernels find rules (`vectorplane.graph_nodes.acl`), so that both can be held against each other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from vectorplane.backends.engine.acl.rule import ACTION_NAMES, AclRule
from vectorplane.control.packet_explain.acl_seen import ICMP, ICMP6, TCP, UDP, Seen
from vectorplane.control.packet_explain.headers import flags_text, protocol_name

FAMILY, SOURCE, DESTINATION, PROTOCOL = "family", "source", "destination", "protocol"
FRAGMENT, CUT, SOURCE_PORT, DESTINATION_PORT, FLAGS = "fragment", "cut", "source port", "destination port", "flags"
"""Criteria by which rules differ from a packet, in the order in which they are looked at."""


class Why(NamedTuple):
    """Why a packet does not meet a rule: the first criterion that differs, and in words."""

    criterion: str
    text: str


def differs(rule: AclRule, seen: Seen, match_fragments: bool = True) -> Why | None:
    """Why the packet does not meet the rule; None: it does."""
    if rule.ip6 != seen.ip6:
        return Why(FAMILY, f"an {'IPv6' if rule.ip6 else 'IPv4'} rule")
    for criterion, address, prefix, length, text in (
        (SOURCE, seen.source, rule.src, rule.src_len, rule.src_text),
        (DESTINATION, seen.destination, rule.dst, rule.dst_len, rule.dst_text),
    ):
        rest = (128 if rule.ip6 else 32) - length
        if length and address >> rest << rest != prefix:
            if prefix & (1 << rest) - 1:
                return Why(criterion, f"{criterion} {text} has bits beyond its length: nothing is in it")
            return Why(criterion, f"{criterion} {seen.address(address)} not in {text}")
    if rule.proto == 0:
        return None
    if rule.proto != seen.protocol:
        return Why(PROTOCOL, f"protocol {protocol_name(seen.protocol)} is not {protocol_name(rule.proto)}")
    if seen.later_fragment:
        return None if match_fragments else Why(FRAGMENT, "a fragment without ports")
    if seen.ports is None:
        return Why(CUT, "the packet ends before its ports")
    return _l4_differs(rule, seen, seen.ports)


def _l4_differs(rule: AclRule, seen: Seen, ports: tuple[int, int]) -> Why | None:
    names = ("type", "code") if seen.protocol in (ICMP, ICMP6) else (SOURCE_PORT, DESTINATION_PORT)
    spans = ((rule.sport_first, rule.sport_last), (rule.dport_first, rule.dport_last))
    for criterion, name, value, (first, last) in zip((SOURCE_PORT, DESTINATION_PORT), names, ports, spans, strict=True):
        if not first <= value <= last:
            none = "" if seen.protocol in (TCP, UDP, ICMP, ICMP6) else f" (as {protocol_name(seen.protocol)} has none)"
            wanted = f"is not {first}" if first == last else f"not in {first}-{last}"
            return Why(criterion, f"{name} {value}{none} {wanted}")
    if seen.tcp_flags is not None and seen.tcp_flags & rule.tcp_flags_mask != rule.tcp_flags_value:
        have = flags_text(seen.tcp_flags & rule.tcp_flags_mask)
        mask, wanted = flags_text(rule.tcp_flags_mask), flags_text(rule.tcp_flags_value)
        return Why(FLAGS, f"TCP flags {flags_text(seen.tcp_flags)} masked by {mask} are {have}, not {wanted}")
    return None


def rule_text(rule: AclRule) -> str:
    """``permit+reflect tcp any -> 192.0.2.1/32 destination port 80``."""
    action = ACTION_NAMES[rule.action] if rule.action < len(ACTION_NAMES) else f"action {rule.action}"
    text = f"{action} {protocol_name(rule.proto) if rule.proto else 'ip'} {_ends(rule)}"
    if not rule.proto:
        return text
    icmp = rule.proto == (ICMP6 if rule.ip6 else ICMP)
    names, top = (("type", "code"), 255) if icmp else ((SOURCE_PORT, DESTINATION_PORT), 65535)
    for name, first, last in (
        (names[0], rule.sport_first, rule.sport_last),
        (names[1], rule.dport_first, rule.dport_last),
    ):
        if first > 0 or last < top:
            text += f" {name} {first}" if first == last else f" {name} {first}-{last}"
    if rule.tcp_flags_mask or rule.tcp_flags_value:
        text += f" flags {flags_text(rule.tcp_flags_value)} of {flags_text(rule.tcp_flags_mask)}"
    return text


def _ends(rule: AclRule) -> str:
    source, destination = (
        text if address or length else "any"
        for address, length, text in (
            (rule.src, rule.src_len, rule.src_text),
            (rule.dst, rule.dst_len, rule.dst_text),
        )
    )
    return f"{source} -> {destination}"


class Tried(NamedTuple):
    """One rule that was looked at; ``why`` is None for the one that the packet meets."""

    acl: int
    number: int
    rule: AclRule
    why: Why | None


class Walked(NamedTuple):
    """All rules that were looked at, in order."""

    tried: list[Tried]

    @property
    def met(self) -> Tried | None:
        """The rule that decides; None: no rule is met, the packet is denied."""
        return self.tried[-1] if self.tried and self.tried[-1].why is None else None

    def reasons(self) -> dict[str, int]:
        """How many rules were not met, by the criterion that differed first."""
        return dict(Counter(t.why.criterion for t in self.tried if t.why is not None))


def walk(lists: Iterable[tuple[int, Sequence[AclRule]]], seen: Seen | None, match_fragments: bool = True) -> Walked:
    """Go through the rules of ACLs (number and rules of each, in order) up to the first that the packet meets."""
    tried: list[Tried] = []
    if seen is None:
        return Walked(tried)
    for acl, number, rule in _each(lists):
        why = differs(rule, seen, match_fragments)
        tried.append(Tried(acl, number, rule, why))
        if why is None:
            break
    return Walked(tried)


def _each(lists: Iterable[tuple[int, Sequence[AclRule]]]) -> Iterator[tuple[int, int, AclRule]]:
    for acl, rules in lists:
        for number, rule in enumerate(rules):
            yield acl, number, rule
