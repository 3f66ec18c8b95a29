"""Messages to bytes and back, compiled from the schema once; nothing is interpreted per message.

A decoded message is a named tuple of its fields without `_vl_msg_id`: ints for numbers, enums and flags, str for
strings, bytes for `u8[...]` and unions, lists for arrays, named tuples for structures. To encode, give dicts or tuples;
what is missing is zero or empty, and the counts of arrays are filled in.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from typing import Any

from vectorplane.control.vppapi.codec_struct import Member, ends_within, structure
from vectorplane.control.vppapi.codec_values import CodecError, Fixed, Variable, array, long_text, number, octets, text
from vectorplane.control.vppapi.schema.model import PRIMITIVES, Field, SchemaError
from vectorplane.control.vppapi.schema.registry import Registry

__all__ = ["Codec", "CodecError"]

Decoder = Callable[[bytes], Any]
Encoder = Callable[[Any], bytes]
_ID = struct.Struct(">H")


class Codec:
    """Decoders and encoders of a registry's messages, made when first asked for."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self._shapes: dict[str, Fixed | Variable] = {}
        self._messages: dict[str, tuple[Fixed | Variable, list[Member]]] = {}

    def decoder(self, name: str) -> Decoder:
        """A function from a message's bytes (its id included) to its fields.

        What follows the message's last field is ignored, as VPP does. The function raises `CodecError`, naming the
        field, for bytes that are too few or contradict themselves.
        """
        shape, members = self._message(name)
        if isinstance(shape, Variable):
            read = shape.decode

            def decode_variable(data: bytes) -> Any:
                return read(data, 2)[0]

            return decode_variable
        make, end = shape.decode, 2 + shape.size
        assert make is not None

        def decode(data: bytes) -> Any:
            if len(data) < end:
                raise CodecError(ends_within(name, members, 2, len(data)))
            return make(data[2:end])

        return decode

    def encoder(self, name: str, msg_id: int) -> Encoder:
        """A function from a message's fields (dict or tuple) to its bytes with the id in front.

        It raises `CodecError` naming a field that is unknown or has a value that does not fit.
        """
        shape, _ = self._message(name)
        head = _ID.pack(msg_id)
        body = shape.encode
        assert body is not None
        return lambda fields: head + body(fields)

    def _message(self, name: str) -> tuple[Fixed | Variable, list[Member]]:
        if name not in self._messages:
            message = self.registry.messages.get(name)
            if message is None:
                raise SchemaError(f"message {name} is not described")
            members = self._members(message.fields[1:])
            self._messages[name] = structure(name, members), members
        return self._messages[name]

    def _members(self, fields: Sequence[Field]) -> list[Member]:
        return [Member(f.name, self._shape_of(f), f.count, f.type == "u8") for f in fields]

    def _shape_of(self, f: Field) -> Fixed | Variable:
        if f.type == "string":
            return text(f.length) if f.length is not None else long_text()
        if f.length is None:
            return self._shape(f.type)
        return octets(f.length) if f.type == "u8" else array(self._fixed(f.type), f.length)

    def _fixed(self, name: str) -> Fixed:
        shape = self._shape(name)
        if isinstance(shape, Variable):
            raise SchemaError(f"type {name} has no fixed size")
        return shape

    def _shape(self, name: str) -> Fixed | Variable:
        """The shape of a type's single value."""
        if name not in self._shapes:
            self._shapes[name] = number(name) if name in PRIMITIVES else self._named(name)
        return self._shapes[name]

    def _named(self, name: str) -> Fixed | Variable:
        described = self.registry.type(name)
        if described.kind == "type":
            return structure(name, self._members(described.fields))
        if described.kind == "union":
            return octets(max(self._fixed(f.type).size for f in described.fields))
        return self._shape_of(Field(described.base, name, length=described.length))
