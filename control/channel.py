"""Messages between two processes of this program over a connected stream socket.

A message is a JSON object and a run of bytes. On the wire: two 32-bit lengths, big-endian, then the object as UTF-8,
then the bytes. Nothing that arrives is ever executed or unpickled, and lengths are looked at before anything is read.
"""

from __future__ import annotations

import json
import socket
import struct
from typing import Any

MAX_JSON, MAX_BYTES = 1 << 28, 1 << 28
"""Longest object and longest run of bytes, in bytes."""
_HEAD = struct.Struct(">II")

Message = dict[str, Any]


class ChannelError(Exception):
    """The other end is gone, does not answer in time, or sends what is no message. The channel is of no use then."""


class Channel:
    """One end; for one thread. ``patience``: seconds that the other end may take for anything; None: for ever."""

    def __init__(self, end: socket.socket, patience: float | None = None) -> None:
        self._socket = end
        end.settimeout(patience)
        self._reader = end.makefile("rb", buffering=1 << 16)

    def send(self, message: Message, data: bytes = b"") -> None:
        """Send a message.

        Raises:
            ChannelError: see there, or the message is too long.
        """
        text = json.dumps(message, separators=(",", ":"), ensure_ascii=False).encode()
        _check(len(text), len(data))
        try:
            self._socket.sendall(_HEAD.pack(len(text), len(data)) + text + data)
        except OSError as error:
            raise ChannelError(f"nothing can be sent: {error.strerror or error}") from None

    def receive(self) -> tuple[Message, bytes]:
        """The next message, object and bytes. Raises ChannelError."""
        text_size, data_size = _HEAD.unpack(self._read(_HEAD.size))
        _check(text_size, data_size)
        text, data = self._read(text_size), self._read(data_size)
        try:
            message = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise ChannelError(f"what came is not JSON: {error}") from None
        if not isinstance(message, dict):
            raise ChannelError(f"what came is no object but a {type(message).__name__}")
        return message, data

    def close(self) -> None:
        """Close this end; the other one sees it."""
        self._reader.close()
        self._socket.close()

    def _read(self, size: int) -> bytes:
        try:
            data = self._reader.read(size) if size else b""
        except TimeoutError:
            raise ChannelError("nothing came in time") from None
        except OSError as error:
            raise ChannelError(f"nothing comes: {error.strerror or error}") from None
        if len(data) != size:
            raise ChannelError("the other end is gone")
        return data


def _check(text_size: int, data_size: int) -> None:
    if text_size > MAX_JSON or data_size > MAX_BYTES:
        raise ChannelError(f"a message of {text_size} and {data_size} bytes: {MAX_JSON} and {MAX_BYTES} are the most")
