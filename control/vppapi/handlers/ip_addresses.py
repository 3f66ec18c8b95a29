"""IP addresses between VPP's messages (``address``) and Python's objects."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address
from typing import Any

from vectorplane.control.vppapi.handlers.ip_paths import IP4, IP6, family

Address = IPv4Address | IPv6Address


def decode_address(given: Any) -> Address:
    """The address that a message gives.

    Raises:
        ApiError: INVALID_ADDRESS_FAMILY.
    """
    return IPv4Address(given.un[:4]) if family(given.af) == IP4 else IPv6Address(given.un)


def encode_address(address: Address) -> dict[str, Any]:
    """An ``address``."""
    return {"af": IP4 if address.version == 4 else IP6, "un": address.packed}
