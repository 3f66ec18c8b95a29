"""MACIP lists in plain Python, as VPP's classifier tables decide them."""

from __future__ import annotations

from collections.abc import Sequence

from vectorplane.backends.engine.acl.macip_rule import PERMIT_BOTH_WAYS, MacipRule

MISS, DENY, PERMIT = "table-miss", "session deny", "permit"


def _network(address: int, length: int, bits: int) -> int:
    return address >> bits - length << bits - length


def _masked(mac: bytes, mask: bytes) -> bytes:
    return bytes(a & b for a, b in zip(mac, mask, strict=True))


def kinds(rules: Sequence[MacipRule]) -> list[tuple[bytes, int, bool]]:
    """Mask, prefix length and family of the tables, in the order in which they are looked at."""
    found: list[tuple[bytes, int, bool]] = []
    for rule in rules:
        kind = rule.mac_mask, rule.src_len, rule.ip6
        if kind not in found:
            found.append(kind)

    def metric(kind: tuple[bytes, int, bool]) -> int:
        members = sum((r.mac_mask, r.src_len, r.ip6) == kind for r in rules)
        return kind[1] + sum(b.bit_count() for b in kind[0]) + kind[2] + 10 * members

    return sorted(found, key=metric)[::-1]


def decide(rules: Sequence[MacipRule], frame: bytes, output: bool = False) -> str:
    """What becomes of an Ethernet frame."""
    if not rules or (output and not any(r.action == PERMIT_BOTH_WAYS for r in rules)):
        return PERMIT
    at = 12
    if frame[12:14] == b"\x81\x00":
        at = 16
    elif frame[12:14] == b"\x88\xa8" and frame[16:18] == b"\x81\x00" and len(frame) >= 22:
        at = 20
    kind, l3 = frame[at : at + 2], frame[at + 2 :]
    if kind == b"\x08\x00" and len(l3) >= 20:
        ip6, ip = False, l3[16:20] if output else l3[12:16]
    elif kind == b"\x86\xdd" and len(l3) >= 40:
        ip6, ip = True, l3[24:40] if output else l3[8:24]
    elif kind == b"\x08\x06" and len(l3) >= 28:
        return _arp(rules, frame, l3, output)
    else:
        return MISS
    mac = frame[:6] if output else frame[6:12]
    bits = 128 if ip6 else 32
    for mask, length, family in kinds(rules):
        if family != ip6:
            continue
        # of rules of one kind with the same addresses the last one counts
        for rule in reversed(rules):
            if (rule.mac_mask, rule.src_len, rule.ip6) != (mask, length, family):
                continue
            if output and rule.action != PERMIT_BOTH_WAYS:
                continue
            same_ip = _network(int.from_bytes(ip, "big"), length, bits) == _network(rule.src, length, bits)
            if same_ip and _masked(mac, mask) == _masked(rule.mac, mask):
                return PERMIT if rule.action else DENY
    return MISS


def _arp(rules: Sequence[MacipRule], frame: bytes, arp: bytes, output: bool) -> str:
    if output:
        return PERMIT if any(r.action == PERMIT_BOTH_WAYS and not r.ip6 for r in rules) else MISS
    address = int.from_bytes(arp[14:18], "big")
    for mask, length, family in kinds(rules):
        if family:
            continue
        for rule in reversed(rules):
            if (rule.mac_mask, rule.src_len, rule.ip6) != (mask, length, family):
                continue
            macs = {_masked(frame[6:12], mask), _masked(arp[8:14], mask)}
            if macs == {_masked(rule.mac, mask)} and _network(address, length, 32) == _network(rule.src, length, 32):
                return PERMIT if rule.action else DENY
    return MISS
