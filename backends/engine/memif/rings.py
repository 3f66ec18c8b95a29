"""Where rings and buffers lie in shared memory: the layout that a client makes, and the check of one that it is told.

Region 0 of ours: the rings from client to server, then those from server to client, each at a cache line, then a
buffer for each slot of each ring, in the same order, from a page on.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vectorplane.backends.engine.memif.messages import ProtocolError
from vectorplane.backends.engine.memif.regions import MappedRegion
from vectorplane.backends.engine.memif.session import Ring
from vectorplane.graph_nodes.memif_queue import COOKIE, DESCRIPTOR_SIZE, DESCRIPTORS, FLAGS, HEAD, MASK_INT

_PAGE = 4096


def ring_bytes(log2_size: int) -> int:
    """Bytes of a ring."""
    return DESCRIPTORS + (DESCRIPTOR_SIZE << log2_size)


@dataclass(frozen=True)
class Layout:
    """Of a client's region 0."""

    s2m: int
    m2s: int
    log2_size: int
    buffer_size: int

    def ring(self, number: int) -> int:
        """Offset of ring ``number``; those from server to client come behind the others."""
        return number * (-(-ring_bytes(self.log2_size) // 64) * 64)

    def buffers(self, number: int) -> int:
        """Offset of the buffer of the ring's slot 0."""
        start = -(-self.ring(self.s2m + self.m2s) // _PAGE) * _PAGE
        return start + number * (self.buffer_size << self.log2_size)

    @property
    def size(self) -> int:
        """Bytes of the region."""
        return self.buffers(self.s2m + self.m2s)

    def write(self, region: MappedRegion) -> None:
        """Make the rings, with nothing in them; each descriptor has its buffer already."""
        for number in range(self.s2m + self.m2s):
            at = self.ring(number)
            slots = 1 << self.log2_size
            region.bytes[at : at + 4].view(np.uint32)[0] = COOKIE
            words: npt.NDArray[np.uint64] = region.bytes[at + DESCRIPTORS : at + ring_bytes(self.log2_size)].view("u8")
            words[::2] = self.buffer_size << 32
            words[1::2] = self.buffers(number) + np.arange(slots, dtype=np.uint64) * self.buffer_size
            if number >= self.s2m:
                region.bytes[at + FLAGS : at + FLAGS + 2].view(np.uint16)[0] = MASK_INT

    def give_buffers(self, region: MappedRegion) -> None:
        """Let the server have all buffers of its rings, once it is connected: DPDK's sets heads to 0 until then."""
        for number in range(self.s2m, self.s2m + self.m2s):
            at = self.ring(number) + HEAD
            region.bytes[at : at + 2].view(np.uint16)[0] = 1 << self.log2_size


def ring_address(ring: Ring, regions: list[MappedRegion]) -> int:
    """The address of a ring that a client told us of.

    Raises:
        ProtocolError: it does not lie in a region, or is no ring.
    """
    if ring.region >= len(regions):
        raise ProtocolError(f"ring in region {ring.region}, which is not there")
    region = regions[ring.region]
    if ring.offset % 8:
        raise ProtocolError(f"ring at offset {ring.offset}, which is no multiple of 8")
    if ring.offset + ring_bytes(ring.log2_size) > region.size:
        raise ProtocolError("ring reaches beyond the end of its region")
    if int.from_bytes(region.bytes[ring.offset : ring.offset + 4].tobytes(), "little") != COOKIE:
        raise ProtocolError("wrong cookie on ring")
    return region.address + ring.offset
