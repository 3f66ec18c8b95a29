"""VLAN tag rewrite of L2 ports, and the EFP filter, on whole frames."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from tests.naive.ethernet_input import Sub, choose


class Rewrite(NamedTuple):
    """Bytes of tags to take off, and tags (as they stand in a frame) to put on."""

    pop: int = 0
    push: bytes = b""


class Operation(NamedTuple):
    """One of VPP's operations, by what it takes off and puts on, in tags."""

    pops: int
    pushes: int


OPERATIONS = (
    Operation(0, 0),
    Operation(0, 1),
    Operation(0, 2),
    Operation(1, 0),
    Operation(2, 0),
    Operation(1, 1),
    Operation(1, 2),
    Operation(2, 1),
    Operation(2, 2),
)
"""disabled, push-1, push-2, pop-1, pop-2, translate-1-1, translate-1-2, translate-2-1, translate-2-2."""


def tag(kind: int, vlan: int) -> bytes:
    """A tag as it stands in a frame."""
    return kind.to_bytes(2, "big") + vlan.to_bytes(2, "big")


def both_ways(op: int, dot1q: bool, tag1: int, tag2: int, own: Sub | None) -> tuple[Rewrite, Rewrite]:
    """What an operation does to what comes in by the port with these own tags, and to what leaves by it."""
    pops, pushes = OPERATIONS[op]
    put = tag(0x8100 if dot1q else 0x88A8, tag1) + tag(0x8100, tag2)
    back = b""
    if own is not None and pops:
        tags = (*own.tags, 0)
        back = tag(own.outer_type, tags[0]) + tag(0x8100, tags[1])
    return Rewrite(4 * pops, put[: 4 * pushes]), Rewrite(4 * pushes, back[: 4 * pops])


def rewrite(frame: bytes, length: int, how: Rewrite) -> bytes | None:
    """The frame with other tags; None: it has fewer than are to go. ``length``: of its header."""
    if length - 14 < how.pop:
        return None
    return frame[:12] + how.push + frame[12 + how.pop :]


def pushed_here(frame: bytes, put: bytes) -> bool:
    """Does the frame carry these tags, whatever its priorities?"""
    there = frame[12 : 12 + len(put)]
    without = bytes(b & 0x0F if i % 4 == 2 else b for i, b in enumerate(there))
    return without == put


def belongs(frame: bytes, port: int, sup: int, subs: Sequence[Sub]) -> bool:
    """Would a frame that arrives at the super-interface, which is in L2 mode, be this port's?"""
    kind = int.from_bytes(frame[12:14], "big")
    if kind not in (0x8100, 0x88A8) or len(frame) < 18:
        return port == sup
    tags = (int.from_bytes(frame[14:16], "big") & 0xFFF,)
    if frame[16:18] == b"\x81\x00" and len(frame) >= 22:
        tags = (tags[0], int.from_bytes(frame[18:20], "big") & 0xFFF)
    if tags == (0,):
        return port == sup  # only a priority
    sub = choose(subs, kind, tags)
    return port == (sup if sub is None else sub.index)
