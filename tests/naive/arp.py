"""What VPP's arp-input and arp-reply do with a frame, in plain Python over a list of FIB entries."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

CONNECTED, ATTACHED, LOCAL = 1, 2, 4
INTERFACE, API, ADJ = range(3)


class Source(NamedTuple):
    """What one source says of an entry."""

    number: int
    flags: int
    interface: int


class Verdict(NamedTuple):
    """What becomes of a frame: the reason that is counted, the reply, (interface, address, MAC) to be learnt."""

    reason: str
    reply: bytes | None = None
    learnt: tuple[int, int, bytes] | None = None


@dataclass
class NaiveArp:
    """One table with its interfaces."""

    addresses: list[tuple[int, int, int]]
    """(interface, address, length)"""
    neighbours: dict[tuple[int, int], bytes]
    routes: list[tuple[int, int, int, bool]]
    """(prefix, length, interface, attached)"""
    lenders: dict[int, int]
    macs: dict[int, bytes]
    entries: dict[tuple[int, int], list[Source]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        def add(prefix: int, length: int, source: int, flags: int, interface: int) -> None:
            self.entries.setdefault((prefix & (-1 << (32 - length)), length), []).append(
                Source(source, flags, interface)
            )

        add(0, 0, API, 0, -1)
        done = set()
        for i, address, length in self.addresses:
            add(address, 32, INTERFACE, CONNECTED | LOCAL, i)
            mask = -1 << (32 - length)
            if (address & mask, length) not in done:
                done.add((address & mask, length))
                add(address, length, INTERFACE, CONNECTED | ATTACHED, i)
                add(address & mask, 32, INTERFACE, 0, -1)
                add((address | ~mask) & 0xFFFFFFFF, 32, INTERFACE, 0, -1)
        for prefix, length, i, attached in self.routes:
            add(prefix, length, API, ATTACHED if attached else 0, i)
        for i, address in self.neighbours:
            add(address, 32, ADJ, ATTACHED, i)
        for sources in self.entries.values():
            sources.sort()

    def _longest(self, address: int, most: int) -> tuple[int, int]:
        return next(
            (address & (-1 << (32 - n)), n)
            for n in range(most, -1, -1)
            if (address & (-1 << (32 - n)), n) in self.entries
        )

    def _resolving(self, key: tuple[int, int]) -> int:
        """The interface of what the entry forwards by; a neighbour only below a prefix of its own interface."""
        best = self.entries[key][0]
        if best.number == ADJ:
            cover = self.entries[self._longest(key[0], key[1] - 1)][0]
            fits = best.interface == cover.interface or self.lenders.get(best.interface) == cover.interface
            return best.interface if cover.flags & ATTACHED and fits else -1
        return best.interface

    def judge(self, rx: int, frame: bytes) -> Verdict:
        """What becomes of an Ethernet frame that holds ARP."""
        arp = frame[14:]
        if len(arp) < 28:
            return Verdict("ARP packet too short")
        sender_mac, sender, target = arp[8:14], int.from_bytes(arp[14:18], "big"), int.from_bytes(arp[24:28], "big")
        opcode = int.from_bytes(arp[6:8], "big")
        if sender == 0:
            return Verdict("IP4 destination address is unset")
        if arp[2:4] != b"\x08\0":
            return Verdict("L3 type not IP4")
        if arp[:2] != b"\0\1":
            return Verdict("L2 type not ethernet")
        if not any(i == rx for i, _, _ in self.addresses) and rx not in self.lenders:
            return Verdict("ARP Disabled")
        there = self._longest(target, 32)
        connected = next((s.interface for s in self.entries[there] if s.interface >= 0), -1)
        unnumbered = rx in self.lenders and self.lenders[rx] == connected
        most, source = 32, None
        while source is None:
            key = self._longest(sender, most)
            for s in self.entries[key]:
                if s.flags & LOCAL:
                    return Verdict("IP4 source address matches local interface")
                if s.flags & (ATTACHED | CONNECTED):
                    source = key
                    break
            if key[1] == 0:
                break
            most = key[1] - 1
        if source is None and not unnumbered:
            return Verdict("IP4 source address not local to subnet")
        me = (rx, sender, sender_mac)
        if any(s.number == ADJ for s in self.entries[there]):
            if connected != rx:
                return Verdict("IP4 destination address not local to subnet")
            if sender == target:
                return Verdict("ARP request IP4 source address learned", None, me)
            return Verdict("ARP replies sent")
        flags = next((s.flags for s in self.entries[there] if s.flags & CONNECTED), 0)
        if not flags:
            return Verdict("IP4 destination address not local to subnet")
        vrrp = opcode == 2 and sender_mac[:5] == bytes.fromhex("00005e0001")
        if frame[6:12] != sender_mac and not vrrp:
            return Verdict("ARP hw addr does not match L2 frame src addr")
        if opcode == 2:
            if flags & LOCAL:
                return Verdict("ARP request IP4 source address learned", None, me)
            return Verdict("IP4 destination address not local to subnet")
        if opcode == 1 and not flags & LOCAL:
            return Verdict("ARP replies sent")
        where = -1 if source is None else self._resolving(source)
        if (rx != connected or rx != where) and not unnumbered:
            return Verdict("RX interface is unnumbered to different subnet")
        if sender == target:
            return Verdict("ARP probe or announcement dropped")
        reply = frame[6:12] + self.macs[rx] + b"\x08\6" + arp[:6] + b"\0\2" + self.macs[rx] + arp[24:28] + arp[8:18]
        return Verdict("ARP replies sent", reply + arp[28:], me)
