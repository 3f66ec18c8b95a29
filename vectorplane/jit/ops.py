"""Operations that kernels are written with, each compiled to one or two machine instructions.

Conventions that keep numba's promotion rules harmless (uint32 * uint32 is 64 bits wide there, and
int64 + uint64 is a float): every value is a signed 64-bit integer. Loads of 8, 16 and 32 bits are
zero-extended, ``ld64`` gives the bits as they are, stores truncate, and all dtypes that kernels see
have signed fields only. Multi-byte values in packets are big-endian: ``be16`` and ``be32`` load and
swap. No alignment is needed except for atomics.

With the JIT off each operation is its Python twin, over the checked memory of `vectorplane.jit.twin`.
"""

from __future__ import annotations

import platform
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from vectorplane.jit import twin
from vectorplane.jit.kernel import JIT, helper, python_kernels
from vectorplane.jit.words import signed

_I64 = ir.IntType(64)
_MASK64 = (1 << 64) - 1


def _op(arity: int, emit: Callable[..., Any], python: Callable[..., Any], returns: bool = True) -> Any:
    """An operation over int64 arguments: ``emit(builder, *args)`` when compiled, ``python`` as its twin."""
    if not JIT:
        return python
    result = types.int64 if returns else types.void

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        made = emit(builder, *args)
        return made if returns else context.get_dummy_value()

    wide = (types.int64,) * arity
    if arity == 0:
        return intrinsic(lambda typingctx: (result(), codegen))
    if arity == 1:
        return intrinsic(lambda typingctx, a: (result(*wide), codegen))
    if arity == 2:
        return intrinsic(lambda typingctx, a, b: (result(*wide), codegen))
    if arity == 3:
        return intrinsic(lambda typingctx, a, b, c: (result(*wide), codegen))
    if arity == 4:
        return intrinsic(lambda typingctx, a, b, c, d: (result(*wide), codegen))
    return intrinsic(lambda typingctx, a, b, c, d, e: (result(*wide), codegen))


def _pointer(builder: Any, address: Any, bits: int) -> Any:
    return builder.inttoptr(address, ir.IntType(bits).as_pointer())


