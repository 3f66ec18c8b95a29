"""What a MACIP list is compiled to: VPP's chain of classifier tables, as one hash map.

VPP makes classifier tables of a list: for each kind of rule (mask of the MAC address, prefix length, family) one for IP
packets and, for IPv4, one for ARP, each for frames without, with one (0x8100) and with two tags (0x88a8, 0x8100). A
frame is looked up in one table after the other: the IP tables before those for ARP, kinds in descending order of prefix
length plus bits of the mask plus ten times the number of rules. The first table with an entry for it decides, not the
first rule; of rules of one kind with the same addresses the last one counts. No entry anywhere: the frame is dropped.

Here a key is the kind's number, the packet's type and the masked addresses, so that tags need no entries of their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar

import numpy as np

from vectorplane.dataplane.region import Region
from vectorplane.dataplane.tables.hash_map import HashMap, search_40
from vectorplane.jit.kernel import helper, routine
from vectorplane.jit.ops import ld16, ld32, ld64, rec

KIND = np.dtype(
    [
        ("mac", "i8"),
        ("ip", "i8", (2,)),
        ("family", "i4"),
        ("both_ways", "i4"),  # a rule of this kind is checked on output
        ("pad", "i8", (4,)),
    ],
    align=True,
)
KIND_SIZE = KIND.itemsize
assert KIND_SIZE == 64
MACIP = np.dtype([("map", "i8"), ("kinds", "i8"), ("n", "i8")])
"""A compiled list."""

IP4, IP6, ARP, ARP_OUT = 1, 2, 3, 4
_MAC = (1 << 48) - 1
_IP4_LE, _IP6_LE, _ARP_LE, _VLAN_LE, _QINQ_LE = 0x0008, 0xDD86, 0x0608, 0x0081, 0xA888
OUTPUT_KEY = 1 << 16
MISS = -1


@helper
def _type_at(d: int, length: int) -> int:
    """Bytes up to the type behind the tags that VPP's tables know; 0: the frame is cut."""
    if length < 14:
        return 0
    kind = ld16(d + 12)
    if kind == _VLAN_LE:
        return 16 if length >= 18 else 0
    if kind == _QINQ_LE and length >= 22 and ld16(d + 16) == _VLAN_LE:
        return 20
    return 12


@routine
def find(macip: int, d: int, length: int, is_output: int) -> int:
    """What a list says of the frame at ``d``: permit | rule << 1 | (not the first table) << 32; `MISS`."""
    t = rec(macip, MACIP)
    at = _type_at(d, length)
    if at == 0:
        return MISS
    kind = ld16(d + at)
    l3 = d + at + 2
    left = length - at - 2
    family = 0
    if kind == _IP4_LE and left >= 20:
        family = IP4
    elif kind == _IP6_LE and left >= 40:
        family = IP6
    elif kind == _ARP_LE and left >= 28:
        family = ARP
    if family == 0:
        return MISS
    way = OUTPUT_KEY if is_output else 0
    mac = ld64(d) if is_output else ld64(d + 6)
    for i in range(t.n):
        k = rec(t.kinds + i * KIND_SIZE, KIND)
        if is_output and k.both_ways == 0:
            continue
        value = MISS
        head = i | way | family << 20
        if family == ARP:
            if k.family == IP4:
                if is_output:
                    value = search_40(t.map, i | way | ARP_OUT << 20, 0, 0, 0, 0)
                else:
                    m = k.mac
                    ip = ld32(l3 + 14) & k.ip[0]
                    value = search_40(t.map, head, mac & m, ip, 0, ld64(l3 + 8) & m)
        elif k.family == family:
            if family == IP4:
                value = search_40(t.map, head, mac & k.mac, ld32(l3 + (16 if is_output else 12)) & k.ip[0], 0, 0)
            else:
                a = l3 + (24 if is_output else 8)
                value = search_40(t.map, head, mac & k.mac, ld64(a) & k.ip[0], ld64(a + 8) & k.ip[1], 0)
        if value != MISS:
            first = i == 0 and at == 12 and family != ARP
            return value | (0 if first else 1 << 32)
    return MISS


