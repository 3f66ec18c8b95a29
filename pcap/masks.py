"""Masks: which bytes two captures may differ in, by name or by place.

``macs``, ``ip-id``, ``ip-checksum``, ``ttl``, ``l4-checksum``, or ``[BASE+]OFFSET[+OFFSET...]:LENGTH`` in bytes,
such as ``14+10:2`` (bytes 24 and 25 of the frame) or ``ip4+8:1``. The bases are ``frame`` (the default), ``ip4``
and ``ip6``: the outermost IP header, behind any VLAN tags; such a mask is void in a packet without that header.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

FRAME, IP4, IP6, ICMP, TCP, UDP, ICMP6 = range(7)
"""What the offset of a range counts from."""

RANGE = np.dtype([("base", "i8"), ("offset", "i8"), ("length", "i8")])
"""One masked range, as the compiled comparison sees it."""

_NAMED = {
    "macs": ((FRAME, 0, 12),),
    "ip-id": ((IP4, 4, 2),),
    "ip-checksum": ((IP4, 10, 2),),
    "ttl": ((IP4, 8, 1), (IP6, 7, 1)),
    "l4-checksum": ((ICMP, 2, 2), (TCP, 16, 2), (UDP, 6, 2), (ICMP6, 2, 2)),
}
_BASES = {"frame": FRAME, "ip4": IP4, "ip6": IP6}
_NUMBER = re.compile(r"\d{1,6}|0x[0-9a-fA-F]{1,5}")


class MaskError(ValueError):
    """A mask is not understood; the text says which and why."""


@dataclass(frozen=True)
class Mask:
    """Bytes that are not compared: ``ranges`` of (base, offset, length)."""

    text: str
    ranges: tuple[tuple[int, int, int], ...]

    @classmethod
    def parse(cls, text: str) -> Mask:
        """The mask that ``text`` describes. Raises MaskError."""
        word = text.strip()
        if word in _NAMED:
            return cls(word, _NAMED[word])
        place, colon, length = word.partition(":")
        terms = [term.strip() for term in place.split("+")]
        if not colon:
            known = ", ".join(_NAMED)
            raise MaskError(f"mask {text!r}: neither a name ({known}) nor [BASE+]OFFSET[+OFFSET...]:LENGTH")
        base = _BASES.get(terms[0])
        if base is not None:
            terms = terms[1:]
        elif terms[0][:1].isalpha():
            raise MaskError(f"mask {text!r}: base {terms[0]!r} is not one of {', '.join(_BASES)}")
        if not terms:
            raise MaskError(f"mask {text!r}: an offset is missing behind {place.strip()!r}")
        offset = sum(_number(text, "offset", term) for term in terms)
        size = _number(text, "length", length.strip())
        if size == 0:
            raise MaskError(f"mask {text!r}: its length is 0")
        return cls(word, ((base or FRAME, offset, size),))


def _number(mask: str, what: str, word: str) -> int:
    if not _NUMBER.fullmatch(word):
        raise MaskError(f"mask {mask!r}: {what} {word!r} is not a number of bytes")
    return int(word, 0) if word.startswith("0x") else int(word)


def table(masks: Iterable[Mask]) -> np.ndarray[Any, Any]:
    """The ranges of all masks, an array of RANGE, shape (n,)."""
    return np.array([r for mask in masks for r in mask.ranges], RANGE)
