"""ethernet-input as one reads it in IEEE 802.1Q and in VPP's documentation: one frame at a time, no tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

INNER_ANY = 4095


@dataclass(frozen=True)
class Sub:
    """A sub-interface: outer tag, and inner tag if it has two; no tags at all: the default one."""

    index: int
    tags: tuple[int, ...]
    outer_type: int = 0x8100
    exact: bool = True
    up: bool = True
    l2: bool = False


@dataclass(frozen=True)
class Verdict:
    """Where the frame goes, why, as whose, and how many bytes of header were taken off (in L2 mode: not off)."""

    next: str
    error: str | None
    interface: int
    header: int = 0
    l2_length: int = 0


def choose(subs: Sequence[Sub], outer_type: int, tags: tuple[int, ...]) -> Sub | None:
    """The most specific sub-interface for a frame with one or two tags."""

    def find(wanted: tuple[int, ...], *, exact: bool | None = None) -> Sub | None:
        for s in subs:
            if s.tags == wanted and s.outer_type == outer_type and (exact is None or s.exact == exact):
                return s
        return None

    found = None
    if len(tags) == 2:
        found = find(tags) or find((tags[0], INNER_ANY)) or find(tags[:1], exact=False)
    else:
        found = find(tags)
    return found or next((s for s in subs if not s.tags), None)


def ethernet_input(
    frame: bytes, interface: int, mac: bytes, promiscuous: bool, subs: Sequence[Sub], l2: bool = False
) -> Verdict:
    """What becomes of a frame received by an interface that is up, with these sub-interfaces; ``l2``: in L2 mode."""
    if len(frame) < 14:
        return Verdict("error-drop", "llc length > packet length", interface)
    kind, header = int.from_bytes(frame[12:14], "big"), 14
    owner, bridged = interface, l2
    if kind in (0x8100, 0x88A8):
        if len(frame) < 18:
            return Verdict("error-drop", "llc length > packet length", interface)
        outer_type = kind
        tags = (int.from_bytes(frame[14:16], "big") & 0xFFF,)
        kind, header = int.from_bytes(frame[16:18], "big"), 18
        if kind == 0x8100 and len(frame) >= 22:
            tags = (tags[0], int.from_bytes(frame[18:20], "big") & 0xFFF)
            kind, header = int.from_bytes(frame[20:22], "big"), 22
        if tags != (0,):  # a priority tag alone means: untagged
            sub = choose(subs, outer_type, tags)
            if sub is None and not l2:
                return Verdict("error-drop", "unknown vlan", interface)
            if sub is not None and not sub.up:
                return Verdict("error-drop", "subinterface down", interface)
            if sub is not None:
                owner, bridged = sub.index, sub.l2
    if bridged:
        return Verdict("l2-input", None, owner, 0, header)
    group = frame[0] & 1
    if not promiscuous and frame[:6] != mac and not group:
        return Verdict("error-drop", "l3 mac mismatch", owner)
    if kind == 0x0800:
        return Verdict("ip4-input", None, owner, header)
    if kind == 0x0806:
        return Verdict("arp-input", None, owner, header)
    if kind == 0x86DD:
        return Verdict("ip6-input", None, owner, header)
    if kind < 0x600:
        return Verdict("llc-input", None, owner, header)
    return Verdict("error-punt", "unknown ethernet type", owner, header)
