"""Tables that lead from a number in a packet (IP protocol, UDP port, ICMP type, LLC SAP) to a next node's slot.

As in VPP, nodes register with such a table, and it is the table's owner (`ip4-local`, say) that gets the next.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vectorplane.dataplane.region import Region

if TYPE_CHECKING:
    from vectorplane.dataplane.plane import Dataplane


class NextByNumber:
    """``count`` int16 slots of node ``owner`` by number, all ``default`` at first; kernels read them at `address`.

    A change is one store that packets under way see at once. Subclasses give `owner`, `count` and `default`.
    """

    owner = ""
    count = 256
    default = 0

    def __init__(self, plane: Dataplane) -> None:
        self._plane = plane
        self._region = Region(2 * self.count, name=f"{self.owner} nexts")
        self.address = self._region.address
        self._slots = self._region.view(np.dtype("i2"), 0, self.count)
        self._slots[:] = self.default

    def register(self, number: int, node_name: str) -> None:
        """Send packets with this number to node ``node_name``, which joins the graph.

        Raises:
            ValueError: the number is out of range.
            KeyError: no such node type.
        """
        self._check(number)
        graph = self._plane.graph
        self._slots[number] = graph.add_next(graph.add(self.owner), node_name)

    def unregister(self, number: int) -> None:
        """Treat packets with this number as unknown again.

        Raises:
            ValueError: the number is out of range.
        """
        self._check(number)
        self._slots[number] = self.default

    def registered(self) -> dict[int, str]:
        """Node names by number, of all numbers that are not unknown."""
        names = self._plane.graph.add(self.owner).next_names()
        return {int(n): names[self._slots[n]] for n in np.flatnonzero(self._slots != self.default)}

    def _check(self, number: int) -> None:
        if not 0 <= number < self.count:
            raise ValueError(f"{self.owner}: {number} is not within 0 to {self.count - 1}")

    def close(self) -> None:
        """Give the memory back."""
        self._region.close()
