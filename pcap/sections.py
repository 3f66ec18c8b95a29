"""pcapng: sections and their interfaces, which Python reads (once each; packets are left to compiled code).

Source: draft-ietf-opsawg-pcapng, section 3.5 (options), 4.1 (section header) and 4.2 (interface description).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from vectorplane.pcap.damage import Broken
from vectorplane.pcap.skips import Interface

_NAME, _RESOLUTION, _OFFSET = 2, 9, 14  # if_name, if_tsresol, if_tsoffset


def section_order(block: bytes) -> str:
    """struct's byte order of a section whose header block is given (28 bytes of it at least).

    Raises Broken when its version is not 1.0 (or 1.2, which is the same).
    """
    order = "<" if block[8:12] == b"\x4d\x3c\x2b\x1a" else ">"
    major, minor = struct.unpack_from(order + "HH", block, 12)
    if major != 1 or minor not in (0, 2):
        raise Broken(f"pcapng version {major}.{minor} is not known")
    return order


def _options(block: bytes, at: int, order: str) -> Iterator[tuple[int, bytes]]:
    end = len(block) - 4
    while at + 4 <= end:
        code, length = struct.unpack_from(order + "HH", block, at)
        if code == 0:
            return
        if at + 4 + length > end:
            raise Broken(f"option {code} of an interface description is longer than its block")
        yield code, block[at + 4 : at + 4 + length]
        at += 4 + (length + 3) // 4 * 4


def description(block: bytes, order: str, number: int, section: int) -> Interface:
    """The interface that a whole interface description block describes.

    Raises Broken when an option is longer than the block, or if_tsresol or if_tsoffset has a wrong length.
    """
    linktype, _reserved, snaplen = struct.unpack_from(order + "HHI", block, 8)
    name, resolution, tsoffset = "", 6, 0
    for code, value in _options(block, 16, order):
        if code == _NAME:
            name = "".join(c if c.isprintable() else "?" for c in value.rstrip(b"\0").decode("utf-8", "replace"))
        elif code == _RESOLUTION:
            if len(value) != 1:
                raise Broken(f"an if_tsresol option of {len(value)} bytes instead of 1")
            resolution = value[0]
        elif code == _OFFSET:
            if len(value) != 8:
                raise Broken(f"an if_tsoffset option of {len(value)} bytes instead of 8")
            tsoffset = struct.unpack(order + "q", value)[0]
    return Interface(number, linktype, snaplen, name, resolution, tsoffset, section)
