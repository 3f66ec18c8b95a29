"""Paths of IPv6 routes: as those of IPv4 (`route_paths`), with longer addresses."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv6Address, IPv6Network

from vectorplane.backends.engine.route_paths import KINDS, Path


@dataclass(frozen=True, slots=True)
class Path6(Path):
    """A `Path` whose ``next_hop`` is an IPv6 address as a number; 0: none."""

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"path: unknown kind {self.kind}")
        if not 0 <= self.next_hop < 1 << 128 or not 0 <= self.weight < 256 or not 0 <= self.preference < 256:
            raise ValueError(f"path: {self} is out of range (weight and preference: 0 to 255)")


def number6(address: str | int | IPv6Address) -> int:
    """An IPv6 address as a number.

    Raises:
        ValueError: it is not one.
    """
    return int(IPv6Address(address))


def prefix_of6(prefix: str | tuple[int, int] | IPv6Network) -> tuple[int, int]:
    """``2001:db8::/32`` (bits beyond the length do not count), or (number, length), as (number, length).

    Raises:
        ValueError: it is not an IPv6 prefix.
    """
    if isinstance(prefix, str):
        prefix = IPv6Network(prefix, strict=False)
    if isinstance(prefix, IPv6Network):
        return int(prefix.network_address), prefix.prefixlen
    address, length = prefix
    if not 0 <= length <= 128 or not 0 <= address < 1 << 128:
        raise ValueError(f"{prefix} is not an IPv6 prefix")
    return address & (-1 << (128 - length)), length


def prefix_text6(prefix: int, length: int) -> str:
    """``2001:db8::/32``."""
    return f"{IPv6Address(prefix)}/{length}"
