"""Networks as plain tuples: quick to compare, and sorted by it, the most specific first."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Network

from vectorplane.control.cluster.ipam.arithmetic import Ip, Network

Net = tuple[int, int, int]
"""Prefix length, negative; IP version; the network address."""
ANY4: Net = (0, 4, 0)
ANY6: Net = (0, 6, 0)
ANY = (ANY4, ANY6)
_BITS = {4: 32, 6: 128}


def host(address: Ip) -> Net:
    """One address."""
    return (-32, 4, int(address)) if isinstance(address, IPv4Address) else (-128, 6, int(address))


def net(network: Network) -> Net:
    """A network."""
    return -network.prefixlen, network.version, int(network.network_address)


@lru_cache(maxsize=1 << 16)
def network(of: Net) -> Network:
    """The same as the rest of the program has it."""
    length, version, address = of
    return IPv4Network((address, -length)) if version == 4 else IPv6Network((address, -length))


def any_like(other: Net) -> Net:
    """Everything, of the family of another network."""
    return ANY4 if other[1] == 4 else ANY6


def contains(outer: Net, inner: Net) -> bool:
    """Is all of ``inner`` in ``outer``?"""
    if outer[1] != inner[1] or outer[0] < inner[0]:
        return False
    shift = _BITS[outer[1]] + outer[0]
    return outer[2] >> shift == inner[2] >> shift


def subtract(whole: Net, holes: Iterable[Net]) -> list[Net]:
    """What is left of a network without others, as few networks: one for each bit of difference.

    Holes that do not lie in it take nothing away, unless they cover it.
    """
    left = [whole]
    for hole in holes:
        left = [part for piece in left for part in _without(piece, hole)]
    return left


def _without(whole: Net, hole: Net) -> list[Net]:
    if contains(hole, whole):
        return []
    if not contains(whole, hole):
        return [whole]
    bits, parts = _BITS[whole[1]], []
    for length in range(1 - whole[0], 1 - hole[0]):
        bit = 1 << (bits - length)
        parts.append((-length, whole[1], (hole[2] ^ bit) >> (bits - length) << (bits - length)))
    return parts
