"""The nodes of MACIP lists and of Ethernet type lists."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_network
from typing import Any, NamedTuple

from vectorplane.backends.engine.acl.macip_rule import PERMIT_BOTH_WAYS, MacipRule
from vectorplane.control.packet_explain.ethernet import tags_of
from vectorplane.control.packet_explain.l2 import l2_length
from vectorplane.control.packet_explain.moment import Explainer, Explaining, Moment, Told
from vectorplane.dataplane.buffer import CELL, DATA, META
from vectorplane.graph_nodes.acl.macip_table import by_kind
from vectorplane.graph_nodes.trace_names import ETHERNET_TYPES

_IP4, _IP6, _ARP = 0x0800, 0x86DD, 0x0806
_SIZES = {_IP4: 20, _IP6: 40, _ARP: 28}


class Sender(NamedTuple):
    """The addresses that MACIP rules look at: the source's, on the way out the destination's."""

    kind: int
    mac: bytes
    address: int
    arp_mac: bytes
    """Of ARP: the sender's MAC address within. Else as ``mac``."""
    is_output: bool

    @property
    def ip6(self) -> bool:
        """Of IPv6?"""
        return self.kind == _IP6

    @property
    def text(self) -> str:
        """The IP address."""
        return str(IPv6Address(self.address) if self.ip6 else IPv4Address(self.address))


def sender_of(frame: bytes, is_output: bool) -> Sender | str:
    """What rules see of a frame; a text says why they see nothing."""
    at = 12
    if frame[12:14] == b"\x81\x00":
        at = 16
    elif frame[12:14] == b"\x88\xa8" and frame[16:18] == b"\x81\x00":
        at = 20
    kind, rest = int.from_bytes(frame[at : at + 2], "big"), frame[at + 2 :]
    if len(rest) < _SIZES.get(kind, 1 << 30):
        name = ETHERNET_TYPES.get(kind, f"0x{kind:04x}")
        return f"{name} is cut" if kind in _SIZES else f"a frame of type {name} is neither IP nor ARP"
    mac = frame[:6] if is_output else frame[6:12]
    if kind == _ARP:
        return Sender(kind, mac, int.from_bytes(rest[14:18], "big"), rest[8:14], is_output)
    first, size = (8, 16) if kind == _IP6 else (12, 4)
    first += size if is_output else 0
    return Sender(kind, mac, int.from_bytes(rest[first : first + size], "big"), mac, is_output)


def differs(rule: MacipRule, seen: Sender) -> str | None:
    """Why a rule does not count for a frame; None: it does."""
    if rule.ip6 != seen.ip6:
        return f"an {'IPv6' if rule.ip6 else 'IPv4'} rule"
    if seen.is_output and rule.action != PERMIT_BOTH_WAYS:
        return "not for what leaves"
    if seen.kind == _ARP and seen.is_output:
        return None
    for mac, what in ((seen.mac, "MAC address"), (seen.arp_mac, "sender's MAC address in ARP")):
        masked = bytes(a & b for a, b in zip(mac, rule.mac_mask, strict=True))
        wanted = bytes(a & b for a, b in zip(rule.mac, rule.mac_mask, strict=True))
        if masked != wanted:
            mask = "" if rule.mac_mask == b"\xff" * 6 else f" masked by {rule.mac_mask.hex(':')}"
            return f"{what} {mac.hex(':')}{mask} is not {wanted.hex(':')}"
    rest = (128 if rule.ip6 else 32) - rule.src_len
    if rule.src_len and seen.address >> rest != rule.src >> rest:
        return f"address {seen.text} not in {_prefix(rule)}"
    return None


def _prefix(rule: MacipRule) -> str:
    return str(ip_network((rule.src, rule.src_len) if not rule.ip6 else (IPv6Address(rule.src), rule.src_len), False))


def rule_text(rule: MacipRule) -> str:
    """``permit 02:00:00:00:00:01 10.0.0.0/8``."""
    action = {0: "deny", PERMIT_BOTH_WAYS: "permit both ways"}.get(rule.action, "permit")
    mask = "" if rule.mac_mask == b"\xff" * 6 else f"/{rule.mac_mask.hex(':')}"
    return f"{action} {rule.mac.hex(':')}{mask} {_prefix(rule)}"


