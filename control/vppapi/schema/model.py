"""What the schema is made of once it is read."""

from __future__ import annotations

from dataclasses import dataclass, field

PRIMITIVES = frozenset({"u8", "i8", "u16", "i16", "u32", "i32", "u64", "i64", "f64", "bool", "string"})


class SchemaError(Exception):
    """The schema contradicts itself, or asks for something that is not described."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field: ``length`` for `type[N]`, ``count`` (an earlier field) for `type[n]`, ``variable`` for `string[]`."""

    type: str
    name: str
    length: int | None = None
    count: str | None = None
    variable: bool = False
    default: str | int | float | None = None


@dataclass(frozen=True, slots=True)
class Type:
    """A named type. ``kind``: `type`, `union` (fields), `enum`, `flags` (base, values) or `alias` (base, length)."""

    kind: str
    name: str
    fields: tuple[Field, ...] = ()
    base: str = ""
    length: int | None = None
    values: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Message:
    """A message with all its fields, `_vl_msg_id` included; ``crc`` as written by VPP (`0x1234abcd`)."""

    name: str
    crc: str
    fields: tuple[Field, ...]

    @property
    def key(self) -> str:
        """The name in the table of messages that a client gets."""
        return f"{self.name}_{self.crc[2:]}"


@dataclass(frozen=True, slots=True)
class Service:
    """How a request is answered: ``reply`` ends it ("" for none), ``details`` come before it or instead of it."""

    request: str
    reply: str = ""
    details: str = ""
    events: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Every message that belongs to it."""
        return tuple(n for n in (self.request, self.reply, self.details, *self.events) if n)


@dataclass(slots=True)
class ApiFile:
    """One API file."""

    name: str
    version: str
    crc: str
    imports: list[str] = field(default_factory=list)
    types: dict[str, Type] = field(default_factory=dict)
    messages: dict[str, Message] = field(default_factory=dict)
    services: dict[str, Service] = field(default_factory=dict)
