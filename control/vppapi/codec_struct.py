"""How a structure's fields lie: runs of fixed fields, each one `struct.Struct`, with variable fields in between."""

from __future__ import annotations

import struct
from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from vectorplane.control.vppapi.codec_values import CodecError, Fixed, Variable, counted, items_to_bytes

Step = Callable[[bytes, int, list[Any]], int]


class Member:
    """A field ready to be laid out: its shape, and for `TYPE[n]` the field that counts it."""

    __slots__ = ("count", "is_octets", "name", "shape")

    def __init__(self, name: str, shape: Fixed | Variable, count: str | None = None, is_octets: bool = False) -> None:
        self.name, self.shape, self.count, self.is_octets = name, shape, count, is_octets


def structure(name: str, members: Sequence[Member]) -> Fixed | Variable:
    """The shape of a structure with these fields; its values are named tuples."""
    if all(isinstance(m.shape, Fixed) and m.count is None for m in members):
        return _fixed(name, members)
    return _variable(name, members)


def _maker(name: str, members: Sequence[Member]) -> Callable[[Sequence[Any]], Any]:
    # rename: a field that is a Python keyword gets a name like _3
    return partial(tuple.__new__, namedtuple(name, [m.name for m in members], rename=True))


def _fixed(name: str, members: Sequence[Member]) -> Fixed:
    shapes = [m.shape for m in members if isinstance(m.shape, Fixed)]
    packed = struct.Struct(">" + "".join(s.code for s in shapes))
    unpack, make = packed.unpack, _maker(name, members)
    decoders = [(i, s.decode) for i, s in enumerate(shapes) if s.decode is not None]
    arguments = _arguments(name, members)
    pack = _packer(name, packed, shapes, members)
    zeros = bytes(packed.size)

    def decode(blob: bytes) -> Any:
        values: Any = unpack(blob)
        if decoders:
            values = list(values)
            for i, convert in decoders:
                values[i] = convert(values[i])
        return make(values)

    def encode(value: Any) -> bytes:
        return zeros if value is None else pack(arguments(value))

    return Fixed(f"{packed.size}s", packed.size, decode, encode)


def _arguments(name: str, members: Sequence[Member]) -> Callable[[Any], list[Any]]:
    """What turns a dict or a tuple into a list of values, one a field; missing numbers are 0, others None."""
    names = [m.name for m in members]
    known = frozenset(names)
    wanted = [
        (m.name, 0 if isinstance(m.shape, Fixed) and m.shape.encode is None and m.count is None else None)
        for m in members
    ]

    def arguments(value: Any) -> list[Any]:
        if type(value) is dict or isinstance(value, Mapping):  # asking the abstract class takes a microsecond
            if not value.keys() <= known:
                raise CodecError(f"{name} has no field {', '.join(sorted(map(str, value.keys() - known)))}")
            get = value.get
            return [get(n, z) for n, z in wanted]
        if not isinstance(value, (tuple, list)) or len(value) != len(names):
            raise CodecError(f"{name}: a dict or {len(names)} values were expected")
        return list(value)

    return arguments


def _packer(
    name: str, packed: struct.Struct, shapes: Sequence[Fixed], members: Sequence[Member]
) -> Callable[[list[Any]], bytes]:
    """What packs the values of a run of fixed fields; it raises `CodecError` naming the field that does not fit."""
    encoders = [(i, s.encode) for i, s in enumerate(shapes) if s.encode is not None]
    pack_all = packed.pack

    def pack(values: list[Any]) -> bytes:
        try:
            made = values
            if encoders:
                made = values.copy()
                for i, convert in encoders:
                    made[i] = convert(made[i])
            return pack_all(*made)
        except (struct.error, TypeError, ValueError, AttributeError):
            for s, m, v in zip(shapes, members, values, strict=True):
                try:
                    struct.pack(">" + s.code, s.encode(v) if s.encode is not None else v)
                except (struct.error, TypeError, ValueError, AttributeError) as e:
                    raise CodecError(f"{name}.{m.name} = {v!r:.80}: {e}") from None
            raise

    return pack