def decide(rules: Sequence[MacipRule], seen: Sender) -> tuple[int | None, list[tuple[int, str | None]]]:
    """The number of the rule that decides (None: there is none), and each rule that was looked at with why it does not.

    As in VPP the first kind of rules that has an entry for the frame decides; of equal entries the last one counts.
    """
    numbers = {id(rule): i for i, rule in enumerate(rules)}
    looked: list[tuple[int, str | None]] = []
    for _, members in by_kind(rules):
        each = [(numbers[id(rule)], differs(rule, seen)) for rule in members]
        looked += each
        met = [i for i, why in each if why is None]
        if met:
            return met[-1], looked
    return None, looked


def _frame(at: Moment, is_l2: bool, is_output: bool) -> bytes:
    """The frame that the node looks at; of a routed packet that came in the header lies in front of it."""
    if is_l2 or is_output:
        return at.before.first
    meta, pool = at.before.meta, at.engine.plane.pool
    front = int(meta["current_data"]) - int(meta["l2_offset"])
    base = int(at.buffer) * CELL + META + DATA + int(meta["l2_offset"])
    return bytes(pool.bytes[base : base + max(0, front)]) + at.before.first


def explain_macip(at: Moment) -> Explaining:
    """The list of the interface, and the rule that decides."""
    name = at.node.type.name
    is_output, is_l2 = "out" in name, name.startswith("l2-")
    sw_if = at.before.tx if is_output else at.before.rx
    number = at.engine.macips.of(sw_if)
    frame = _frame(at, is_l2, is_output)
    yield
    if number is None:
        return Told([f"{at.interface(sw_if)} has no MACIP list"])
    macip = at.engine.macips[number]
    lines = [f"MACIP list {number}{f' ({macip.tag})' if macip.tag else ''} of {at.interface(sw_if)}"]
    facts: dict[str, Any] = {"interface": at.interface(sw_if), "list": number, "tag": macip.tag}
    seen = sender_of(frame, is_output)
    if isinstance(seen, str):
        return Told([*lines, f"{seen}: dropped"], facts | {"met": None}, _disagreement(at, False))
    met, looked = decide(macip.rules, seen)
    for i, why in looked:
        text = rule_text(macip.rules[i])
        lines.append(f"rule {i}: {text}: {why or ('met' if i == met else 'met, but a later one counts')}")
    if met is None:
        lines.append("no rule is met: dropped")
    permitted = met is not None and macip.rules[met].action != 0
    return Told(lines, facts | {"met": met, "permitted": permitted}, _disagreement(at, permitted))


def _disagreement(at: Moment, permitted: bool) -> str | None:
    passed = not at.reason
    if passed == permitted:
        return None
    return f"the node {'lets it pass' if passed else 'drops it'}, the rules {'permit' if permitted else 'deny'} it"


def explain_types(at: Moment) -> Explaining:
    """Is the Ethernet type listed?"""
    is_output = "-out-" in at.node.type.name
    sw_if = at.before.tx if is_output else at.before.rx
    size = l2_length(at.before.meta)
    kind = int.from_bytes(at.before.first[size - 2 : size], "big") if size >= 14 else tags_of(at.before.first)[1]
    yield
    listed = at.engine.acl_whitelists.of(sw_if)[int(is_output)]
    names = ", ".join(f"0x{t:04x}" for t in listed) or "none: all pass"
    text = "it is listed" if kind in listed else "it is not listed: dropped" if listed else "it passes"
    lines = [f"Ethernet types that {at.interface(sw_if)} lets through: {names}", f"type 0x{kind:04x}: {text}"]
    facts = {"interface": at.interface(sw_if), "listed": list(listed), "type": kind}
    return Told(lines, facts, _disagreement(at, not listed or kind in listed))


EXPLAINERS = (
    Explainer(
        ("l2-input-acl", "l2-output-acl", "ip4-inacl", "ip4-outacl", "ip6-inacl"),
        explain_macip,
    ),
    Explainer(("acl-plugin-in-nonip-l2", "acl-plugin-out-nonip-l2"), explain_types),
)
