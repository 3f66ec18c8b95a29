"""From a packet's addresses, ports and FIB to the half of its session: 8 bytes a flow.

A slot holds 32 bits of the hash above the half's number plus 1; 0: free. A bucket is a cache line of eight slots, a
flow is in one of two, in the first as long as it has room. Which half it really is says the half itself, whose line a
packet needs anyway, so no key is stored twice: two million flows take 32 MB, where keys in the table take 128.

Any worker may look, without a lock; it may see a flow that is just ending or starting, and compares the half's match.
Changes are made with the table's lock held.
"""

from __future__ import annotations

from vectorplane.graph_nodes.nat44.nat import NAT
from vectorplane.graph_nodes.nat44.session import HALF, half_at
from vectorplane.jit.kernel import helper, routine
from vectorplane.jit.ops import ld64, load_acquire, mul, prefetch, rec, shr, store_release

BUCKET = 64
SLOTS = 8
_TAG = -(1 << 32)
_FIRST, _SECOND, _THIRD = 0x5851F42D4C957F2D, 0x2545F4914F6CDD1D, 0x369DEA0F31A53F85


@helper
def flow_hash(nat: int, addresses: int, key: int) -> int:
    """64 well-mixed bits of a match."""
    h = mul(addresses ^ rec(nat, NAT).seed, _FIRST)
    # products carry upwards alone: the ports, which are above in the key, go below, and the best bits to the bottom
    ports_below = shr(key, 32) | mul(key, 1 << 32)
    h = mul(h ^ shr(h, 32) ^ mul(ports_below, _SECOND), _THIRD)
    return h ^ shr(h, 32)


@helper
def _first(nat: int, h: int) -> int:
    n = rec(nat, NAT)
    return int(n.flows + (h & n.flow_mask) * BUCKET)


@helper
def _second(nat: int, h: int) -> int:
    """The other bucket: as far from the first as bits say that do not choose it (an odd number, so never the same)."""
    n = rec(nat, NAT)
    return int(n.flows + ((h ^ (shr(h, 40) | 1)) & n.flow_mask) * BUCKET)


@helper
def prefetch_flow(nat: int, h: int) -> None:
    """Ask for the line where a flow with this hash is."""
    prefetch(_first(nat, h))


@helper
def _in_bucket(bucket: int, h: int) -> int:
    """Half with this hash in a bucket; -1. A guess: its match is to be compared."""
    for k in range(SLOTS):
        word = ld64(bucket + 8 * k)
        if (word ^ h) & _TAG == 0 and word & 0xFFFFFFFF != 0:
            return (word & 0xFFFFFFFF) - 1
    return -1


@helper
def guess(nat: int, h: int) -> int:
    """The half that a flow with this hash probably has; -1: not in its first bucket."""
    return _in_bucket(_first(nat, h), h)


@helper
def matches(nat: int, number: int, addresses: int, key: int) -> bool:
    """Is it the half of this match?"""
    half = rec(half_at(rec(nat, NAT).halves, number), HALF)
    return half.addresses == addresses and half.key == key


@routine
def _search(nat: int, bucket: int, h: int, addresses: int, key: int) -> int:
    for k in range(SLOTS):
        word = load_acquire(bucket + 8 * k)
        if (word ^ h) & _TAG == 0 and word & 0xFFFFFFFF != 0:
            number = (word & 0xFFFFFFFF) - 1
            if matches(nat, number, addresses, key):
                return number
    return -1


@routine
def find(nat: int, addresses: int, key: int) -> int:
    """The half with this match; -1: there is none."""
    h = flow_hash(nat, addresses, key)
    number = _search(nat, _first(nat, h), h, addresses, key)
    return number if number >= 0 else _search(nat, _second(nat, h), h, addresses, key)


@helper
def _free_slot(bucket: int) -> int:
    for k in range(SLOTS):
        if ld64(bucket + 8 * k) == 0:
            return bucket + 8 * k
    return 0


@routine
def _make_room(nat: int, bucket: int) -> int:
    """A slot of a full bucket that becomes free because its flow goes to its second bucket; 0: none can.

    The flow is entered there before it goes here, and nobody looks into the second bucket first: no reader misses it.
    """
    n = rec(nat, NAT)
    for k in range(SLOTS):
        slot = bucket + 8 * k
        word = ld64(slot)
        half = rec(half_at(n.halves, (word & 0xFFFFFFFF) - 1), HALF)
        h = flow_hash(nat, half.addresses, half.key)
        if _first(nat, h) == bucket:
            other = _free_slot(_second(nat, h))
            if other != 0:
                store_release(other, word)
                store_release(slot, 0)
                return slot
    return 0


@routine
def put(nat: int, number: int) -> bool:
    """Have a half found by its match, which no other one has. False: there is no room."""
    half = rec(half_at(rec(nat, NAT).halves, number), HALF)
    h = flow_hash(nat, half.addresses, half.key)
    slot = _free_slot(_first(nat, h))
    if slot == 0:
        slot = _free_slot(_second(nat, h))
    if slot == 0:
        slot = _make_room(nat, _first(nat, h))
    if slot == 0:
        return False
    store_release(slot, (h & _TAG) | (number + 1))
    half.present = 1
    return True


@helper
def _clear(bucket: int, word: int) -> bool:
    for k in range(SLOTS):
        if ld64(bucket + 8 * k) == word:
            store_release(bucket + 8 * k, 0)
            return True
    return False


@routine
def take_out(nat: int, number: int) -> None:
    """Have it found no more."""
    half = rec(half_at(rec(nat, NAT).halves, number), HALF)
    if half.present == 0:
        return
    h = flow_hash(nat, half.addresses, half.key)
    word = (h & _TAG) | (number + 1)
    if not _clear(_first(nat, h), word):
        _clear(_second(nat, h), word)
    half.present = 0
