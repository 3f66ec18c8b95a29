"""How an mtrie is changed: compiled functions on addresses, run by one writer while readers look up.

Beside each leaf lies the length of the prefix that set it. With it an update knows which leaves are its
own to change, without a look at any other route: a route writes over leaves set by prefixes as long or
shorter, a removal over leaves set by its very length. A ply counts its leaves that are more specific
than the leaf it hangs from; at zero all its leaves are equal and it is folded into that leaf again.

A reader sees each change of a leaf as one store, an atomic one: the compiler may not merge them. A new
ply is filled, with the update already in it, before a release store publishes it. A ply that was folded
is given to the caller, who frees it when no reader can be in it any more.
"""

from __future__ import annotations

import numpy as np

from vectorplane.jit.kernel import compiled, helper
from vectorplane.jit.ops import ld8, ld32s, ld64, rec, st8, st32, store32_release

ROOT_SLOTS = 1 << 16
PLY_SLOTS = 1 << 8

MTRIE = np.dtype(
    [
        ("roots", "i8"),  # int32 leaves [fib][65536]
        ("root_lengths", "i8"),  # int8, as the leaves
        ("plies", "i8"),  # int32 leaves [ply][256]
        ("ply_lengths", "i8"),  # int8, as the leaves
        ("counts", "i8"),  # int32 [ply]: leaves more specific than the one it hangs from
        ("free", "i8"),  # int32 stack of free plies
        ("free_n", "i8"),
        ("high", "i8"),  # plies from here on were never used
        ("capacity", "i8"),  # plies
        ("pad", "i8", (7,)),
    ],
    align=True,
)
"""The writer's state of an mtrie: addresses and the stock of plies."""


@helper
def plies_left(t: int) -> int:
    """Plies that can still be taken."""
    m = rec(t, MTRIE)
    return int(m.free_n + m.capacity - m.high)


@helper
def _take_ply(t: int, leaf: int, length: int) -> int:
    """A ply whose leaves all are ``leaf``, set by ``length``; the caller knows that one is left."""
    m = rec(t, MTRIE)
    if m.free_n > 0:
        m.free_n -= 1
        ply = ld32s(m.free + 4 * m.free_n)
    else:
        ply = m.high
        m.high += 1
    st32(m.counts + 4 * ply, 0)
    for i in range(ply * PLY_SLOTS, ply * PLY_SLOTS + PLY_SLOTS):
        st32(m.plies + 4 * i, leaf)
        st8(m.ply_lengths + i, length)
    return int(ply)


@helper
def _paint_third(t: int, ply: int, first: int, n: int, low: int, high: int, value: int, length: int) -> None:
    """Leaves ``first`` .. ``first + n`` of a lowest ply: those set by lengths low .. high get the value and length."""
    m = rec(t, MTRIE)
    change = 0
    for i in range(ply * PLY_SLOTS + first, ply * PLY_SLOTS + first + n):
        was = ld8(m.ply_lengths + i)
        if low <= was <= high:
            store32_release(m.plies + 4 * i, value)
            st8(m.ply_lengths + i, length)
            change += (length > 24) - (was > 24)
    st32(m.counts + 4 * ply, ld32s(m.counts + 4 * ply) + change)


@helper
def _paint_second(t: int, ply: int, first: int, n: int, low: int, high: int, value: int, length: int) -> None:
    """The same for a middle ply and the plies below it."""
    m = rec(t, MTRIE)
    change = 0
    for i in range(ply * PLY_SLOTS + first, ply * PLY_SLOTS + first + n):
        leaf = ld32s(m.plies + 4 * i)
        if leaf < 0:
            _paint_third(t, ~leaf, 0, PLY_SLOTS, low, high, value, length)
        else:
            was = ld8(m.ply_lengths + i)
            if low <= was <= high:
                store32_release(m.plies + 4 * i, value)
                st8(m.ply_lengths + i, length)
                change += (length > 16) - (was > 16)
    st32(m.counts + 4 * ply, ld32s(m.counts + 4 * ply) + change)


@helper
def _paint_root(t: int, fib: int, first: int, n: int, low: int, high: int, value: int, length: int) -> None:
    """The same for a root and all below it."""
    m = rec(t, MTRIE)
    for i in range(fib * ROOT_SLOTS + first, fib * ROOT_SLOTS + first + n):
        leaf = ld32s(m.roots + 4 * i)
        if leaf < 0:
            _paint_second(t, ~leaf, 0, PLY_SLOTS, low, high, value, length)
        elif low <= ld8(m.root_lengths + i) <= high:
            store32_release(m.roots + 4 * i, value)
            st8(m.root_lengths + i, length)


