"""Where a writer's bytes go: a file, standard output, gzip or zstd by the path's ending; whole records only."""

from __future__ import annotations

import contextlib
import os
import sys
import zlib
from typing import Any, BinaryIO

from vectorplane.pcap.errors import CaptureError


class Output:
    """``put`` takes whole records and hands them to the file in one write; ``close`` ends a compressed stream.

    So a run that is interrupted leaves a readable file: what a compressor holds is flushed with every put
    as well, and what of a record a full disk took is taken back. ``path`` is overwritten; "-" is standard
    output; a binary file object is left open. Raises CaptureError when the file can't be opened or written.
    """

    def __init__(self, path: str | os.PathLike[str] | BinaryIO) -> None:
        self._owned = False
        self._file: Any
        if isinstance(path, (str, os.PathLike)):
            self.name = os.fspath(path)
            if self.name == "-":
                self._file = sys.stdout.buffer
            else:
                try:
                    self._file = open(self.name, "wb", buffering=0)  # noqa: SIM115 (closed by close)
                except (OSError, ValueError) as e:
                    raise CaptureError(self.name, getattr(e, "strerror", None) or str(e)) from e
                self._owned = True
        else:
            self._file, self.name = path, str(getattr(path, "name", "<stream>"))
        self._compress, self._flush, self._finish = _compressor(self.name)
        self._whole = 0  # bytes up to the end of the last whole record

    def put(self, data: Any) -> None:
        """Append ``data`` (anything with the buffer protocol, contiguous): whole records."""
        with memoryview(data) as view, view.cast("B") as raw:
            if len(raw):
                self._write(self._compress(raw) + self._flush() if self._compress else raw)

    def _write(self, raw: Any) -> None:
        rest = memoryview(raw)
        try:
            while len(rest):  # one round, unless the disk is full or a pipe takes only a part
                rest = rest[self._file.write(rest) :]
            if not self._owned:
                self._file.flush()
        except OSError as e:
            if self._owned:
                with contextlib.suppress(OSError):  # a device has no length
                    self._file.truncate(self._whole)
            raise CaptureError(self.name, f"can't be written: {e.strerror or e}") from e
        self._whole += len(raw)

    def close(self) -> None:
        """End the stream and close the file, when it was opened here."""
        if self._file is None:
            return
        try:
            if self._finish:
                self._write(self._finish())
        finally:
            if self._owned:
                self._file.close()
            self._file = None


def _compressor(name: str) -> tuple[Any, Any, Any]:
    """Functions that compress, flush and finish, by the ending of ``name``; None three times for a plain file."""
    if name.endswith(".gz"):
        gzip = zlib.compressobj(wbits=31)
        return gzip.compress, lambda: gzip.flush(zlib.Z_SYNC_FLUSH), gzip.flush
    if name.endswith(".zst"):
        import zstandard

        zstd = zstandard.ZstdCompressor().compressobj()
        return zstd.compress, lambda: zstd.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK), zstd.flush
    return None, None, None
