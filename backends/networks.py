"""Prefixes from numbers."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network


def network(address: int, length: int, ip6: bool) -> IPv4Network | IPv6Network:
    """The prefix with this address and length; bits beyond the length are left out."""
    if ip6:
        return IPv6Network((address, length), strict=False)
    return IPv4Network((address, length), strict=False)
