"""A plain client for tests: frames in and out, ids from the table, our codec."""

from __future__ import annotations

import socket
import struct
from pathlib import Path
from typing import Any

from vectorplane.control.vppapi.codec import Codec
from vectorplane.control.vppapi.framing import FrameReader, frame
from vectorplane.control.vppapi.schema.registry import Registry


class Wire:
    """Encodes requests and decodes what comes back, knowing only the table of the create reply."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self.codec = Codec(registry)
        self.reader = FrameReader()
        self.ids = {"sockclnt_create": 15, "sockclnt_create_reply": 16}
        self.names = {i: n for n, i in self.ids.items()}

    def request(self, message: str, /, **fields: Any) -> bytes:
        """A request's bytes, header included."""
        return frame(self.codec.encoder(message, self.ids[message])(fields))

    def fed(self, data: bytes) -> list[tuple[str, Any]]:
        """The messages that are whole now: name and fields."""
        self.reader.feed(data)
        got = []
        while (message := self.reader.take()) is not None:
            name = self.names[struct.unpack_from(">H", message)[0]]
            got.append((name, self.codec.decoder(name)(message)))
            if name == "sockclnt_create_reply":
                keys = {m.key: m.name for m in self.registry.messages.values()}
                self.ids = {keys[e.name]: e.index for e in got[-1][1].message_table}
                self.names = {i: n for n, i in self.ids.items()}
        return got


class Client(Wire):
    """The same on a socket."""

    def __init__(self, registry: Registry, path: Path, name: str = "wire") -> None:
        super().__init__(registry)
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(10)
        self.socket.connect(str(path))
        self.waiting: list[tuple[str, Any]] = []
        if name:
            self.socket.sendall(self.request("sockclnt_create", name=name))
            assert self.receive()[0] == "sockclnt_create_reply"

    def receive(self) -> tuple[str, Any]:
        """The next message. Raises EOFError: the server has hung up."""
        while not self.waiting:
            data = self.socket.recv(1 << 16)
            if not data:
                raise EOFError
            self.waiting = self.fed(data)
        return self.waiting.pop(0)

    def call(self, message: str, /, **fields: Any) -> tuple[str, Any]:
        """Send a request and wait for the next message."""
        self.socket.sendall(self.request(message, **fields))
        return self.receive()

    def ends(self) -> bool:
        """Does the server hang up, whatever it sends before?"""
        try:
            while self.socket.recv(1 << 16):
                pass
        except ConnectionError:
            pass
        return True

    def close(self) -> None:
        """Hang up without a word."""
        self.socket.close()
