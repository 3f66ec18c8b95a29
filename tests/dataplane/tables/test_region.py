"""Regions and bumps: addresses that stay, views over the same memory, clear errors."""

from __future__ import annotations

import mmap
import os

import numpy as np
import pytest

from vectorplane.dataplane.region import Bump, Region, RegionFull, lent
from vectorplane.jit import ops, twin
from vectorplane.jit.kernel import JIT, compiled


@compiled
def _increment(address: int) -> int:
    ops.st64(address, ops.ld64(address) + 1)
    return int(ops.ld64(address))


def test_memory_is_zero_page_aligned_and_shared_with_kernels() -> None:
    region = Region(100, name="r")
    assert region.size == mmap.PAGESIZE
    assert region.address % mmap.PAGESIZE == 0
    assert not region.bytes.any()
    assert _increment(region.address + 8) == 1
    assert region.view("i8", 8, 1)[0] == 1
    assert len(region.view("i4", 8)) == (region.size - 8) // 4
    region.close()


@pytest.mark.parametrize("huge", [False, True])
def test_reserving_takes_no_memory(huge: bool) -> None:
    region = Region(1 << 38, name="vast", huge=huge)
    region.bytes[region.size - 1] = 7
    part = region.view("u1", region.size - mmap.PAGESIZE)
    assert part[-1] == 7
    assert region.address % (2 << 20 if huge else 1) == 0
    region.close()
    assert region.address == 0
    assert part[-1] == 7  # a view keeps the memory
    region.close()


def test_resident_counts_touched_pages() -> None:
    region = Region(1 << 20, name="r")
    assert region.resident() == 0
    region.bytes[5 * mmap.PAGESIZE] = 1
    assert region.resident() == mmap.PAGESIZE


def test_shared_region_is_a_memfd() -> None:
    region = Region(1 << 30, name="shared", shared=True)
    region.view("i8", 64, 1)[0] = -5
    with mmap.mmap(region.fd, mmap.PAGESIZE) as other:
        assert np.frombuffer(other[64:72], "i8")[0] == -5
    assert region.resident() == mmap.PAGESIZE
    fd = region.fd
    region.close()
    with pytest.raises(OSError):
        os.fstat(fd)


def test_a_forgotten_region_closes_itself() -> None:
    region = Region(4096, name="forgotten", shared=True)
    fd, address = region.fd, region.address
    del region
    with pytest.raises(OSError):
        os.fstat(fd)
    if not JIT:
        with pytest.raises(twin.MemoryFault):
            _increment(address)


def test_views_stay_inside() -> None:
    region = Region(4096, name="small")
    for offset, count in ((4096, 1), (-8, 1), (0, 513), (4090, 1)):
        with pytest.raises(ValueError, match="small"):
            region.view("i8", offset, count)
    for size in (0, -1):
        with pytest.raises(ValueError, match="not positive"):
            Region(size, name="none")


def test_bump_hands_out_aligned_pieces_until_full() -> None:
    region = Region(4096, name="piece")
    bump = Bump(region)
    first, second, third = bump.take(10), bump.take(1, align=8), bump.take(64, align=1024)
    assert first == region.address
    assert second == first + 16
    assert third == first + 1024
    with pytest.raises(RegionFull, match="piece is full"):
        bump.take(4096)
    assert bump.take(4096 - 1024 - 64) == third + 64
    assert bump.take(0) == region.address + 4096
    with pytest.raises(ValueError, match="aligned"):
        bump.take(8, align=3)


def test_lent_arrays() -> None:
    numbers = np.zeros(4, np.int64)
    with lent(numbers) as (address,):
        assert _increment(address + 16) == 1
    assert numbers.tolist() == [0, 0, 1, 0]


def test_a_private_copy_of_a_shared_region() -> None:
    region = Region(1 << 30, name="shared", shared=True)
    region.bytes[5], region.bytes[5 * mmap.PAGESIZE], region.bytes[-1] = 7, 8, 9
    address = region.address
    region.make_private()
    assert region.address == address and [region.bytes[i] for i in (5, 5 * mmap.PAGESIZE, -1)] == [7, 8, 9]
    region.bytes[5] = 1
    assert _increment(region.address + 8) == 1
    with mmap.mmap(region.fd, mmap.PAGESIZE) as other:
        assert other[5] == 7 and other[8] == 0
    alone = Region(100, name="alone")
    alone.make_private()  # it is already
    alone.bytes[0] = 3
