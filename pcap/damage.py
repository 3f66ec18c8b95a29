"""What a damaged place of a capture is called: the texts behind the indexers' events."""

from __future__ import annotations

from vectorplane.pcap import index


class Broken(Exception):
    """The bytes not yet indexed can't be a part of a capture; the text says why."""


def event_reason(event: int, detail: int, packet_limit: int) -> str:
    """The reason for an event of `vectorplane.pcap.index` from PACKET_LENGTH on, with the number it came with."""
    match event:
        case index.PACKET_LENGTH:
            return f"a captured length of {detail} bytes is impossible (at most {packet_limit})"
        case index.BLOCK_LENGTH:
            return f"a block length of {detail} bytes is impossible"
        case index.TRAILER:
            return f"the length at the block's end is {detail}, not the one at its start"
        case index.BYTE_ORDER:
            return f"the section header has no byte-order magic (but {detail:#010x})"
        case index.NO_INTERFACE:
            return f"a packet of interface {detail}, which is not described"
        case index.PACKET_FIT:
            return f"{detail} captured bytes do not fit into their block"
    raise AssertionError(f"event {event}")


def cut_off(left: int, fault: str | None, unit: str) -> str | None:
    """The reason when a file ends with ``left`` bytes of an incomplete ``unit``; None when it ended well.

    ``fault`` is how a compressed stream ended, if not as it should.
    """
    if left == 0:
        return fault
    return f"the file ends {left} bytes into a {unit}" + (f": {fault}" if fault else "")
