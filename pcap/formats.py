"""The two formats as the reader drives them: how to open one, which indexer to run, what to do at its events."""

from __future__ import annotations

from vectorplane.pcap.blocks import index_blocks
from vectorplane.pcap.classic import HEADER_SIZE, index_classic, is_classic, parse_header
from vectorplane.pcap.damage import Broken, event_reason
from vectorplane.pcap.index import MORE, SECTION
from vectorplane.pcap.link import KINDS, UNSUPPORTED
from vectorplane.pcap.linktypes import describe
from vectorplane.pcap.sections import description, section_order
from vectorplane.pcap.skips import Interface, SkipLog, collect
from vectorplane.pcap.timestamp import factors
from vectorplane.pcap.window import INTERFACES_MAX, Buffer

_OTHERS = {  # formats that people have under the same file name endings
    b"\x34\xcd\xb2\xa1": "a modified pcap (Kuznetzov)",
    b"\xa1\xb2\xcd\x34": "a modified pcap (Kuznetzov)",
    b"snoo": "a snoop capture",
    b"GMBU": "a Network Monitor capture",
    b"RTSS": "a Network Monitor capture",
}


class Classic:
    """A classic pcap; opening it reads the file header. Raises Broken when the capture must be refused."""

    name, unit, indexer = "pcap", "packet record", index_classic

    def __init__(self, buffer: Buffer) -> None:
        if not buffer.want(HEADER_SIZE):
            raise Broken(f"the file ends within its header ({buffer.left} of {HEADER_SIZE} bytes)")
        try:
            header = parse_header(buffer.head(HEADER_SIZE))
        except ValueError as e:
            raise Broken(str(e)) from e
        if header.linktype not in KINDS:
            raise Broken(f"link type {describe(header.linktype)} is not supported")
        self.interfaces = [Interface(0, header.linktype, header.snaplen)]
        cursor = buffer.cursor
        cursor["swapped"], cursor["scale"], cursor["lengths"] = header.big_endian, header.scale, header.lengths
        cursor["interface_count"] = 1
        buffer.interfaces[0]["link"] = KINDS[header.linktype]
        buffer.advance(HEADER_SIZE)

    def event(self, event: int) -> None:
        raise AssertionError(f"event {event} of a classic pcap")


class Pcapng:
    """A pcapng; opening it reads the first section header. Raises Broken when the capture must be refused."""

    name, unit, indexer = "pcapng", "block", index_blocks

    def __init__(self, buffer: Buffer, skips: SkipLog) -> None:
        self._buffer, self._skips = buffer, skips
        self._order, self._section = "<", -1
        self.interfaces: list[Interface] = []
        while True:
            event = index_blocks(buffer.cursor_address)
            if event == SECTION:
                return self.event(event)
            if event != MORE:
                raise Broken(event_reason(event, int(buffer.cursor["detail"]), 0))
            if not buffer.fill():
                raise Broken(f"the file ends within its section header (byte {buffer.left})")

    def event(self, event: int) -> None:
        length = int(self._buffer.cursor["detail"])
        block = self._buffer.head(length)
        if event == SECTION:
            self._open_section(section_order(block))
        else:
            self._add(block)
        self._buffer.advance(length)

    def _open_section(self, order: str) -> None:
        self._skips.close_section(collect(self._buffer, self.interfaces))
        self._buffer.interfaces[: len(self.interfaces)] = 0
        self._order, self._section = order, self._section + 1
        self.interfaces = []
        self._buffer.cursor["interface_count"] = 0
        self._buffer.cursor["swapped"] = order == ">"

    def _add(self, block: bytes) -> None:
        number = len(self.interfaces)
        if number == INTERFACES_MAX:
            raise Broken(f"more than {INTERFACES_MAX} interfaces in a section")
        new = description(block, self._order, number, self._section)
        row = self._buffer.interfaces[number]
        row["link"] = KINDS.get(new.linktype, UNSUPPORTED)
        row["snaplen"] = new.snaplen
        for field, value in factors(new.resolution, new.tsoffset).items():
            row[field] = value
        self.interfaces.append(new)
        self._buffer.cursor["interface_count"] = len(self.interfaces)


def open_format(buffer: Buffer, skips: SkipLog) -> Classic | Pcapng:
    """The format of the capture whose first bytes are in ``buffer``, by its magic. Raises Broken for any other."""
    if not buffer.want(4):
        raise Broken("the file is empty" if not buffer.left else f"not a capture file ({buffer.left} bytes)")
    magic = buffer.head(4)
    if is_classic(magic):
        return Classic(buffer)
    if magic == b"\x0a\x0d\x0d\x0a":
        return Pcapng(buffer, skips)
    other = _OTHERS.get(magic, f"it begins with {magic.hex(' ')}")
    raise Broken(f"not a pcap or pcapng file: {other}")
