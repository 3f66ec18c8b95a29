"""What the ACL nodes of an engine read beside the sessions: matchers by interface and direction, counters by ACL."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from vectorplane.dataplane.interface import MAX_INTERFACES
from vectorplane.dataplane.region import Region

if TYPE_CHECKING:
    from vectorplane.dataplane.plane import Dataplane

MAX_ACLS = 1 << 16

SWITCHES = np.dtype([("count_matches", "i8"), ("pad", "i8", (7,))])
COUNTERS_SIZE = 8 * MAX_ACLS
"""Bytes of a worker's addresses of counters."""


class AclTables:
    """Addresses of matchers (0: none), switches, and each worker's addresses of the ACLs' counters."""

    def __init__(self, plane: Dataplane) -> None:
        workers = plane.graph.workers
        half = 8 * MAX_INTERFACES
        self._region = Region(2 * half + SWITCHES.itemsize + COUNTERS_SIZE * workers, name="acl tables")
        self.matcher_addresses = (self._region.address, self._region.address + half)
        """Where the matchers of output and of input are, by interface."""
        words = np.dtype("i8")
        self.matchers: npt.NDArray[np.int64] = self._region.view(words, 0, 2 * MAX_INTERFACES).reshape(2, -1)
        """int64 [2, interfaces]: of output, of input."""
        self.switches_address = self._region.address + 2 * half
        self.switches = self._region.view(SWITCHES, 2 * half, 1)[0]
        first = 2 * half + SWITCHES.itemsize
        self.counter_addresses = [self._region.address + first + COUNTERS_SIZE * k for k in range(workers)]
        self.counters: npt.NDArray[np.int64] = self._region.view(words, first, workers * MAX_ACLS).reshape(workers, -1)
        """int64 [workers, ACLs]: where a worker's {packets, bytes} by rule are."""

    def close(self) -> None:
        """Give the memory back."""
        self._region.close()