def _variable(name: str, members: Sequence[Member]) -> Variable:
    make = _maker(name, members)
    position = {m.name: i for i, m in enumerate(members)}
    steps: list[Step] = []
    packers: list[Callable[[list[Any]], bytes]] = []
    least = 0
    run: list[Member] = []
    counts = [(position[m.count], i) for i, m in enumerate(members) if m.count is not None]
    first = 0
    for i, m in enumerate(members):
        if isinstance(m.shape, Fixed) and m.count is None:
            if not run:
                first = i
            run.append(m)
            least += m.shape.size
            continue
        if run:
            steps.append(_run_step(name, run, first))
            packers.append(_run_packer(name, run, first))
            run = []
        if m.count is not None:
            steps.append(_counted_step(f"{name}.{m.name}", m, position[m.count]))
            packers.append(_counted_packer(f"{name}.{m.name}", m, i))
        else:
            assert isinstance(m.shape, Variable)
            steps.append(_single_step(f"{name}.{m.name}", m.shape))
            packers.append(_single_packer(f"{name}.{m.name}", m.shape, i))
            least += m.shape.least
    if run:
        steps.append(_run_step(name, run, first))
        packers.append(_run_packer(name, run, first))
    arguments = _arguments(name, members)

    def decode(data: bytes, at: int) -> tuple[Any, int]:
        values: list[Any] = []
        for step in steps:
            at = step(data, at, values)
        return make(values), at

    def encode(value: Any) -> bytes:
        values = arguments({} if value is None else value)
        for count, items in counts:  # whoever gives the items need not count them
            try:
                values[count] = len(values[items] or ())
            except TypeError:
                raise CodecError(f"{name}.{members[items].name} = {values[items]!r:.80}: no list") from None
        return b"".join([p(values) for p in packers])

    return Variable(decode, encode, least)


def _run_step(name: str, run: Sequence[Member], first: int) -> Step:
    shapes = [m.shape for m in run if isinstance(m.shape, Fixed)]
    packed = struct.Struct(">" + "".join(s.code for s in shapes))
    size, unpack_from = packed.size, packed.unpack_from
    decoders = [(first + i, s.decode) for i, s in enumerate(shapes) if s.decode is not None]
    members = list(run)

    def step(data: bytes, at: int, values: list[Any]) -> int:
        if at + size > len(data):
            raise CodecError(ends_within(name, members, at, len(data)))
        values += unpack_from(data, at)
        for i, convert in decoders:
            values[i] = convert(values[i])
        return at + size

    return step


def ends_within(name: str, members: Sequence[Member], at: int, end: int) -> str:
    """Which field a message that is too short ends in."""
    for m in members:
        if isinstance(m.shape, Fixed):
            at += m.shape.size
            if at > end:
                return f"the message ends within {name}.{m.name}"
    return f"the message ends within {name}"


def _run_packer(name: str, run: Sequence[Member], first: int) -> Callable[[list[Any]], bytes]:
    shapes = [m.shape for m in run if isinstance(m.shape, Fixed)]
    packed = struct.Struct(">" + "".join(s.code for s in shapes))
    members = list(run)
    last = first + len(members)
    pack = _packer(name, packed, shapes, members)
    return lambda values: pack(values[first:last])


def _counted_step(label: str, member: Member, count: int) -> Step:
    decode = counted(member.shape, member.is_octets)

    def step(data: bytes, at: int, values: list[Any]) -> int:
        try:
            value, at = decode(data, at, values[count])
        except CodecError as e:
            raise CodecError(f"{label}: {e}") from None
        values.append(value)
        return at

    return step


def _counted_packer(label: str, member: Member, index: int) -> Callable[[list[Any]], bytes]:
    shape = member.shape
    one = struct.Struct(">" + shape.code) if isinstance(shape, Fixed) else None

    def pack(values: list[Any]) -> bytes:
        items = values[index]
        if not items:
            return b""
        try:
            if member.is_octets:
                return bytes(items)
            if one is None:
                return b"".join([shape.encode(v) for v in items])  # type: ignore[misc]
            assert isinstance(shape, Fixed)
            return items_to_bytes(one, shape, items)
        except (struct.error, TypeError, ValueError) as e:
            raise CodecError(f"{label}: {e}") from None

    return pack


def _single_step(label: str, shape: Variable) -> Step:
    decode = shape.decode

    def step(data: bytes, at: int, values: list[Any]) -> int:
        try:
            value, at = decode(data, at)
        except CodecError as e:
            raise CodecError(f"{label}: {e}") from None
        values.append(value)
        return at

    return step


def _single_packer(label: str, shape: Variable, index: int) -> Callable[[list[Any]], bytes]:
    encode = shape.encode

    def pack(values: list[Any]) -> bytes:
        try:
            return encode(values[index])
        except (TypeError, AttributeError) as e:
            raise CodecError(f"{label} = {values[index]!r:.80}: {e}") from None

    return pack
