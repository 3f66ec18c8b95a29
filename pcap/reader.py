"""Reading a capture, window by window, in constant memory; pcap or pcapng, found by its magic.

The bytes of a window are indexed by compiled code; Python runs once a window (and once for each description
of a pcapng section or interface). Captured bytes are not copied, but for what a window's end cuts through.
"""

from __future__ import annotations

import os
from types import TracebackType
from typing import BinaryIO

from vectorplane.pcap.damage import Broken, cut_off, event_reason
from vectorplane.pcap.decompress import decompressed
from vectorplane.pcap.errors import CaptureError, Damage
from vectorplane.pcap.formats import open_format
from vectorplane.pcap.index import DESCRIPTION, LONG_BLOCK, MORE, SECTION
from vectorplane.pcap.skips import Interface, SkipLog, collect
from vectorplane.pcap.source import Stream
from vectorplane.pcap.window import DEFAULT_LIMITS, Buffer, Limits, Window

__all__ = ["CaptureReader", "Limits", "Window"]


class CaptureReader:
    """A capture file, pipe or file object, plain or compressed (gzip, zstd).

    ``source`` is a path, "-" for standard input, or a binary file object, which is read from where it stands
    and left open. ``name`` is what messages call it. The window (``window_bytes``, at least what one packet
    may need) never moves. With ``strict``, damage and packets that can't be delivered raise CaptureError from
    `next_window`; else they end up in ``damage`` and ``warnings``.

    ``size`` is the bytes of the file as stored (None for a pipe), ``position`` how many of them were consumed.
    ``damage`` is set when the end was reached by damage. ``interfaces`` describes those of the section at hand.

    Raises CaptureError when the source is not a capture, has a link type that can't be delivered, can't be
    read, or ends within its header.
    """

    def __init__(
        self,
        source: str | os.PathLike[str] | BinaryIO,
        *,
        strict: bool = False,
        window_bytes: int = 4 << 20,
        name: str | None = None,
        limits: Limits = DEFAULT_LIMITS,
    ) -> None:
        stream = Stream(source, name)
        self.name = stream.name
        self.strict = strict
        self.damage: Damage | None = None
        self.delivered = 0
        self._done = False
        self._skips = SkipLog()
        try:
            self._source = decompressed(stream)
            self._compressed = self._source is not stream
            self._buffer = Buffer(self._source, window_bytes, limits)
            try:
                self._format = open_format(self._buffer, self._skips)
            except Broken as e:
                self._buffer.close()
                fault = f" ({self._source.fault})" if self._source.fault else ""
                raise CaptureError(self.name, f"{e}{fault}") from None
        except BaseException:
            stream.close()
            raise

    @property
    def format(self) -> str:
        """``pcap`` or ``pcapng``."""
        return self._format.name

    @property
    def size(self) -> int | None:
        """Bytes of the file as it is stored; None for a pipe."""
        return self._source.size

    @property
    def position(self) -> int:
        """Bytes of the file as it is stored that were consumed so far."""
        return self._source.position

    @property
    def interfaces(self) -> list[Interface]:
        """The interfaces described so far in the section of the last window."""
        return list(self._format.interfaces)

    @property
    def skipped(self) -> int:
        """Packets that were in the file so far but could not be delivered; ``warnings`` says why."""
        return int(self._buffer.cursor["skipped"])

    @property
    def warnings(self) -> list[str]:
        """One line for each interface and reason for which packets were skipped (bounded), then the damage."""
        lines = self._skips.texts(self.name, collect(self._buffer, self._format.interfaces))
        return [*lines, str(self.damage)] if self.damage else lines

    def next_window(self) -> Window | None:
        """The next packets; None at the end. Raises CaptureError when the source can't be read, or if ``strict``."""
        cursor = self._buffer.cursor
        cursor["count"] = 0
        while not self._done:
            event = self._format.indexer(self._buffer.cursor_address)
            if self.strict and cursor["skipped"]:
                self._done = True
            elif event == DESCRIPTION:
                self._attempt(event)
            elif cursor["count"]:
                break  # the event comes again with the next call
            elif event == MORE:
                if not self._buffer.fill():
                    self._finish()
            else:
                self._attempt(event)
        count = int(cursor["count"])
        self.delivered += count
        if count:
            return Window(self._buffer.address, self._buffer.records[:count])
        if self.strict:
            self._raise()
        return None

    def _attempt(self, event: int) -> None:
        """Python's part at an event that is not the end of the window's data; damage ends the capture."""
        place = self._buffer.place
        try:
            if event == LONG_BLOCK:
                self._read_through(int(self._buffer.cursor["detail"]))
            elif event in (SECTION, DESCRIPTION):
                self._format.event(event)
            else:
                detail, limit = int(self._buffer.cursor["detail"]), int(self._buffer.cursor["packet_limit"])
                raise Broken(event_reason(event, detail, limit))
        except Broken as e:
            self._stop(place, str(e))

    def _read_through(self, length: int) -> None:
        """Skip a block that is longer than the window may be; its second length is checked as that of any."""
        if not (self._buffer.discard(length - 4) and self._buffer.want(4)):
            raise Broken(f"the file ends within a block of {length} bytes")
        trailer = int.from_bytes(self._buffer.head(4), "big" if self._buffer.cursor["swapped"] else "little")
        if trailer != length:
            raise Broken(f"the length at the block's end is {trailer}, not the one at its start")
        self._buffer.advance(4)

    def _finish(self) -> None:
        """The source has no more bytes."""
        reason = cut_off(self._buffer.left, self._source.fault, self._format.unit)
        if reason:
            self._stop(self._buffer.place, reason)
        self._done = True

    def _stop(self, offset: int, reason: str) -> None:
        self._done = True
        packets = self.delivered + int(self._buffer.cursor["count"])
        self.damage = Damage(self.name, offset, reason, packets, self._compressed)

    def _raise(self) -> None:
        skips = self._skips.skips + collect(self._buffer, self._format.interfaces)
        if skips:
            first = min(skips, key=lambda skip: skip.offset)
            raise CaptureError(self.name, first.text, first.offset)
        if self.damage:
            raise CaptureError(self.name, self.damage.reason, self.damage.offset)

    def close(self) -> None:
        """Give memory and file back. Records that are still referenced stay readable; no kernel may use them."""
        self._done = True
        self._source.close()
        self._buffer.close()

    def __enter__(self) -> CaptureReader:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()
