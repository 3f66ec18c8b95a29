"""The engine's buffers as a memory pool of DPDK.

Mbuf i is the first 128 bytes of cell i, and what DPDK calls its private area are our 128 bytes of metadata. Free mbufs
lie on the engine's shared stack of free buffers, in front of it each thread has DPDK's own cache. So a buffer has one
owner: what a driver takes is not free for the engine, and what a driver has sent is.

Where addresses of devices are physical ones (EAL's IOVA mode PA) the cells cannot be used: they are not contiguous.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vectorplane.backends.engine.dpdk.eal import explained
from vectorplane.backends.engine.dpdk.library import load
from vectorplane.dataplane.buffer import CELL, COUNT, DATA_SIZE, HEADROOM, LOCK, META, STACK

if TYPE_CHECKING:
    from vectorplane.dataplane.plane import Dataplane

CACHE = 512
"""Free mbufs that a thread keeps to itself (up to half as many more)."""
OWN_COUNT = 16383
"""Mbufs of a pool of DPDK's own, for ports that copy."""


class DpdkPools:
    """The memory pools of a dataplane: its cells, and (for ports that copy) one in DPDK's memory."""

    def __init__(self, plane: Dataplane) -> None:
        self._plane = plane
        self._cells = self._own = 0

    @property
    def cells(self) -> int:
        """Address of the pool of the engine's cells. Raises `BackendError`."""
        if not self._cells:
            library, ffi = load()
            pool = self._plane.pool
            layout = ffi.new("vp_cells_t *")
            layout.cells, layout.stack, layout.count = pool.address - META, pool.central, pool.count
            layout.cell, layout.private_size, layout.room = CELL, META, HEADROOM + DATA_SIZE
            layout.lock, layout.top, layout.entries = LOCK, COUNT, STACK
            self._cells = int(library.vp_pool_of_cells(self._name("cells"), layout, CACHE))
            if not self._cells:
                raise explained("no memory pool", -12)
        return self._cells

    @property
    def own(self) -> int:
        """Address of a pool in DPDK's memory. Raises `BackendError`."""
        if not self._own:
            library, _ = load()
            self._own = int(library.vp_pool_own(self._name("own"), OWN_COUNT, CACHE))
            if not self._own:
                raise explained("no memory pool (EAL's argument -m gives it more memory)", -12)
        return self._own

    def _name(self, kind: str) -> bytes:
        return f"vp_{kind}_{self._plane.pool.address:x}".encode()

    def close(self) -> None:
        """Forget them; no port may use them any more."""
        for pool in (self._cells, self._own):
            if pool:
                load()[0].vp_pool_close(pool)
        self._cells = self._own = 0
