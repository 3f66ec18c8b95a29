"""The bytes of VPP's API socket, without the socket: each message has a 16-byte header that gives its length."""

from __future__ import annotations

import struct

HEADER = struct.Struct(">QII")
MAX_MESSAGE = 1 << 28
"""Longer ones are no messages (the longest that VPP sends are its definitions, a few MB)."""


class WireError(ValueError):
    """What came is not VPP's protocol."""


def frame(message: bytes) -> bytes:
    """A message with its header."""
    return HEADER.pack(0, len(message), 0) + message


class Deframer:
    """Puts messages together from what arrives."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """The messages that are complete now.

        Raises:
            WireError: a length that can't be.
        """
        self._buffer += data
        messages, at, end = [], 0, len(self._buffer)
        while end - at >= HEADER.size:
            size = HEADER.unpack_from(self._buffer, at)[1]
            if not 2 <= size <= MAX_MESSAGE:
                raise WireError(f"a message of {size} bytes: that is not VPP's API")
            if end - at - HEADER.size < size:
                break
            at += HEADER.size
            messages.append(bytes(self._buffer[at : at + size]))
            at += size
        del self._buffer[:at]
        return messages
