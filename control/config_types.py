"""The small types of a configuration: how each is written, and what is said when it is not written so."""

from __future__ import annotations

import re
from ipaddress import AddressValueError, IPv4Address, IPv4Interface, IPv4Network
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:/-]{0,62}")
_MAC = re.compile(r"[0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2}){5}|[0-9A-Fa-f]{2}(?:-[0-9A-Fa-f]{2}){5}")
_LENGTH = re.compile(r"/(\d|[12]\d|3[0-2])")
RESERVED = frozenset({"local0", "interface", "null", "error"})
"""Names that an engine has for itself."""


class Model(BaseModel):
    """Base of all parts of a configuration: unknown fields are refused, '5' is no number, nothing changes later."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


def _mac(value: Any) -> str:
    if not isinstance(value, str) or not _MAC.fullmatch(value):
        raise ValueError(f"expected a MAC address such as 02:fe:00:00:00:01, got {value!r}")
    return value.replace("-", ":").lower()


def _unicast_mac(value: Any) -> str:
    text = _mac(value)
    if int(text[:2], 16) & 1:
        raise ValueError(f"expected the MAC address of one station, got the group address {text}")
    if text == "00:00:00:00:00:00":
        raise ValueError("expected a MAC address that is not all zeros")
    return text


def _address(value: Any) -> IPv4Address:
    if isinstance(value, IPv4Address):
        return value
    try:
        if not isinstance(value, str):
            raise AddressValueError
        return IPv4Address(value)
    except AddressValueError:
        raise ValueError(f"expected an IPv4 address such as 10.0.0.1, got {value!r}") from None


def _interface_address(value: Any) -> IPv4Interface:
    if isinstance(value, IPv4Interface):
        return value
    address, slash, length = value.partition("/") if isinstance(value, str) else ("", "", "")
    try:
        if not _LENGTH.fullmatch(slash + length):
            raise AddressValueError
        found = IPv4Interface((IPv4Address(address), int(length)))
    except AddressValueError:
        raise ValueError(f"expected an address with its prefix length such as 10.0.0.1/24, got {value!r}") from None
    if found.ip.is_multicast or found.ip.is_unspecified or int(found.ip) == 0xFFFFFFFF:
        raise ValueError(f"expected an address of one host, got {value!r}")
    return found


def _prefix(value: Any) -> IPv4Network:
    if isinstance(value, IPv4Network):
        return value
    address, slash, length = value.partition("/") if isinstance(value, str) else ("", "", "")
    try:
        if not _LENGTH.fullmatch(slash + length):
            raise AddressValueError
        network = IPv4Network((IPv4Address(address), int(length)), strict=False)
    except AddressValueError:
        raise ValueError(f"expected a prefix such as 10.0.0.0/8, got {value!r}") from None
    if str(network.network_address) != address:
        raise ValueError(f"{value} has bits set behind its length: did you mean {network}?")
    return network


def _name(value: Any) -> str:
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise ValueError(f"expected a name of 1 to 63 letters, digits and _ - . : /, got {value!r}")
    if value in RESERVED:
        raise ValueError(f"the name {value} is taken by the engine itself")
    return value


Mac = Annotated[str, BeforeValidator(_mac)]
StationMac = Annotated[str, BeforeValidator(_unicast_mac)]
Address = Annotated[IPv4Address, BeforeValidator(_address)]
InterfaceAddress = Annotated[IPv4Interface, BeforeValidator(_interface_address)]
Prefix = Annotated[IPv4Network, BeforeValidator(_prefix)]
InterfaceName = Annotated[str, BeforeValidator(_name)]


def as_list(value: Any) -> Any:
    """One thing where several may stand: ``rx: a.pcap`` is ``rx: [a.pcap]``."""
    return [value] if isinstance(value, str | int | float) and not isinstance(value, bool) else value