class Rule(Protocol):
    """What is compiled."""

    @property
    def action(self) -> int: ...
    @property
    def ip6(self) -> bool: ...
    @property
    def mac(self) -> bytes: ...
    @property
    def mac_mask(self) -> bytes: ...
    @property
    def src(self) -> int: ...
    @property
    def src_len(self) -> int: ...


BOTH_WAYS = 3
"""The action of rules that are checked on output, too."""

R = TypeVar("R", bound=Rule)


def by_kind(rules: Sequence[R]) -> list[tuple[tuple[bytes, int, bool], list[R]]]:
    """Rules by mask of the MAC address, prefix length and family, in the order in which they are looked at."""
    kinds: dict[tuple[bytes, int, bool], list[R]] = {}
    for rule in rules:
        kinds.setdefault((rule.mac_mask, rule.src_len, rule.ip6), []).append(rule)
    # ascending, as VPP makes its tables; the last one is looked at first
    return sorted(kinds.items(), key=lambda item: _metric(item[0], len(item[1])))[::-1]


class MacipTable:
    """A compiled list: memory that kernels read, `address`, until `close`."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        ordered = by_kind(rules)
        self._region = Region(64 + KIND_SIZE * max(len(ordered), 1), name="macip list")
        self._map = HashMap(max(16, 4 * len(rules)), 5, "macip rules", seed=0x3AC1)
        self.address = self._region.address
        head = self._region.view(MACIP, 0, 1)[0]
        head["map"], head["kinds"], head["n"] = self._map.address, self.address + 64, len(ordered)
        records = self._region.view(KIND, 64, len(ordered))
        numbers = {id(rule): i for i, rule in enumerate(rules)}
        for i, ((mask, length, ip6), members) in enumerate(ordered):
            record = records[i]
            ips = _words(((1 << 128) - 1) << 128 - length & (1 << 128) - 1 if ip6 else _mask4(length), ip6)
            mac_mask = int.from_bytes(mask, "little")
            record["mac"], record["ip"], record["family"] = mac_mask, ips, IP6 if ip6 else IP4
            record["both_ways"] = any(r.action == BOTH_WAYS for r in members)
            for rule in members:
                mac = int.from_bytes(rule.mac, "little") & mac_mask
                ip = [a & b for a, b in zip(_words(rule.src, ip6), ips, strict=True)]
                value = int(rule.action != 0) | numbers[id(rule)] << 1
                self._map.set((i | (IP6 if ip6 else IP4) << 20, mac, *ip, 0), value)
                if not ip6:
                    self._map.set((i | ARP << 20, mac, *ip, mac), value)
                if rule.action == BOTH_WAYS:
                    self._map.set((i | OUTPUT_KEY | (IP6 if ip6 else IP4) << 20, mac, *ip, 0), value)
                    if not ip6:
                        self._map.set((i | OUTPUT_KEY | ARP_OUT << 20, 0, 0, 0, 0), value)
        self.is_empty = not ordered
        """As in VPP a list without rules checks nothing."""
        self.checks_output = any(rule.action == BOTH_WAYS for rule in rules)

    def close(self) -> None:
        """Give the memory back; no kernel may be using it."""
        self._map.close()
        self._region.close()


def _metric(kind: tuple[bytes, int, bool], rules: int) -> int:
    mask, length, ip6 = kind
    return length + int.from_bytes(mask, "big").bit_count() + int(ip6) + 10 * rules


def _mask4(length: int) -> int:
    return 0xFFFFFFFF << 32 - length & 0xFFFFFFFF


def _words(address: int, ip6: bool) -> list[int]:
    """Two words as little-endian loads see them, signed."""
    if ip6:
        raw = address.to_bytes(16, "big")
        return [int.from_bytes(raw[:8], "little", signed=True), int.from_bytes(raw[8:], "little", signed=True)]
    return [int.from_bytes(address.to_bytes(4, "big"), "little"), 0]
