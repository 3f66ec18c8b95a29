"""The sub-interfaces of a bench's pg0 (interface 1), as the control side would write them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tests.naive.ethernet_input import Sub
from vectorplane.dataplane.interface import ADMIN_UP, EXACT_MATCH, L2_MODE, LINK_UP, SUB_INTERFACE
from vectorplane.dataplane.plane import Dataplane
from vectorplane.dataplane.region import Region


class Vlans:
    """They can be changed at any time."""

    def __init__(self, plane: Dataplane) -> None:
        self._plane = plane
        self._region = Region(4 * 4096, name="vlans")
        self._vlans = self._region.view(np.dtype("i4"), 0, 4096)

    def configure(self, subs: Sequence[Sub], flags: int) -> None:
        """These and no others; ``flags``: of the interface itself."""
        table = self._plane.interfaces
        for name in [n for n in table.by_name if "." in n]:
            table.remove(table.by_name[name])
        self._vlans[:] = 0
        parent = table.records[1]
        parent["flags"] = flags
        parent["vlans"] = self._region.address if subs else 0
        parent["default"] = -1
        for s in subs:
            assert self._plane.add_interface(f"pg0.{s.index}", s.index) == s.index
            r = table.records[s.index]
            r["sup"], r["tag_count"], r["outer_type"] = 1, len(s.tags), s.outer_type
            r["flags"] = SUB_INTERFACE | LINK_UP | (EXACT_MATCH if s.exact else 0)
            r["flags"] |= (ADMIN_UP if s.up else 0) | (L2_MODE if s.l2 else 0)
            r["device"] = 0
            if s.tags:
                r["tags"] = s.tags[0] | (s.tags[1] << 16 if len(s.tags) > 1 else 0)
                r["device"] = self._vlans[s.tags[0]]
                self._vlans[s.tags[0]] = s.index
            else:
                parent["default"] = s.index

    def close(self) -> None:
        """Give the memory back."""
        self._region.close()