def _load(bits: int, signed: bool) -> Callable[..., Any]:
    def emit(b: Any, address: Any) -> Any:
        value = b.load(_pointer(b, address, bits))
        value.align = 1
        if bits == 64:
            return value
        return b.sext(value, _I64) if signed else b.zext(value, _I64)

    return _op(1, emit, lambda address: twin.load(address, bits // 8, signed or bits == 64))


def _store(bits: int) -> Callable[..., Any]:
    def emit(b: Any, address: Any, value: Any) -> None:
        narrow = value if bits == 64 else b.trunc(value, ir.IntType(bits))
        b.store(narrow, _pointer(b, address, bits)).align = 1

    return _op(2, emit, lambda address, value: twin.store(address, bits // 8, value), returns=False)


ld8 = _load(8, signed=False)
ld16 = _load(16, signed=False)
ld32 = _load(32, signed=False)
ld64 = _load(64, signed=True)
ld16s = _load(16, signed=True)
ld32s = _load(32, signed=True)
st8 = _store(8)
st16 = _store(16)
st32 = _store(32)
st64 = _store(64)


def _emit_move32(b: Any, to: Any, source: Any) -> None:
    kind = ir.VectorType(ir.IntType(8), 32).as_pointer()
    value = b.load(b.inttoptr(source, kind))
    value.align = 1
    b.store(value, b.inttoptr(to, kind)).align = 1


def _move32_twin(to: int, source: int) -> None:
    words = [twin.load(source + at, 8, True) for at in range(0, 32, 8)]
    for at, word in zip(range(0, 32, 8), words, strict=True):
        twin.store(to + at, 8, word)


move32 = _op(2, _emit_move32, _move32_twin, returns=False)
"""``move32(to, source)``: 32 bytes in one load and one store (where the machine has them)."""


def _bswap(bits: int) -> Callable[..., Any]:
    def emit(b: Any, value: Any) -> Any:
        narrow = value if bits == 64 else b.trunc(value, ir.IntType(bits))
        swapped = b.bswap(narrow)
        return swapped if bits == 64 else b.zext(swapped, _I64)

    def python(value: int) -> int:
        raw = (int(value) & ((1 << bits) - 1)).to_bytes(bits // 8, "little")
        return signed(int.from_bytes(raw, "big"))

    return _op(1, emit, python)


bswap16 = _bswap(16)
bswap32 = _bswap(32)
bswap64 = _bswap(64)

shr = _op(2, lambda b, a, n: b.lshr(a, n), lambda a, n: signed((int(a) & _MASK64) >> int(n)))
"""``shr(a, n)``: shift right, zeros coming in (``>>`` copies the sign)."""

ult = _op(
    2,
    lambda b, a, c: b.zext(b.icmp_unsigned("<", a, c), _I64),
    lambda a, c: int((int(a) & _MASK64) < (int(c) & _MASK64)),
)
"""``ult(a, b)``: 1 when a < b as unsigned numbers, else 0."""


def _intrinsic_call(name: str) -> Callable[..., Any]:
    def emit(b: Any, value: Any) -> Any:
        if name == "ctpop":
            function = b.module.declare_intrinsic("llvm.ctpop", (_I64,))
            return b.call(function, [value])
        function = b.module.declare_intrinsic(f"llvm.{name}", (_I64,), ir.FunctionType(_I64, [_I64, ir.IntType(1)]))
        return b.call(function, [value, ir.IntType(1)(0)])

    return emit


popcount = _op(1, _intrinsic_call("ctpop"), lambda a: (int(a) & _MASK64).bit_count())
ctz = _op(
    1,
    _intrinsic_call("cttz"),
    lambda a: 64 if not int(a) & _MASK64 else ((int(a) & -int(a)) & _MASK64).bit_length() - 1,
)
"""Number of zero bits below the lowest one bit; 64 for 0."""
clz = _op(1, _intrinsic_call("ctlz"), lambda a: 64 - (int(a) & _MASK64).bit_length())
"""Number of zero bits above the highest one bit; 64 for 0."""

mul = _op(2, lambda b, a, c: b.mul(a, c), lambda a, c: signed(int(a) * int(c)))
"""Product modulo 2**64 (hashes): the twin of a Python ``*`` would grow without bound."""
add = _op(2, lambda b, a, c: b.add(a, c), lambda a, c: signed(int(a) + int(c)))
"""Sum modulo 2**64."""


def _emit_clock(b: Any) -> Any:
    function = b.module.declare_intrinsic("llvm.readcyclecounter", (), ir.FunctionType(_I64, []))
    return b.call(function, [])


cycles = _op(0, _emit_clock, time.perf_counter_ns)
"""The CPU's time stamp counter."""


def _emit_prefetch(b: Any, address: Any) -> None:
    p8, i32 = ir.IntType(8).as_pointer(), ir.IntType(32)
    function = b.module.declare_intrinsic("llvm.prefetch", [p8], ir.FunctionType(ir.VoidType(), [p8, i32, i32, i32]))
    b.call(function, [b.inttoptr(address, p8), i32(0), i32(3), i32(1)])


prefetch = _op(1, _emit_prefetch, lambda address: None, returns=False)
"""Ask for the cache line of an address, for reading soon."""


def _emit_pause(b: Any) -> None:
    if platform.machine() == "x86_64":
        b.call(b.module.declare_intrinsic("llvm.x86.sse2.pause", (), ir.FunctionType(ir.VoidType(), [])), [])


pause = _op(0, _emit_pause, lambda: None, returns=False)
"""Hint that this is a spinning wait."""

# --- atomics: addresses must be aligned to the size of the access

load_acquire = _op(
    1,
    lambda b, address: b.load_atomic(_pointer(b, address, 64), "acquire", 8),
    lambda address: twin.load(address, 8, True),
)
store_release = _op(
    2,
    lambda b, address, value: b.store_atomic(value, _pointer(b, address, 64), "release", 8),
    lambda address, value: twin.store(address, 8, value),
    returns=False,
)


def _store32_release(b: Any, address: Any, value: Any) -> None:
    b.store_atomic(b.trunc(value, ir.IntType(32)), _pointer(b, address, 32), "release", 4)


store32_release = _op(2, _store32_release, lambda address, value: twin.store(address, 4, value), returns=False)
load32_acquire = _op(
    1,
    lambda b, address: b.zext(b.load_atomic(_pointer(b, address, 32), "acquire", 4), _I64),
    lambda address: twin.load(address, 4),
)


def _swap(address: int, old: int, new: int) -> int:
    found = twin.load(address, 8, True)
    if found == signed(old):
        twin.store(address, 8, new)
    return found


compare_and_swap = _op(
    3,
    lambda b, address, old, new: b.extract_value(
        b.cmpxchg(_pointer(b, address, 64), old, new, "acq_rel", "acquire"), 0
    ),
    _swap,
)
"""``compare_and_swap(address, old, new)``: gives what was there; it was stored when that is ``old``."""


def _fetch_add_twin(address: int, value: int) -> int:
    found = twin.load(address, 8, True)
    twin.store(address, 8, found + value)
    return found


fetch_add = _op(
    2,
    lambda b, address, value: b.atomic_rmw("add", _pointer(b, address, 64), value, "acq_rel"),
    _fetch_add_twin,
)


# --- calls and records


def _emit_call3(b: Any, function: Any, a: Any, c: Any, d: Any) -> Any:
    kind = ir.FunctionType(_I64, [_I64, _I64, _I64])
    return b.call(b.inttoptr(function, kind.as_pointer()), [a, c, d])


call3 = _op(4, _emit_call3, lambda function, a, b, c: python_kernels[int(function)](a, b, c))
"""``call3(address, a, b, c)``: call a kernel by its address."""


def _rec(typingctx: Any, address: Any, dtype: Any) -> Any:
    record = dtype.dtype

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.inttoptr(args[0], context.get_value_type(record))

    return record(types.int64, dtype), codegen


rec: Any = intrinsic(_rec) if JIT else twin.Record
"""``rec(address, dtype)``: the record of ``dtype`` (a module constant) that lies at ``address``."""


@helper
def be16(address: int) -> int:
    """The big-endian 16-bit number at ``address``."""
    return bswap16(ld16(address))


@helper
def be32(address: int) -> int:
    """The big-endian 32-bit number at ``address``."""
    return bswap32(ld32(address))


@helper
def copy(to: int, source: int, size: int) -> None:
    """Copy exactly ``size`` bytes; the two must not overlap."""
    at = 0
    while at + 32 <= size:
        move32(to + at, source + at)
        at += 32
    while at + 8 <= size:
        st64(to + at, ld64(source + at))
        at += 8
    if at + 4 <= size:
        st32(to + at, ld32(source + at))
        at += 4
    while at < size:
        st8(to + at, ld8(source + at))
        at += 1


@helper
def fill(to: int, value: int, size: int) -> None:
    """Set ``size`` bytes to ``value``."""
    for i in range(size):
        st8(to + i, value)


def offsets(dtype: np.dtype[Any], *names: str) -> tuple[int, ...]:
    """Byte offsets of fields, for kernels that address them directly."""
    assert dtype.fields is not None
    return tuple(int(dtype.fields[n][1]) for n in names)
