"""Paths of routes: where packets may go, as the configuration says it (VPP's ``fib_path``)."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network

NORMAL, LOCAL, DROP, PUNT, UNREACHABLE, PROHIBIT, LOOKUP, CONNECTED, SOURCE_LOOKUP, INTERFACE_RX = KINDS = (
    "normal",
    "local",
    "drop",
    "punt",
    "unreachable",
    "prohibit",
    "lookup",
    "connected",
    "source-lookup",
    "interface-rx",
)
OWN_TABLE = -1

VIA_ATTACHED, VIA_HOST = 1, 2
"""Of `Path.flags` (numbers as in VPP's API): a recursive path is usable only while its next hop lies in an attached
prefix, or while there is a host route for it."""
ATTACHED_HOST = 256
"""Of `Path.flags`: the path named only an interface, and its route is the host that is reached there."""


@dataclass(frozen=True, slots=True)
class Path:
    """One path.

    A normal path has a next hop and an interface (a neighbour), only an interface (its destinations are neighbours:
    attached), or only a next hop: that is looked up in ``table``, which may lead through another route (recursive).
    ``connected`` is an interface's own prefix, ``next_hop`` then being the interface's address. ``lookup`` goes on
    in ``table``, ``source-lookup`` too, with the packet's source; for ``interface-rx`` the packet starts again as if
    it had been received on the interface. Of several paths those with the lowest ``preference`` among the usable ones
    share the packets by ``weight``.
    """

    next_hop: int = 0
    """IPv4 address as a number; 0: none."""
    sw_if_index: int = -1
    weight: int = 1
    preference: int = 0
    kind: str = NORMAL
    table: int = OWN_TABLE
    """Table id; `OWN_TABLE`: the route's."""
    flags: int = 0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"path: unknown kind {self.kind}")
        if not 0 <= self.next_hop < 1 << 32 or not 0 <= self.weight < 256 or not 0 <= self.preference < 256:
            raise ValueError(f"path: {self} is out of range (weight and preference: 0 to 255)")

    @property
    def is_attached(self) -> bool:
        """Only an interface is known."""
        return self.kind == NORMAL and self.sw_if_index >= 0 and not self.next_hop

    @property
    def is_recursive(self) -> bool:
        """The next hop must be looked up."""
        return self.kind == NORMAL and self.sw_if_index < 0 and self.next_hop != 0

    def same_way(self, other: Path) -> bool:
        """Do both go the same way, whatever their weights?"""
        mine = (self.next_hop, self.sw_if_index, self.kind, self.table)
        return mine == (other.next_hop, other.sw_if_index, other.kind, other.table)

    def order(self) -> tuple[int, int, int, int]:
        """Paths of a route are listed, and fill the buckets, in this order (VPP's)."""
        rank = 0 if self.kind == NORMAL and self.next_hop and self.sw_if_index >= 0 else _RANK[self.kind]
        if rank == 1 and self.sw_if_index < 0:
            rank = 2
        return self.preference, rank, self.next_hop, self.sw_if_index if self.sw_if_index >= 0 else self.table


_RANK = {
    NORMAL: 1,
    CONNECTED: 1,
    DROP: 3,
    UNREACHABLE: 3,
    PROHIBIT: 3,
    PUNT: 4,
    LOOKUP: 5,
    SOURCE_LOOKUP: 5,
    INTERFACE_RX: 6,
    LOCAL: 7,
}
"""Neighbours come first, then attached and recursive paths (2), then these."""


def number(address: str | int | IPv4Address) -> int:
    """An IPv4 address as a number.

    Raises:
        ValueError: it is not one.
    """
    return int(IPv4Address(address))


def prefix_of(prefix: str | tuple[int, int] | IPv4Network) -> tuple[int, int]:
    """``10.0.0.0/8`` (bits beyond the length do not count), or (number, length), as (number, length).

    Raises:
        ValueError: it is not an IPv4 prefix.
    """
    if isinstance(prefix, str):
        prefix = IPv4Network(prefix, strict=False)
    if isinstance(prefix, IPv4Network):
        return int(prefix.network_address), prefix.prefixlen
    address, length = prefix
    if not 0 <= length <= 32 or not 0 <= address < 1 << 32:
        raise ValueError(f"{prefix} is not an IPv4 prefix")
    return address & (-1 << (32 - length)), length


def prefix_text(prefix: int, length: int) -> str:
    """``10.0.0.0/8``."""
    return f"{IPv4Address(prefix)}/{length}"
