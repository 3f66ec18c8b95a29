"""Time stamps of pcapng, any resolution, in integer nanoseconds without overflow.

Source: draft-ietf-opsawg-pcapng, section 4.2 (if_tsresol, if_tsoffset) and 4.3 (time stamps are 64 bits
unsigned). Resolutions finer than a nanosecond are rounded down; a time outside of int64 nanoseconds (1677 to
2262) is given as the nearest one inside.
"""

from __future__ import annotations

from vectorplane.jit.kernel import helper
from vectorplane.jit.ops import add, mul, rec, shr, ult
from vectorplane.pcap.index import INTERFACE

SECOND = 1_000_000_000
_MAX = (1 << 63) - 1
_MIN = -_MAX - 1


def factors(resolution: int, tsoffset: int) -> dict[str, int]:
    """The fields of INTERFACE that turn time stamps into nanoseconds, from if_tsresol and if_tsoffset (seconds).

    Stamps of 0 to ``limit`` need only be multiplied by ``scale``; -1: none are that simple. The others are
    divided: by ``unit`` (stamps in a second) when 10**-9 s or coarser, by ``unit`` and ``tail`` when finer.
    """
    fields = {"resolution": resolution, "tsoffset": tsoffset, "scale": 1, "limit": -1, "unit": 1, "tail": 1}
    if resolution <= 9:
        fields["unit"], fields["scale"] = int(10**resolution), int(10 ** (9 - resolution))
        if tsoffset == 0:
            fields["limit"] = _MAX // fields["scale"]
    elif resolution < 0x80:
        power = resolution - 9  # in two factors, as 10**19 is no int64; 10**36 is beyond any stamp
        fields["unit"], fields["tail"] = int(10 ** min(power, 18)), int(10 ** min(max(power - 18, 0), 18))
    return fields


@helper
def _udiv(a: int, d: int) -> int:
    """``a // d`` of an unsigned ``a``; 0 < d < 2**63."""
    if a >= 0:
        return a // d
    q: int = (shr(a, 1) // d) * 2
    rest: int = add(a, mul(-d, q))
    borrow: int = ult(rest, d)
    return q + 1 - borrow


@helper
def _join(seconds: int, fraction: int, tsoffset: int) -> int:
    """Nanoseconds of unsigned ``seconds`` + ``fraction`` ns + signed ``tsoffset`` seconds, kept within int64."""
    total: int = add(seconds, tsoffset)
    if total < 0 and (tsoffset >= 0 or seconds < 0):  # an unsigned sum of 2**63 or more
        return _MAX
    if tsoffset >= 0 and seconds < 0:
        return _MAX
    if total > 9223372036 or (total == 9223372036 and fraction > 854775807):
        return _MAX
    if total < -9223372037 or (total == -9223372037 and fraction < 145224192):
        return _MIN
    if total < 0:  # the product alone may be below the least int64
        return (total + 1) * SECOND + (fraction - SECOND)
    return total * SECOND + fraction


@helper
def _binary_fraction(rest: int, shift: int) -> int:
    """``rest * 10**9 >> shift`` of an unsigned ``rest`` below 2**shift."""
    if shift < 32:
        return (rest * SECOND) >> shift
    # the product has up to 94 bits: by the halves of rest, each product below 2**62
    high: int = shr(rest, 32) * SECOND + (((rest & 0xFFFFFFFF) * SECOND) >> 32)
    return high >> (shift - 32) if shift < 95 else 0


@helper
def to_ns(entry: int, stamp: int) -> int:
    """Nanoseconds since the epoch of the 64-bit ``stamp`` of the interface at address ``entry``."""
    r = rec(entry, INTERFACE)
    if stamp >= 0 and stamp <= r.limit:
        ns: int = stamp * r.scale
        return ns
    resolution, unit = r.resolution, r.unit
    if resolution & 0x80:
        shift = resolution & 0x7F
        seconds, rest = 0, stamp
        if shift < 64:
            seconds = shr(stamp, shift)
            rest = stamp & (shr(-1, 64 - shift) if shift > 0 else 0)
        fraction = _binary_fraction(rest, shift)
    else:
        seconds = _udiv(stamp, unit)
        fraction = add(stamp, mul(-unit, seconds)) * r.scale
        if resolution > 9:
            ns = seconds // r.tail
            seconds, fraction = ns // SECOND, ns % SECOND
    return _join(seconds, fraction, r.tsoffset)
