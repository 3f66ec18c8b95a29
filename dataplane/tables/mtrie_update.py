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

from vectorplane.jit.kernel import compiled, helper, routine
from vectorplane.jit.ops import ld8, ld32s, ld64, rec, st8, st32, store32_release

ROOT_SLOTS = 1 << 16
PLY_SLOTS = 1 << 8
_SHORTEST = 0  # constants go to functions as int(...): a literal is a type of its own, compiled apart

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


@routine
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
def _count(t: int, ply: int, change: int) -> int:
    """Change, and give, the number of a ply's leaves that are more specific than the one it hangs from."""
    at = rec(t, MTRIE).counts + 4 * ply
    n = ld32s(at) + change
    st32(at, n)
    return int(n)


@routine
def _paint_leaves(leaves: int, lengths: int, n: int, base: int, low: int, high: int, value: int, length: int) -> int:
    """``n`` leaves: those set by lengths ``low`` .. ``high`` get the value and length.

    Gives by how much the number of leaves set by more than ``base`` bits grew.
    """
    change = 0
    for i in range(n):
        was = ld8(lengths + i)
        if ld32s(leaves + 4 * i) >= 0 and low <= was <= high:
            store32_release(leaves + 4 * i, value)
            st8(lengths + i, length)
            change += (length > base) - (was > base)
    return change


@routine
def _paint(t: int, leaves: int, lengths: int, n: int, base: int, low: int, high: int, value: int, length: int) -> int:
    """The same for ``n`` leaves and all plies below them, two levels at most.

    Not a recursion: numba's cache stores a function that calls itself so that it crashes when it is loaded.
    """
    m = rec(t, MTRIE)
    slots = int(PLY_SLOTS)
    for i in range(n):
        leaf = ld32s(leaves + 4 * i)
        if leaf < 0:
            slot = ~leaf * PLY_SLOTS
            at, of = m.plies + 4 * slot, m.ply_lengths + slot
            _count(t, ~leaf, _paint_leaves(at, of, slots, base + 8, low, high, value, length))
            for j in range(slots):
                below = ld32s(at + 4 * j)
                if below < 0:
                    slot = ~below * PLY_SLOTS
                    leaf_at, leaf_of = m.plies + 4 * slot, m.ply_lengths + slot
                    _count(t, ~below, _paint_leaves(leaf_at, leaf_of, slots, base + 16, low, high, value, length))
    return _paint_leaves(leaves, lengths, n, base, low, high, value, length)


@routine
def _paint_route(t: int, fib: int, ply: int, prefix: int, bits: int, low: int, value: int, length: int) -> int:
    """The leaves of a route of ``bits`` bits that were set by ``low`` .. ``bits``; in ``ply``, or (<= 16) in the root.

    Gives the number of the ply's leaves that are more specific than the one it hangs from.
    """
    m = rec(t, MTRIE)
    base = 24 if bits > 24 else 16 if bits > 16 else 8
    if base == 8:
        leaves, lengths, at = m.roots, m.root_lengths, fib * ROOT_SLOTS + (prefix >> 16)
    else:
        leaves, lengths, at = m.plies, m.ply_lengths, ply * PLY_SLOTS + (prefix >> (24 - base) & 255)
    n = 1 << (base + 8 - bits)
    change = _paint(t, leaves + 4 * at, lengths + at, n, base, low, bits, value, length)
    return int(_count(t, ply, change)) if base > 8 else 0


@helper
def add_route(t: int, fib: int, prefix: int, length: int, value: int) -> int:
    """Enter a route; the prefix has no bits beyond its length. 0, or -1: out of plies, nothing changed."""
    m = rec(t, MTRIE)
    root = fib * ROOT_SLOTS + (prefix >> 16)
    first = ld32s(m.roots + 4 * root)
    ply = -1
    middle = -1
    slot = 0
    second = 0
    if length > 16:
        left = m.free_n + m.capacity - m.high
        if left < 2:
            wanted = first >= 0
            if length > 24:
                wanted += first >= 0 or ld32s(m.plies + 4 * (~first * PLY_SLOTS + (prefix >> 8 & 255))) >= 0
            if left < wanted:
                return -1
        middle = ~first if first < 0 else _take_ply(t, first, ld8(m.root_lengths + root))
        ply = middle
    if length > 24:
        slot = middle * PLY_SLOTS + (prefix >> 8 & 255)
        second = ld32s(m.plies + 4 * slot)
        ply = ~second if second < 0 else _take_ply(t, second, ld8(m.ply_lengths + slot))
    _paint_route(t, fib, ply, prefix, length, int(_SHORTEST), value, length)
    if length > 24 and second >= 0:
        store32_release(m.plies + 4 * slot, ~ply)
        _count(t, middle, 1 if ld8(m.ply_lengths + slot) <= 16 else 0)  # a ply counts as more specific
    if length > 16 and first >= 0:
        store32_release(m.roots + 4 * root, ~middle)
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
    root = fib * ROOT_SLOTS + (prefix >> 16)
    middle = -1
    ply = -1
    slot = 0
    if length > 16:
        middle = ~ld32s(m.roots + 4 * root)
        ply = middle
        if length > 24 and middle >= 0:
            slot = middle * PLY_SLOTS + (prefix >> 8 & 255)
            ply = ~ld32s(m.plies + 4 * slot)
        if ply < 0:
            return 0
    left = _paint_route(t, fib, ply, prefix, length, length, value, new_length)
    if length <= 16 or left > 0:
        return 0
    gone = 0
    if length > 24:
        was = ld8(m.ply_lengths + ply * PLY_SLOTS)
        st8(m.ply_lengths + slot, was)
        store32_release(m.plies + 4 * slot, ld32s(m.plies + 4 * ply * PLY_SLOTS))
        gone = ply + 1
        if _count(t, middle, -1 if was <= 16 else 0) > 0:
            return int(gone)
    st8(m.root_lengths + root, ld8(m.ply_lengths + middle * PLY_SLOTS))
    store32_release(m.roots + 4 * root, ld32s(m.plies + 4 * middle * PLY_SLOTS))
    return int(gone | (middle + 1) << 32)


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
