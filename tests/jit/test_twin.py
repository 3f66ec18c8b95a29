"""Memory as the twins of compiled operations see it."""

from __future__ import annotations

import numpy as np
import pytest

from vectorplane.jit import twin


def test_memory_that_was_freed_and_given_away_without_a_word() -> None:
    """What an older owner had within it, and did not take back, is no end of it."""
    array = np.arange(256, dtype=np.uint8)
    base = array.ctypes.data
    twin.register(base + 64, 16, "older")
    twin.register(base, array.nbytes, "array")
    try:
        assert twin.load(base + 76, 8) == int.from_bytes(bytes(range(76, 84)), "little")
        with pytest.raises(twin.MemoryFault):
            twin.load(base + 252, 8)
    finally:
        twin.unregister(base)
    with pytest.raises(twin.MemoryFault):
        twin.load(base + 64, 8)
