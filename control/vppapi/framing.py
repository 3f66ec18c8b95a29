"""The byte stream of the socket: each message behind a header of 16 bytes, of which only the length means something."""

from __future__ import annotations

import struct

HEADER = struct.Struct(">QII")
"""Queue, length, time stamp; VPP writes zeros for the first and the last."""
LONGEST = 16 << 20
"""No message of ours is near it; whoever says so does not speak this protocol."""


class FramingError(Exception):
    """The stream can't be cut into messages any more."""


def frame(message: bytes) -> bytes:
    """A message with its header."""
    return HEADER.pack(0, len(message), 0) + message


class FrameReader:
    """Cuts a stream, however it was split on its way, into messages."""

    def __init__(self, longest: int = LONGEST) -> None:
        self._longest = longest
        self._data = b""
        self._at = 0
        self._parts: list[bytes] = []
        self._have = 0
        self._need = HEADER.size
        self._length: int | None = None

    def feed(self, data: bytes) -> None:
        """More of the stream."""
        self._parts.append(data)
        self._have += len(data)

    def whole(self) -> bool:
        """Has `take` something to say?"""
        if self._length is None:
            if self._have < HEADER.size:
                return False
            self._join()
            self._length = HEADER.unpack_from(self._data, self._at)[1]
            self._need = HEADER.size + min(self._length, self._longest)
        return self._have >= self._need or self._length > self._longest

    def take(self) -> bytes | None:
        """The next whole message, without its header; None until more was fed.

        Raises:
            FramingError: the next message says that it is longer than any may be.
        """
        if not self.whole():
            return None
        assert self._length is not None
        if self._length > self._longest:
            raise FramingError(f"a message of {self._length} bytes; {self._longest} is the most")
        self._join()
        start = self._at + HEADER.size
        self._at += self._need
        self._have -= self._need
        self._need, self._length = HEADER.size, None
        message = self._data[start : self._at]
        if not self._have:
            self._data, self._at = b"", 0
        return message

    def _join(self) -> None:
        """A long message comes in many pieces: they are put together twice, not once a piece."""
        if self._parts:
            self._data = b"".join([self._data[self._at :], *self._parts])
            self._at = 0
            self._parts.clear()
