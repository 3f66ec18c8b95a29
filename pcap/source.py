"""Where the bytes of a capture come from: a file, a pipe or a file object, read straight into memory."""

from __future__ import annotations

import os
import stat
import sys
from typing import Any, BinaryIO, Protocol

from vectorplane.pcap.errors import CaptureError

_PIPE_READ = 65536  # what a pipe holds


class Source(Protocol):
    """A stream of bytes that ends, for good or by a ``fault``."""

    @property
    def size(self) -> int | None:
        """Bytes of the file as it is stored; None when that can't be known."""

    @property
    def position(self) -> int:
        """Bytes of the file, as it is stored, that were consumed."""

    @property
    def live(self) -> bool:
        """True for a pipe: deliver what has come rather than wait for a full window."""

    @property
    def fault(self) -> str | None:
        """Set at the end when the stream did not end as it should (a compressed stream cut off)."""

    def read_into(self, view: memoryview) -> int:
        """Put up to ``len(view)`` bytes there, at least one; 0 only at the end. Raises CaptureError."""

    def close(self) -> None:
        """Close the file when it was opened here."""


class Stream:
    """Bytes as they are stored; the `Source` of an uncompressed file.

    ``source`` is a path, "-" for standard input, or a binary file object (read from where it stands, and
    left open). Raises CaptureError when it can't be opened.
    """

    fault: str | None = None

    def __init__(self, source: str | os.PathLike[str] | BinaryIO, name: str | None = None) -> None:
        self._owned = False
        self._file: Any
        if isinstance(source, (str, os.PathLike)):
            path = os.fspath(source)
            self.name = name or path
            if path == "-":
                if sys.stdin is None:
                    raise CaptureError(self.name, "there is no standard input")
                self._file = sys.stdin.buffer
            else:
                try:
                    self._file = open(path, "rb", buffering=0)  # noqa: SIM115 (closed by close)
                except (OSError, ValueError) as e:
                    raise CaptureError(self.name, getattr(e, "strerror", None) or str(e)) from e
                self._owned = True
        else:
            self._file = source
            self.name = name or str(getattr(source, "name", "<stream>"))
        self.position = 0
        self.size = self._measure()
        self.live = self.size is None
        self._ahead = b""

    def _measure(self) -> int | None:
        try:
            if not self._file.seekable():
                return None
            try:
                status = os.fstat(self._file.fileno())
            except (AttributeError, OSError):  # in memory: there is no descriptor
                here = self._file.tell()
                end = self._file.seek(0, os.SEEK_END)
                self._file.seek(here)
                return int(end - here)
            return status.st_size - int(self._file.tell()) if stat.S_ISREG(status.st_mode) else None
        except (AttributeError, OSError):
            return None

    def read_into(self, view: memoryview) -> int:
        if self._ahead:
            got = min(len(view), len(self._ahead))
            view[:got] = self._ahead[:got]
            self._ahead = self._ahead[got:]
        else:
            got = self._read(view)
        self.position += got
        return got

    def _read(self, view: memoryview) -> int:
        # A buffered pipe must give what has come: read1 does, readinto (and even readinto1) may wait for more.
        copied = getattr(self._file, "read1", None) if self.live else None
        into = getattr(self._file, "readinto", None)
        try:
            if into is not None and copied is None:
                got = into(view)
            else:
                raw = (copied or self._file.read)(min(len(view), _PIPE_READ))
                got = None if raw is None else len(raw)
                view[: got or 0] = raw or b""
        except (OSError, EOFError, ValueError) as e:
            raise CaptureError(self.name, f"can't be read: {getattr(e, 'strerror', None) or e}", self.position) from e
        if got is None:
            raise CaptureError(self.name, "a stream in non-blocking mode can't be read", self.position)
        return int(got)

    def peek(self, count: int) -> bytes:
        """The next ``count`` bytes (fewer at the end) without consuming them."""
        while len(self._ahead) < count:
            raw = bytearray(count - len(self._ahead))
            got = self._read(memoryview(raw))
            if got == 0:
                break
            self._ahead += raw[:got]
        return self._ahead[:count]

    def read(self, count: int) -> bytes:
        """Up to ``count`` bytes, at least one; empty only at the end."""
        raw = bytearray(count)
        return bytes(raw[: self.read_into(memoryview(raw))])

    def close(self) -> None:
        if self._owned:
            self._file.close()
