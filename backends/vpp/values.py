"""Values of messages and the Python objects that they stand for."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Interface, IPv4Network, IPv6Address, IPv6Interface, IPv6Network
from typing import Any

from vectorplane.backends.items import Address, InterfaceAddressValue, Network

Fields = dict[str, Any]


def pack_address(address: Address) -> Fields:
    """``vl_api_address_t``."""
    return {"af": int(address.version == 6), "un": {f"ip{address.version}": address.packed}}


def pack_prefix(address: Address, length: int) -> Fields:
    """``vl_api_prefix_t``, ``vl_api_address_with_prefix_t``."""
    return {"address": pack_address(address), "len": length}


def pack_mac(mac: str) -> bytes:
    """``vl_api_mac_address_t``."""
    return bytes.fromhex(mac.replace(":", ""))


def mac_text(mac: bytes) -> str:
    """A MAC address as the configuration writes it."""
    return bytes(mac).hex(":")


def address_of(value: Any) -> Address:
    """A ``vl_api_address_t`` that was received."""
    return IPv6Address(bytes(value.un.ip6)) if int(value.af) else IPv4Address(bytes(value.un.ip4))


def network_of(value: Any) -> Network:
    """A ``vl_api_prefix_t`` that was received."""
    address = address_of(value.address)
    if isinstance(address, IPv6Address):
        return IPv6Network((address, value.len), strict=False)
    return IPv4Network((address, value.len), strict=False)


def interface_address_of(value: Any) -> InterfaceAddressValue:
    """A ``vl_api_address_with_prefix_t`` that was received."""
    address = address_of(value.address)
    if isinstance(address, IPv6Address):
        return IPv6Interface((address, value.len))
    return IPv4Interface((address, value.len))
