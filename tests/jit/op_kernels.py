"""All operations behind two kernels, and a server that runs them from another process (with the JIT off)."""

from __future__ import annotations

import json
import sys
from typing import Any

import numpy as np

from vectorplane.jit import ops, twin
from vectorplane.jit.kernel import JIT, compiled, kernel
from vectorplane.jit.ops import (
    add,
    be16,
    be32,
    bswap16,
    bswap32,
    bswap64,
    call3,
    compare_and_swap,
    copy,
    ctz,
    fetch_add,
    fill,
    ld8,
    ld16,
    ld16s,
    ld32,
    ld32s,
    ld64,
    load32_acquire,
    load_acquire,
    mul,
    popcount,
    rec,
    shr,
    st8,
    st16,
    st32,
    st64,
    store32_release,
    store_release,
    ult,
)

PURE = ("bswap16", "bswap32", "bswap64", "shr", "ult", "popcount", "ctz", "mul", "add")
"""Operations over numbers, by their number in `pure`."""

MEMORY = (
    "ld8", "ld16", "ld32", "ld64", "ld16s", "ld32s", "st8", "st16", "st32", "st64", "be16", "be32",
    "fields", "copy", "fill", "array",
)  # fmt: skip
"""Operations on unaligned memory, by their number in `memory`: bytes that each touches are in `SIZES`."""

ATOMIC = ("load_acquire", "store_release", "load32_acquire", "store32_release", "compare_and_swap", "fetch_add")
"""Operations on aligned memory, by their number in `atomic`."""

FIELDS = np.dtype([("a", "i1"), ("b", "i2"), ("c", "i4"), ("d", "i8")])
ARRAYS = np.dtype([("a", "i2", (3,)), ("b", "i4", (2,)), ("c", "i1", (2,))])
SIZES = {
    "ld8": 1, "ld16": 2, "ld32": 4, "ld64": 8, "ld16s": 2, "ld32s": 4, "st8": 1, "st16": 2, "st32": 4, "st64": 8,
    "be16": 2, "be32": 4, "fields": 15, "array": 15,
}  # fmt: skip


@kernel
def pure(which: int, a: int, b: int) -> int:
    """Operation ``which`` of `PURE`."""
    if which == 0:
        return bswap16(a)
    if which == 1:
        return bswap32(a)
    if which == 2:
        return bswap64(a)
    if which == 3:
        return shr(a, b & 63)
    if which == 4:
        return ult(a, b)
    if which == 5:
        return popcount(a)
    if which == 6:
        return ctz(a)
    if which == 7:
        return mul(a, b)
    return add(a, b)


@kernel
def memory(which: int, at: int, value: int) -> int:
    """Operation ``which`` of `MEMORY` at an address; what is loaded is the result."""
    if which == 0:
        return ld8(at)
    if which == 1:
        return ld16(at)
    if which == 2:
        return ld32(at)
    if which == 3:
        return ld64(at)
    if which == 4:
        return ld16s(at)
    if which == 5:
        return ld32s(at)
    if which == 6:
        st8(at, value)
    elif which == 7:
        st16(at, value)
    elif which == 8:
        st32(at, value)
    elif which == 9:
        st64(at, value)
    elif which == 10:
        return be16(at)
    elif which == 11:
        return be32(at)
    elif which == 12:
        r = rec(at, FIELDS)
        old = r.a * 3 + r.b * 5 + r.c * 7
        r.a = value
        r.b = value >> 3
        r.c = value >> 5
        r.d = r.a + r.b + r.c
        return old
    elif which == 13:
        copy(at + 80, at, value & 63)
    elif which == 14:
        fill(at, value >> 8, value & 63)
    elif which == 15:
        r = rec(at, ARRAYS)
        r.a[1] = value
        r.b[1] = value >> 7
        r.c[0] = value >> 9
        return r.a[1] + r.b[1] + r.c[0] + r.a[2]
    return 0


@kernel
def atomic(which: int, at: int, value: int) -> int:
    """Operation ``which`` of `ATOMIC` at an aligned address. The swap wants to find 5."""
    if which == 0:
        return load_acquire(at)
    if which == 1:
        store_release(at, value)
    elif which == 2:
        return load32_acquire(at)
    elif which == 3:
        store32_release(at, value)
    elif which == 4:
        return compare_and_swap(at, 5, value)
    elif which == 5:
        return fetch_add(at, value)
    return 0


@kernel
def through(function: int, a: int, b: int) -> int:
    """Call another kernel by its address."""
    return call3(function, 7, a, b)


@compiled
def add_often(at: int, times: int) -> int:
    """Add 1 at an address so many times."""
    for _ in range(times):
        fetch_add(at, 1)
    return 0


@compiled
def swap_often(at: int, times: int) -> int:
    """The same by compare and swap; gives how often it had to try again."""
    again = 0
    for _ in range(times):
        seen = load_acquire(at)
        while compare_and_swap(at, seen, seen + 1) != seen:
            again += 1
            seen = load_acquire(at)
    return again


@compiled
def wait_for(at: int, limit: int) -> int:
    """Spin until the word at ``at`` is not 0, at most ``limit`` times; gives what was found there."""
    value = 0
    for _ in range(limit):
        value = load_acquire(at)
        if value != 0:
            break
        ops.pause()
    return value


SPACE = 256


class Scratch:
    """Memory for one operation after the other."""

    def __init__(self) -> None:
        # 8-byte aligned by its dtype
        self.words = np.zeros(SPACE // 8, np.int64)
        self.bytes = self.words.view(np.uint8)
        self.address = int(self.words.ctypes.data)
        if not JIT:
            twin.register(self.address, SPACE, "scratch")

    def run(self, kind: str, which: int, at: int, value: int, content: str) -> tuple[int, str]:
        """Fill the memory, run one operation on it; its result and the memory after."""
        if kind == "pure":
            return int(pure(which, at, value)), ""
        raw = bytes.fromhex(content)
        self.bytes[:] = 0
        self.bytes[: len(raw)] = np.frombuffer(raw, np.uint8)
        unit = memory if kind == "memory" else atomic
        return int(unit(which, self.address + at, value)), self.bytes.tobytes().hex()


def main() -> None:
    """Serve lines of JSON: [kind, which, at, value, content]."""
    assert not JIT
    scratch = Scratch()
    for line in sys.stdin:
        job: list[Any] = json.loads(line)
        try:
            print(json.dumps(scratch.run(*job)), flush=True)
        except Exception as error:
            print(json.dumps([repr(error), ""]), flush=True)


if __name__ == "__main__":
    main()