@helper
def add_route(t: int, fib: int, prefix: int, length: int, value: int) -> int:
    """Enter a route; the prefix has no bits beyond its length. 0, or -1: out of plies, nothing changed."""
    m = rec(t, MTRIE)
    if length <= 16:
        _paint_root(t, fib, prefix >> 16, 1 << (16 - length), 0, length, value, length)
        return 0
    root = fib * ROOT_SLOTS + (prefix >> 16)
    leaf = ld32s(m.roots + 4 * root)
    new_second = leaf >= 0
    middle = (prefix >> 8) & 255
    if length <= 24:
        if new_second:
            if plies_left(t) < 1:
                return -1
            second = _take_ply(t, leaf, ld8(m.root_lengths + root))
        else:
            second = ~leaf
        _paint_second(t, second, middle, 1 << (24 - length), 0, length, value, length)
    else:
        if new_second:
            if plies_left(t) < 2:
                return -1
            second = _take_ply(t, leaf, ld8(m.root_lengths + root))
        else:
            second = ~leaf
        slot = second * PLY_SLOTS + middle
        leaf = ld32s(m.plies + 4 * slot)
        if leaf < 0:
            _paint_third(t, ~leaf, prefix & 255, 1 << (32 - length), 0, length, value, length)
        else:
            if plies_left(t) < 1:
                return -1
            was = ld8(m.ply_lengths + slot)
            third = _take_ply(t, leaf, was)
            _paint_third(t, third, prefix & 255, 1 << (32 - length), 0, length, value, length)
            if was <= 16:  # the slot of a ply counts as more specific
                st32(m.counts + 4 * second, ld32s(m.counts + 4 * second) + 1)
            store32_release(m.plies + 4 * slot, ~third)
    if new_second:
        store32_release(m.roots + 4 * root, ~second)
    return 0


@compiled
def mtrie_add(t: int, fib: int, prefix: int, length: int, value: int) -> int:
    """`add_route`, for Python."""
    return int(add_route(t, fib, prefix, length, value))


@compiled
def mtrie_load(t: int, fib: int, n: int, prefixes: int, lengths: int, values: int, order: int) -> int:
    """Enter ``n`` routes (int64 arrays) in the given order of their numbers; 0, or -1: out of plies."""
    for i in range(n):
        at = 8 * ld64(order + 8 * i)
        if add_route(t, fib, ld64(prefixes + at), ld64(lengths + at), ld64(values + at)) < 0:
            return -1
    return 0


@compiled
def mtrie_remove(t: int, fib: int, prefix: int, length: int, value: int, new_length: int) -> int:
    """Take a route out; its leaves go to the covering route's value and length.

    Gives the plies that were folded and may be freed once no reader is in them: the lowest one's
    number + 1 in the low 32 bits, the middle one's number + 1 above; 0 for none.
    """
    m = rec(t, MTRIE)
    if length <= 16:
        _paint_root(t, fib, prefix >> 16, 1 << (16 - length), length, length, value, new_length)
        return 0
    root = fib * ROOT_SLOTS + (prefix >> 16)
    second = ~ld32s(m.roots + 4 * root)
    if second < 0:
        return 0
    gone = 0
    middle = (prefix >> 8) & 255
    slot = second * PLY_SLOTS + middle
    if length <= 24:
        _paint_second(t, second, middle, 1 << (24 - length), length, length, value, new_length)
    else:
        third = ~ld32s(m.plies + 4 * slot)
        if third < 0:
            return 0
        _paint_third(t, third, prefix & 255, 1 << (32 - length), length, length, value, new_length)
        if ld32s(m.counts + 4 * third) > 0:
            return 0
        was = ld8(m.ply_lengths + third * PLY_SLOTS)
        st8(m.ply_lengths + slot, was)
        store32_release(m.plies + 4 * slot, ld32s(m.plies + 4 * third * PLY_SLOTS))
        st32(m.counts + 4 * second, ld32s(m.counts + 4 * second) - (was <= 16))
        gone = third + 1
    if ld32s(m.counts + 4 * second) > 0:
        return int(gone)
    st8(m.root_lengths + root, ld8(m.ply_lengths + second * PLY_SLOTS))
    store32_release(m.roots + 4 * root, ld32s(m.plies + 4 * second * PLY_SLOTS))
    return int(gone | (second + 1) << 32)


@compiled
def mtrie_free(t: int, ply: int) -> int:
    """A folded ply may be used again."""
    m = rec(t, MTRIE)
    st32(m.free + 4 * m.free_n, ply)
    m.free_n += 1
    return 0


@compiled
def mtrie_clear(t: int, fib: int, value: int, out: int) -> int:
    """Every address of ``fib`` gets ``value`` again. Plies to free go to ``out`` (int32); gives their number."""
    m = rec(t, MTRIE)
    n = 0
    for i in range(fib * ROOT_SLOTS, fib * ROOT_SLOTS + ROOT_SLOTS):
        leaf = ld32s(m.roots + 4 * i)
        st8(m.root_lengths + i, 0)
        store32_release(m.roots + 4 * i, value)
        if leaf < 0:
            for j in range(~leaf * PLY_SLOTS, ~leaf * PLY_SLOTS + PLY_SLOTS):
                below = ld32s(m.plies + 4 * j)
                if below < 0:
                    st32(out + 4 * n, ~below)
                    n += 1
            st32(out + 4 * n, ~leaf)
            n += 1
    return n
