"""A memif peer that says and writes what it is told, true or not. It shares no code with the device but the numbers."""

from __future__ import annotations

import fcntl
import mmap
import os
import socket
import struct
from pathlib import Path

COOKIE = 0x3E31F20
ACK, HELLO, INIT, ADD_REGION, ADD_RING, CONNECT, CONNECTED, DISCONNECT = range(1, 9)
SLOTS, BUFFER = 16, 2048
S2M, M2S, BUFFERS = 0, 1024, 4096
"""Where in its region a raw client has its two rings and its buffers."""
REGION = BUFFERS + 2 * SLOTS * BUFFER


def message(kind: int, layout: str = "<", *values: object) -> bytes:
    """128 bytes."""
    return (struct.pack("<H", kind) + struct.pack(layout, *values)).ljust(128, b"\0")


class Shared:
    """A mapped region and its rings, as numbers."""

    def __init__(self, fd: int, size: int) -> None:
        self.fd, self.size = fd, size
        self.map = mmap.mmap(fd, size)

    def put(self, offset: int, layout: str, *values: int) -> None:
        """Write there."""
        struct.pack_into(layout, self.map, offset, *values)

    def get(self, offset: int, layout: str) -> int:
        """Read from there."""
        value: int = struct.unpack_from(layout, self.map, offset)[0]
        return value

    def descriptor(self, ring: int, slot: int, length: int, offset: int, flags: int = 0, region: int = 0) -> int:
        """Write a descriptor; gives where it lies."""
        at = ring + 128 + 16 * slot
        self.put(at, "<HHIII", flags, region, length, offset, 0)
        return at

    def head(self, ring: int, value: int | None = None) -> int:
        """The head; set it to ``value`` first."""
        if value is not None:
            self.put(ring + 6, "<H", value & 0xFFFF)
        return self.get(ring + 6, "<H")

    def tail(self, ring: int, value: int | None = None) -> int:
        """The tail."""
        if value is not None:
            self.put(ring + 64, "<H", value & 0xFFFF)
        return self.get(ring + 64, "<H")

    def close(self) -> None:
        """Give it back."""
        self.map.close()
        os.close(self.fd)


def new_region(size: int = REGION, *, seals: int | None = fcntl.F_SEAL_SHRINK) -> Shared:
    """A client's region with two rings; ``seals`` None: it can't be sealed."""
    fd = os.memfd_create("raw", os.MFD_CLOEXEC | (os.MFD_ALLOW_SEALING if seals is not None else 0))
    os.ftruncate(fd, size)
    if seals:
        fcntl.fcntl(fd, fcntl.F_ADD_SEALS, seals)
    made = Shared(fd, size)
    for number, ring in enumerate((S2M, M2S)):
        if ring + 128 + 16 * SLOTS <= size:
            made.put(ring, "<I", COOKIE)
            for slot in range(SLOTS):
                made.descriptor(ring, slot, BUFFER, BUFFERS + (number * SLOTS + slot) * BUFFER)
    return made


class RawPeer:
    """One end of a control channel."""

    def __init__(self, connection: socket.socket) -> None:
        self.socket = connection
        connection.settimeout(5)

    def say(self, data: bytes, *fds: int) -> int:
        """Send it, with file descriptors; gives the bytes sent."""
        return int(socket.send_fds(self.socket, [data], list(fds)))

    def hear(self) -> tuple[int, bytes, list[int]]:
        """The next message's type, bytes and file descriptors; type 0 when the connection was closed."""
        try:
            data, fds, _, _ = socket.recv_fds(self.socket, 256, 4)
        except ConnectionResetError:
            return 0, b"", []
        return int.from_bytes(data[:2], "little"), data, list(fds)

    def reason(self) -> str:
        """Why it was disconnected; what comes before is skipped."""
        while True:
            kind, data, _ = self.hear()
            if kind == DISCONNECT:
                return data[6:].split(b"\0")[0].decode()
            if kind == 0:
                return "closed"

    def close(self) -> None:
        """Go."""
        self.socket.close()


def connect(path: str | Path) -> RawPeer:
    """A connection to a server."""
    made = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    made.connect(str(path))
    return RawPeer(made)


def init(number: int = 0, version: int = 0x200, mode: int = 0, secret: bytes = b"") -> bytes:
    """INIT."""
    return message(INIT, "<HIB24s32s", version, number, mode, secret, b"raw")


def add_region(size: int, index: int = 0) -> bytes:
    """ADD_REGION."""
    return message(ADD_REGION, "<HQ", index, size)


def add_ring(
    offset: int, *, to_server: bool, index: int = 0, region: int = 0, log2: int = 4, private: int = 0
) -> bytes:
    """ADD_RING."""
    return message(ADD_RING, "<HHHIBH", int(to_server), index, region, offset, log2, private)


def set_up(peer: RawPeer, shared: Shared) -> list[int]:
    """Say all that a client says; gives the eventfds of the rings to and from the server. Nothing is waited for."""
    bells = [os.eventfd(0, os.EFD_NONBLOCK) for _ in range(2)]
    peer.say(init())
    peer.say(add_region(shared.size), shared.fd)
    peer.say(add_ring(S2M, to_server=True), bells[0])
    peer.say(add_ring(M2S, to_server=False), bells[1])
    peer.say(message(CONNECT, "<32s", b"raw0"))
    return bells


class RawServer:
    """Accepts a client and takes what it offers, up to its CONNECT; the client's rings are ``s2m`` and ``m2s``."""

    def __init__(self, path: str | Path) -> None:
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.listener.bind(str(path))
        self.listener.listen()
        self.listener.settimeout(5)
        self.bells: list[int] = []

    def accept(self) -> None:
        """A client has connected: greet it."""
        self.peer = RawPeer(self.listener.accept()[0])
        self.peer.say(message(HELLO, "<32sHHHHHB", b"raw", 0x200, 0x200, 0, 0, 0, 14))

    def step(self) -> bool:
        """Take one message and acknowledge it; True when all was said. The client must have said something."""
        kind, data, fds = self.peer.hear()
        if kind == ADD_REGION:
            _, size = struct.unpack_from("<HQ", data, 2)
            self.shared = Shared(fds[0], size)
        elif kind == ADD_RING:
            flags, _, _, offset, self.log2, _ = struct.unpack_from("<HHHIBH", data, 2)
            if flags:
                self.s2m = offset
            else:
                self.m2s = offset
            self.bells += fds
        elif kind == CONNECT:
            self.peer.say(message(CONNECTED, "<32s", b"raw0"))
            return True
        else:
            assert kind == INIT, kind
        self.peer.say(message(ACK))
        return False

    def close(self) -> None:
        """Go."""
        self.peer.close()
        self.listener.close()
        self.shared.close()
        for fd in self.bells:
            os.close(fd)
