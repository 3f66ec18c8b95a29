"""How single values lie in a message: numbers, strings, byte fields, and arrays of them.

Everything of a known size is one code of a `struct` format in its owner's run (`Fixed`); the rest is decoded by
functions of their own (`Variable`). Numbers are big endian, but f64 has the host's byte order, as in VPP.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, overload

CODES = {"u8": "B", "i8": "b", "u16": "H", "i16": "h", "u32": "I", "i32": "i", "u64": "Q", "i64": "q", "bool": "?"}
F64 = struct.Struct("=d")
U32 = struct.Struct(">I")


class CodecError(ValueError):
    """Bytes that are not the message they say, or values that do not fit their field."""


@dataclass(frozen=True, slots=True)
class Fixed:
    """A value of fixed size: ``code`` in a struct format, and what turns `struct`'s value into ours and back.

    ``decode`` and ``encode`` are None when there is nothing to do. ``encode`` takes None for a missing value.
    """

    code: str
    size: int
    decode: Callable[[Any], Any] | None = None
    encode: Callable[[Any], Any] | None = None


@dataclass(frozen=True, slots=True)
class Variable:
    """A value whose size the message tells. ``least`` is the smallest number of bytes it takes."""

    decode: Callable[[bytes, int], tuple[Any, int]]
    encode: Callable[[Any], bytes]
    least: int


class LazyList(Sequence[Any]):
    """A fixed array of structures, decoded one by one when asked for (a route's path has 16 labels, seldom used)."""

    __slots__ = ("_blob", "_decode", "_size")

    def __init__(self, blob: bytes, size: int, decode: Callable[[bytes], Any]) -> None:
        self._blob, self._size, self._decode = blob, size, decode

    def __len__(self) -> int:
        return len(self._blob) // self._size

    @overload
    def __getitem__(self, index: int) -> Any: ...
    @overload
    def __getitem__(self, index: slice) -> list[Any]: ...
    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        at = range(len(self))[index] * self._size
        return self._decode(self._blob[at : at + self._size])

    def __iter__(self) -> Iterator[Any]:
        for at in range(0, len(self._blob), self._size):
            yield self._decode(self._blob[at : at + self._size])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return repr(list(self))


def text_of(raw: bytes) -> str:
    """What a peer's bytes say; anything else than UTF-8 shows as a replacement character."""
    return raw.decode("utf-8", "replace")


def bytes_of(text: str | None) -> bytes:
    """Clients read strings as ASCII and stumble over anything else, so it becomes `?`."""
    return text.encode("ascii", "replace") if text else b""


def number(type_: str) -> Fixed:
    """A primitive number."""
    if type_ == "f64":
        return Fixed("8s", 8, lambda raw: F64.unpack(raw)[0], lambda v: F64.pack(0.0 if v is None else v))
    return Fixed(CODES[type_], struct.calcsize(CODES[type_]))


def text(size: int) -> Fixed:
    """`string[N]`: NUL-padded; what is too long is cut, as VPP does."""
    return Fixed(f"{size}s", size, lambda raw: text_of(raw.partition(b"\0")[0]), lambda v: bytes_of(v)[: size - 1])


def octets(size: int) -> Fixed:
    """`u8[N]` and unions: bytes, fewer are filled up with zeros.

    Its `encode` raises CodecError for more than N bytes.
    """

    def encode(value: bytes | None) -> bytes:
        if value is None:
            return b""
        if len(value) > size:
            raise CodecError(f"{len(value)} bytes, there is room for {size}")
        return bytes(value)

    return Fixed(f"{size}s", size, None, encode)


def array(item: Fixed, count: int) -> Fixed:
    """`TYPE[N]`: a list; fewer items are filled up with zeros."""
    size = item.size * count
    many = struct.Struct(f">{count}{item.code}") if item.decode is None and len(item.code) == 1 else None
    one = struct.Struct(">" + item.code)

    def decode(raw: bytes) -> Any:
        return LazyList(raw, item.size, lambda blob: item_of(one, item, blob))

    def encode(values: Sequence[Any] | None) -> bytes:
        if not values:
            return b""
        if len(values) > count:
            raise CodecError(f"{len(values)} items, there is room for {count}")
        return items_to_bytes(one, item, values)

    return Fixed(f"{size}s", size, (lambda raw: list(many.unpack(raw))) if many else decode, encode)


def item_of(one: struct.Struct, item: Fixed, blob: bytes) -> Any:
    """One item of an array from its bytes."""
    (value,) = one.unpack(blob)
    return item.decode(value) if item.decode is not None else value


def items_to_bytes(one: struct.Struct, item: Fixed, values: Sequence[Any]) -> bytes:
    """An array's bytes."""
    if item.encode is not None:
        encode = item.encode
        return b"".join([one.pack(encode(v)) for v in values])
    return struct.pack(f">{len(values)}{item.code}", *values)


def long_text() -> Variable:
    """`string[]`: u32 length, bytes."""

    def decode(data: bytes, at: int) -> tuple[str, int]:
        if len(data) - at < 4:
            raise CodecError("the message ends within the string's length")
        (length,) = U32.unpack_from(data, at)
        end = at + 4 + length
        if end > len(data):
            raise CodecError(f"a string of {length} bytes, {len(data) - at - 4} are left")
        return text_of(data[at + 4 : end]), end

    def encode(value: str | None) -> bytes:
        raw = bytes_of(value)
        return U32.pack(len(raw)) + raw

    return Variable(decode, encode, 4)


def counted(item: Fixed | Variable, is_octets: bool) -> Callable[[bytes, int, int], tuple[Any, int]]:
    """Decoder ``(data, at, n)`` of `TYPE[n]`: bytes for u8, else a list."""
    if isinstance(item, Variable):
        return _counted_variable(item)
    fixed, size, one = item, item.size, struct.Struct(">" + item.code)

    def decode(data: bytes, at: int, n: int) -> tuple[Any, int]:
        end = at + n * size
        if end > len(data):
            raise CodecError(f"{n} items of {size} bytes, {len(data) - at} bytes are left")
        if is_octets:
            return data[at:end], end
        if fixed.decode is None and len(fixed.code) == 1:
            return list(struct.unpack_from(f">{n}{fixed.code}", data, at)), end
        return [item_of(one, fixed, data[i : i + size]) for i in range(at, end, size)], end

    return decode


def _counted_variable(item: Variable) -> Callable[[bytes, int, int], tuple[Any, int]]:
    def decode(data: bytes, at: int, n: int) -> tuple[Any, int]:
        if n * item.least > len(data) - at:
            raise CodecError(f"{n} items of at least {item.least} bytes, {len(data) - at} bytes are left")
        items = []
        for _ in range(n):
            value, at = item.decode(data, at)
            items.append(value)
        return items, at

    return decode
