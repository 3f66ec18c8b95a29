"""The blocks of a TPACKET_V3 ring, read with slices of bytes: what is in them, and what contradicts itself."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

USER, TIMED_OUT = 1, 32
TAGGED, TAG_TYPE_KNOWN = 16, 64


@dataclass
class Seen:
    """What a reader takes out of a ring."""

    packets: list[bytes] = field(default_factory=list)
    partial: int = 0
    damaged: int = 0
    blocks: int = 0
    timed_out: int = 0
    left: int = 0
    """Number of the block that is waited for."""


def read_ring(blocks: list[bytes], start: int = 0, vnet: int = 0) -> Seen:
    """Read blocks from number ``start`` on until one is the host's, or all were read once."""
    seen = Seen(left=start)
    for i in range(len(blocks)):
        block = blocks[(start + i) % len(blocks)]
        status, frames, at = struct.unpack_from("III", block, 8)
        if not status & USER:
            break
        seen.blocks += 1
        seen.timed_out += bool(status & TIMED_OUT)
        seen.left = (start + i + 1) % len(blocks)
        at = max(48, at)
        while frames:
            header = block[at : at + 48] if at < len(block) else b""
            if len(header) < 48:
                seen.damaged += 1
                break
            step, size, whole, flags, mac = struct.unpack("I8xIIIH22x", header)
            tag, kind = struct.unpack("32xIH10x", header)
            data = block[at + mac : at + mac + size]
            if mac < 48 + vnet or size < 14 or len(data) < size:
                seen.damaged += 1
                break
            if whole != size:
                seen.partial += 1
            elif flags & TAGGED:
                known = kind if flags & TAG_TYPE_KNOWN else 0x8100
                seen.packets.append(data[:12] + struct.pack(">HH", known, tag & 0xFFFF) + data[12:])
            else:
                seen.packets.append(data)
            frames -= 1
            at = at + step if step >= 48 else len(block)
    return seen
