"""Compiling lists of ACLs to a matcher (`vectorplane.graph_nodes.acl.rule_match` says what that is)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from vectorplane.dataplane.region import Bump, Region
from vectorplane.graph_nodes.acl.rule_match import (
    FACTOR,
    FINAL,
    MATCHER,
    MOST_LINEAR,
    RULE,
    RULE6,
    RULE6_SIZE,
    RULE_SIZE,
    TUPLE,
)
from vectorplane.jit.words import signed

_U64 = (1 << 64) - 1


class Rule(Protocol):
    """What is compiled (`vectorplane.backends.engine.acl.rule.AclRule` is such)."""

    @property
    def action(self) -> int: ...
    @property
    def ip6(self) -> bool: ...
    @property
    def src(self) -> int: ...
    @property
    def src_len(self) -> int: ...
    @property
    def dst(self) -> int: ...
    @property
    def dst_len(self) -> int: ...
    @property
    def proto(self) -> int: ...
    @property
    def sport_first(self) -> int: ...
    @property
    def sport_last(self) -> int: ...
    @property
    def dport_first(self) -> int: ...
    @property
    def dport_last(self) -> int: ...
    @property
    def tcp_flags_mask(self) -> int: ...
    @property
    def tcp_flags_value(self) -> int: ...


class Placed(NamedTuple):
    """A rule with its place: position of the ACL in the list, the ACL's number, the rule's number in it."""

    position: int
    acl: int
    number: int
    rule: Rule


class Matcher:
    """A compiled list of ACLs: memory that kernels read, `address`, until `close`."""

    def __init__(
        self,
        lists: Sequence[tuple[int, Sequence[Rule]]],
        *,
        number: int,
        context: int,
        workers: int,
        match_fragments: bool = True,
        by_tuples: bool = True,
    ) -> None:
        """``lists``: ACL numbers with their rules, in order; ``number``: unlike any other matcher's, below 2**31."""
        self.rules = [
            Placed(position, acl, i, rule)
            for position, (acl, rules) in enumerate(lists)
            for i, rule in enumerate(rules)
        ]
        """All rules in the order in which they are met; the index is the rule's number in the matcher."""
        self.context = context
        self.made_of = tuple(lists), workers, match_fragments, by_tuples
        """What it was compiled of; no rules of an ACL ever change."""
        four = [(i, p) for i, p in enumerate(self.rules) if not p.rule.ip6]
        six = [(i, p) for i, p in enumerate(self.rules) if p.rule.ip6]
        masks4 = _masks4([p.rule for _, p in four])
        self.tuples = _tuples([p.rule for _, p in four], masks4) if by_tuples and len(four) > MOST_LINEAR else {}
        self._workers = workers
        hits_size = -(-8 * max(len(self.rules), 1) // 64) * 64
        sizes = [_sizes(sum(map(len, u.values()))) for u in self.tuples.values()]
        size = 256 + RULE_SIZE * len(four) + RULE6_SIZE * len(six) + TUPLE.itemsize * len(sizes)
        size += workers * hits_size + sum(bits // 8 + 8 * slots + 128 for bits, slots in sizes) + 8 * 64
        self._region = Region(size, name="acl matcher")
        bump = Bump(self._region)
        self.address = bump.take(MATCHER.itemsize)
        head = self._view(self.address, MATCHER, 1)[0]
        head["number"], head["context"], head["match_fragments"] = number, context, int(match_fragments)
        head["n4"], head["n6"], head["n_tuples"] = len(four), len(six), len(self.tuples)
        flags_used = 0
        for _, p in four:
            if p.rule.proto in (0, 6):
                flags_used |= p.rule.tcp_flags_mask & 0xFF
        head["flags_used"] = flags_used
        head["rules4"] = bump.take(max(RULE_SIZE * len(four), 64))
        head["rules6"] = bump.take(max(RULE6_SIZE * len(six), 64))
        head["tuples"] = bump.take(max(TUPLE.itemsize * len(sizes), 64))
        head["hits"], head["hits_size"] = bump.take(workers * hits_size), hits_size
        self._hits = self._view(int(head["hits"]), np.dtype("i8"), workers * hits_size // 8).reshape(workers, -1)
        rules4 = self._view(int(head["rules4"]), RULE, len(four))
        _put_common(rules4, four)
        rules4["mask"] = np.column_stack(masks4)
        rules6 = self._view(int(head["rules6"]), RULE6, len(six))
        _put_common(rules6, six)
        for k, (_, p) in enumerate(six):
            rules6[k]["mask"], rules6[k]["value"] = _mask6(p.rule)
        ordered = sorted(self.tuples.items(), key=lambda item: min(chain[0] for chain in item[1].values()))
        tuples = self._view(int(head["tuples"]), TUPLE, len(ordered))
        for t, ((addresses, l4), chains) in zip(tuples, ordered, strict=True):
            bits, slots = _sizes(sum(map(len, chains.values())))
            t["address_mask"], t["l4_mask"] = signed(addresses), signed(l4)
            t["filter"], t["slots"] = bump.take(bits // 8), bump.take(8 * slots)
            t["filter_shift"], t["slot_shift"] = 65 - bits.bit_length(), 65 - slots.bit_length()
            t["first"] = min(chain[0] for chain in chains.values())
            t["rules"] = sum(map(len, chains.values()))
            self._fill(t, chains, rules4, bits, slots)

    def copy(self, *, number: int, context: int) -> Matcher:
        """The same for another place: for a large list much quicker than to compile it again."""
        other = Matcher.__new__(Matcher)
        other.rules, other.made_of, other.context = self.rules, self.made_of, context
        other.tuples, other._workers = self.tuples, self._workers
        other._region = Region(self._region.size, name="acl matcher")
        other._region.view(np.dtype("u1"))[:] = self._region.view(np.dtype("u1"))
        moved = other._region.address - self._region.address
        other.address = self.address + moved
        head = other._view(other.address, MATCHER, 1)[0]
        head["number"], head["context"] = number, context
        for field in ("rules4", "rules6", "tuples", "hits"):
            head[field] += moved
        tuples = other._view(int(head["tuples"]), TUPLE, int(head["n_tuples"]))
        for field in ("filter", "slots"):
            tuples[field] += moved
        words = self._hits.size
        other._hits = other._view(int(head["hits"]), np.dtype("i8"), words).reshape(self._workers, -1)
        other._hits[:] = 0
        return other

    def _fill(
        self, t: Any, chains: dict[tuple[int, int], list[int]], rules4: npt.NDArray[Any], bits: int, slots: int
    ) -> None:
        """A tuple's filter and hash table."""
        filter_, table = bytearray(bits // 8), [0] * slots  # arrays of numpy are slow to change one by one
        filter_shift, slot_shift = int(t["filter_shift"]), int(t["slot_shift"])
        for (addresses, l4), chain in chains.items():
            h = _hash(addresses, l4)
            bit = h >> filter_shift
            filter_[bit >> 3] |= 1 << (bit & 7)
            slot = h >> slot_shift
            while table[slot]:
                slot = (slot + 1) & (slots - 1)
            table[slot] = (chain[0] + 1) | (h >> 8 & 0x7FFFFFFF) << 32
            for one, following in pairwise(chain):
                rules4[one]["chain"] = following
        self._view(int(t["filter"]), np.dtype("u1"), len(filter_))[:] = np.frombuffer(filter_, np.uint8)
        self._view(int(t["slots"]), np.dtype("i8"), slots)[:] = table

    def hits(self) -> list[int]:
        """How often each rule was met, by its number in the matcher."""
        return [int(n) for n in self._hits.sum(axis=0)[: len(self.rules)]]

    def _view(self, address: int, dtype: np.dtype[Any], count: int) -> npt.NDArray[Any]:
        return self._region.view(dtype, address - self._region.address, count)

    def close(self) -> None:
        """Give the memory back; no kernel may be using it."""
        self._region.close()


def _tuples(
    rules: Sequence[Rule], masks: tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]
) -> dict[tuple[int, int], dict[tuple[int, int], list[int]]]:
    """By masks of addresses and L4 word: by the value wanted there the rules that want it, in order.

    A rule whose address has bits beyond its prefix is met by nothing and left out. ``masks``: `_masks4`.
    """
    tuples: dict[tuple[int, int], dict[tuple[int, int], list[int]]] = defaultdict(lambda: defaultdict(list))
    words = (each.view(np.uint64).tolist() for each in masks)
    for i, (rule, mask, value) in enumerate(zip(rules, *words, strict=True)):
        if value & ~mask:
            continue
        l4_mask, l4 = 0, 0
        if rule.proto:
            source, destination = (
                _port_mask(rule.sport_first, rule.sport_last),
                _port_mask(rule.dport_first, rule.dport_last),
            )
            l4_mask = source | destination << 16 | 0xFF << 32
            l4 = (rule.sport_first & source) | (rule.dport_first & destination) << 16 | rule.proto << 32
        tuples[mask, l4_mask][value, l4].append(i)
    return tuples


def _port_mask(first: int, last: int) -> int:
    """The bits that all ports of a range have in common."""
    return 0xFFFF & ~((1 << (first ^ last).bit_length()) - 1)


def _sizes(rules: int) -> tuple[int, int]:
    """Bits of a tuple's filter and slots of its table."""
    slots = 1 << max(3, (2 * rules - 1).bit_length())
    return max(512, 4 * slots), slots


def _put_common(records: npt.NDArray[Any], some: Sequence[tuple[int, Placed]]) -> None:
    """All fields of rules but masks; each rule with its number in the matcher."""
    rules = [placed.rule for _, placed in some]
    for port in ("sport", "dport"):
        first, last = (np.array([getattr(r, f"{port}_{end}") for r in rules], np.int64) for end in ("first", "last"))
        records[f"{port}_first"], records[f"{port}_span"] = first, last - first
    records["protocol"] = [r.proto for r in rules]
    records["flags"] = [(r.tcp_flags_mask & 0xFF) | (r.tcp_flags_value & 0xFF) << 8 for r in rules]
    records["action"] = [r.action for r in rules]
    records["acl"], records["rule"] = [p.acl for _, p in some], [p.number for _, p in some]
    records["applied"], records["position"] = [i for i, _ in some], [p.position for _, p in some]
    records["chain"] = -1


def _masks4(rules: Sequence[Rule]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Masks and values of both addresses as a little-endian load of the header sees them, int64 [rules] each."""
    mask, value = (np.zeros(len(rules), np.uint64) for _ in range(2))
    ends = (([r.src for r in rules], [r.src_len for r in rules]), ([r.dst for r in rules], [r.dst_len for r in rules]))
    for shift, (addresses, lengths) in zip((0, 32), ends, strict=True):
        length = np.array(lengths, np.uint64)
        bits = (np.uint64(0xFFFFFFFF) << np.uint64(32) - length).astype(np.uint32).byteswap()
        # VPP: any address meets length 0
        wanted = np.where(length > 0, np.array(addresses, np.uint32), np.uint32(0)).byteswap()
        mask |= bits.astype(np.uint64) << np.uint64(shift)
        value |= wanted.astype(np.uint64) << np.uint64(shift)
    return mask.view(np.int64), value.view(np.int64)


def _mask6(rule: Rule) -> tuple[list[int], list[int]]:
    """Masks and values of both addresses, two words each."""
    masks: list[int] = []
    values: list[int] = []
    for address, length in ((rule.src, rule.src_len), (rule.dst, rule.dst_len)):
        mask = ((1 << 128) - 1 << 128 - length & (1 << 128) - 1).to_bytes(16, "big")
        value = (address if length else 0).to_bytes(16, "big")
        masks += np.frombuffer(mask, "<i8").tolist()
        values += np.frombuffer(value, "<i8").tolist()
    return masks, values


def _hash(addresses: int, l4: int) -> int:
    return (addresses ^ l4 * FACTOR & _U64) * FINAL & _U64
