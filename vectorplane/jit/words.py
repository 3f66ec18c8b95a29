"""Machine words in Python, whose integers have no end."""

from __future__ import annotations


def signed(word: int, bits: int = 64) -> int:
    """The lowest bits of a number as the signed number that kernels and numpy see in them."""
    word &= (1 << bits) - 1
    return word - (1 << bits) if word >> (bits - 1) else word
