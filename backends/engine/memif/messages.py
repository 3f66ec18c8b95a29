"""The messages of memif's control channel, protocol version 2.0 (VPP's plugin memif, DPDK's net_memif).

Each is a record of 128 bytes on a SOCK_SEQPACKET socket, little-endian, packed: a type (16 bits) and the fields below;
the rest is zeros. With ADD_REGION comes the file descriptor of the memory, with ADD_RING that of an eventfd.

    HELLO       server -> client   name, versions that it speaks, its largest region, ring and ring size
    INIT        client -> server   version, interface id and mode, secret, name
    ADD_REGION  client -> server   number and size of a shared memory
    ADD_RING    client -> server   direction, number, region and offset of a ring, log2 of its slots
    CONNECT     client -> server   name of the client's interface
    CONNECTED   server -> client   name of the server's interface
    DISCONNECT  both ways          a code and why
    ACK         server -> client   answers INIT, ADD_REGION and ADD_RING

Texts are bytes up to the first zero; a text that fills its field has none.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import astuple, dataclass
from types import MappingProxyType
from typing import Any, ClassVar

SIZE = 128
VERSION = 2 << 8
S2M = 1
"""Flag of ADD_RING: the client sends by it, the server receives."""
ETHERNET = 0
"""The one interface mode that is spoken here."""


class ProtocolError(Exception):
    """The peer said what may not be said, or what can't be granted; the text is what it is told."""


@dataclass(frozen=True)
class Ack:
    """Go on."""

    kind: ClassVar[int] = 1
    layout: ClassVar[str] = "<"


@dataclass(frozen=True)
class Hello:
    """A server greets. The numbers are the largest indices, not counts."""

    kind: ClassVar[int] = 2
    layout: ClassVar[str] = "<32sHHHHHB"
    name: bytes
    min_version: int
    max_version: int
    max_region: int
    max_m2s_ring: int
    max_s2m_ring: int
    max_log2_ring_size: int


@dataclass(frozen=True)
class Init:
    """A client says which interface it wants."""

    kind: ClassVar[int] = 3
    layout: ClassVar[str] = "<HIB24s32s"
    version: int
    id: int
    mode: int
    secret: bytes
    name: bytes


@dataclass(frozen=True)
class AddRegion:
    """A shared memory; its file descriptor comes with it."""

    kind: ClassVar[int] = 4
    layout: ClassVar[str] = "<HQ"
    index: int
    size: int


@dataclass(frozen=True)
class AddRing:
    """A ring; its eventfd comes with it."""

    kind: ClassVar[int] = 5
    layout: ClassVar[str] = "<HHHIBH"
    flags: int
    index: int
    region: int
    offset: int
    log2_ring_size: int
    private_hdr_size: int


@dataclass(frozen=True)
class Connect:
    """All is said; the client is ready."""

    kind: ClassVar[int] = 6
    layout: ClassVar[str] = "<32s"
    name: bytes


@dataclass(frozen=True)
class Connected:
    """So is the server: the link is up."""

    kind: ClassVar[int] = 7
    layout: ClassVar[str] = "<32s"
    name: bytes


@dataclass(frozen=True)
class Disconnect:
    """The end, and why."""

    kind: ClassVar[int] = 8
    layout: ClassVar[str] = "<I96s"
    code: int
    text: bytes


Message = Ack | Hello | Init | AddRegion | AddRing | Connect | Connected | Disconnect
KINDS: Mapping[int, type[Message]] = MappingProxyType(
    {k.kind: k for k in (Ack, Hello, Init, AddRegion, AddRing, Connect, Connected, Disconnect)}
)


def build(message: Message) -> bytes:
    """A message's 128 bytes; texts are cut so that a zero ends them."""
    values = []
    for value, code in zip(astuple(message), _text_sizes(message.layout), strict=True):
        values.append(value[: code - 1] if isinstance(value, bytes) else value)
    return (struct.pack("<H", message.kind) + struct.pack(message.layout, *values)).ljust(SIZE, b"\0")


def _text_sizes(layout: str) -> list[int]:
    """For each field of a layout the bytes of its text; 0 for a number."""
    sizes, digits = [], ""
    for c in layout.lstrip("<"):
        if c.isdigit():
            digits += c
        else:
            sizes.append(int(digits) if c == "s" else 0)
            digits = ""
    return sizes


def parse(data: bytes) -> Message:
    """The message in these bytes.

    Raises:
        ProtocolError: it has not 128 bytes, or a type that is not known.
    """
    if len(data) != SIZE:
        raise ProtocolError(f"message of {len(data)} bytes instead of {SIZE}")
    number = int.from_bytes(data[:2], "little")
    kind: Any = KINDS.get(number)
    if kind is None:
        raise ProtocolError(f"unknown message type (0x{number:x})")
    values = struct.unpack_from(kind.layout, data, 2)
    made: Message = kind(*(v.partition(b"\0")[0] if isinstance(v, bytes) else v for v in values))
    return made


def text(raw: bytes) -> str:
    """A peer's text, made harmless for a log."""
    return "".join(c if c.isprintable() else "?" for c in raw.decode("utf-8", "replace"))
