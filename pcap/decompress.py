"""gzip and zstd captures, recognised by their magic and decompressed as the window asks for bytes.

Source: RFC 1952 (gzip: members may be concatenated, zeros may pad the end), RFC 8878 (zstd: frames may be
concatenated, skippable frames lie between). What was decompressed before the stream breaks is delivered,
then ``fault`` says how it broke. Memory stays constant however well the data compresses.
"""

from __future__ import annotations

import zlib
from typing import Any

from vectorplane.pcap.errors import CaptureError
from vectorplane.pcap.source import Source, Stream

_GZIP_READ = 65536
_ZSTD_READ = 1024  # zstd has no bound on its output: 4 bytes may become 128 KiB, so 1 KiB at most 32 MiB
_ZSTD_WINDOW = 1 << 27  # what the zstd command itself accepts without --long=31


def decompressed(stream: Stream) -> Source:
    """``stream`` itself, or what decompresses it. Raises CaptureError for other compressions, by their name."""
    magic = stream.peek(4)
    if magic[:2] == b"\x1f\x8b":
        return _Gzip(stream)
    if magic == b"\x28\xb5\x2f\xfd" or (len(magic) == 4 and magic[0] >> 4 == 5 and magic[1:] == b"\x2a\x4d\x18"):
        return _Zstd(stream)
    for start, name in {b"BZh": "bzip2", b"\xfd7zX": "xz", b"\x04\x22\x4d\x18": "lz4", b"PK\x03\x04": "zip"}.items():
        if magic.startswith(start):
            raise CaptureError(stream.name, f"{name} compression is not supported (gzip and zstd are)")
    return stream


class _Packed:
    """What both have in common: a decoder a member (or frame), and the end of the stream."""

    kind: str
    read_size: int

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self.size, self.live = stream.size, stream.live
        self.fault: str | None = None
        self._input = b""
        self._ended = False
        self._fresh = True  # the decoder has had no input yet
        self._decoder = self._new()

    def _new(self) -> Any:
        raise NotImplementedError

    @property
    def position(self) -> int:
        return self._stream.position - len(self._input)

    def _end(self, fault: str | None) -> None:
        self._ended = True
        self._input = b""
        if fault:
            self.fault = f"{fault} (at byte {self._stream.position} of the compressed file)"

    def _refill(self) -> bool:
        """Have input for the decoder; False when the file is at its end."""
        if not self._input:
            self._input = self._stream.read(self.read_size)
            if not self._input:
                self._end(None if self._fresh else f"the {self.kind} stream is cut off")
        return bool(self._input)

    def _next(self) -> None:
        """The decoder came to the end of its member: the rest of the input is for a new one."""
        self._input = self._decoder.unused_data
        self._decoder = self._new()
        self._fresh = True

    def close(self) -> None:
        self._stream.close()


class _Gzip(_Packed):
    kind, read_size = "gzip", _GZIP_READ

    def __init__(self, stream: Stream) -> None:
        super().__init__(stream)
        self._held = False  # zlib may hold more output than was asked for

    def _new(self) -> Any:
        return zlib.decompressobj(wbits=31)

    def read_into(self, view: memoryview) -> int:
        while not self._ended:
            if not self._held and not self._refill():
                break
            if self._fresh:
                self._input = self._input.lstrip(b"\0")  # padding behind a member (tapes, block devices)
                if not self._input:
                    continue
            before = self._decoder.copy()
            try:
                made = self._decoder.decompress(self._input, len(view))
            except zlib.error as e:
                made = self._salvage(before, len(view))
                self._end(self._broken(str(e)))
            else:
                self._fresh = False
                self._held = len(made) == len(view)
                self._input = self._decoder.unconsumed_tail
                if self._decoder.eof:
                    self._next()
                    self._held = False
            if made:
                view[: len(made)] = made
                return len(made)
        return 0

    def _salvage(self, decoder: Any, room: int) -> bytes:
        """All that comes out before the broken place: zlib gives nothing for a piece of input that fails."""
        made = bytearray()
        for at in range(len(self._input)):
            try:
                made += decoder.decompress(self._input[at : at + 1], room - len(made))
            except zlib.error:
                break
            if len(made) == room:
                break
        return bytes(made)

    def _broken(self, why: str) -> str:
        if self._fresh:
            return "the gzip stream is followed by something that is not gzip"
        return f"the gzip stream is damaged ({why.partition(': ')[2] or why})"


class _Zstd(_Packed):
    kind, read_size = "zstd", _ZSTD_READ

    def __init__(self, stream: Stream) -> None:
        import zstandard  # only now: most captures are not compressed

        self._error = zstandard.ZstdError
        self._context = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW)
        super().__init__(stream)
        self._made = memoryview(b"")

    def _new(self) -> Any:
        return self._context.decompressobj()

    def read_into(self, view: memoryview) -> int:
        while not self._made:
            if self._ended or not self._refill():
                return 0
            try:
                self._made = memoryview(self._decoder.decompress(self._input))
            except self._error as e:
                self._end(f"the zstd stream is damaged ({str(e).rpartition(': ')[2]})")
                return 0
            self._fresh = False
            if self._decoder.eof:
                self._next()
            else:
                self._input = b""
        got = min(len(view), len(self._made))
        view[:got] = self._made[:got]
        self._made = self._made[got:]
        return got
