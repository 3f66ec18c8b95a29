"""The small types of a configuration: how each is written, and what is said when it is not written so."""

from __future__ import annotations

import re
from ipaddress import (
    AddressValueError,
    IPv4Address,
    IPv4Interface,
    IPv4Network,
    IPv6Address,
    IPv6Interface,
    IPv6Network,
)
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainValidator

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:/-]{0,62}")
_MAC = re.compile(r"[0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2}){5}|[0-9A-Fa-f]{2}(?:-[0-9A-Fa-f]{2}){5}")
_PCI = re.compile(r"(?:([0-9A-Fa-f]{4}):)?([0-9A-Fa-f]{2}):([01][0-9A-Fa-f])\.([0-7])")
_LENGTH = re.compile(r"/(\d|[12]\d|3[0-2])")
_LENGTH6 = re.compile(r"/(\d|[1-9]\d|1[01]\d|12[0-8])")
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


def parse_address(text: str) -> IPv4Address | IPv6Address:
    """Raises AddressValueError. Zones (``fe80::1%eth0``) are no part of an address here."""
    if ":" not in text:
        return IPv4Address(text)
    if "%" in text:
        raise AddressValueError
    return IPv6Address(text)


def _with_length(value: Any) -> tuple[IPv4Address | IPv6Address, int]:
    """An address and the length behind its slash. Raises AddressValueError."""
    address, slash, length = value.partition("/") if isinstance(value, str) else ("", "", "")
    if not (_LENGTH6 if ":" in address else _LENGTH).fullmatch(slash + length):
        raise AddressValueError
    return parse_address(address), int(length)


def _address4(value: Any) -> IPv4Address:
    if isinstance(value, IPv4Address):
        return value
    try:
        if not isinstance(value, str):
            raise AddressValueError
        return IPv4Address(value)
    except AddressValueError:
        raise ValueError(f"expected an IPv4 address such as 10.0.0.1, got {value!r}") from None


def _address(value: Any) -> IPv4Address | IPv6Address:
    if isinstance(value, IPv4Address | IPv6Address):
        return value
    try:
        if not isinstance(value, str):
            raise AddressValueError
        return parse_address(value)
    except AddressValueError:
        raise ValueError(f"expected an IPv4 address such as 10.0.0.1, or an IPv6 one, got {value!r}") from None


def _interface_address(value: Any) -> IPv4Interface | IPv6Interface:
    if isinstance(value, IPv4Interface | IPv6Interface):
        return value
    try:
        address, length = _with_length(value)
    except AddressValueError:
        raise ValueError(f"expected an address with its prefix length such as 10.0.0.1/24, got {value!r}") from None
    if address.is_multicast or address.is_unspecified or address == IPv4Address(0xFFFFFFFF):
        raise ValueError(f"expected an address of one host, got {value!r}")
    return IPv4Interface((address, length)) if isinstance(address, IPv4Address) else IPv6Interface((address, length))


def _prefix(value: Any) -> IPv4Network | IPv6Network:
    if isinstance(value, IPv4Network | IPv6Network):
        return value
    try:
        address, length = _with_length(value)
    except AddressValueError:
        raise ValueError(f"expected a prefix such as 10.0.0.0/8, got {value!r}") from None
    both = (address, length)
    network = IPv4Network(both, False) if isinstance(address, IPv4Address) else IPv6Network(both, False)
    if network.network_address != address:
        raise ValueError(f"{value} has bits set behind its length: did you mean {network}?")
    return network


def _name(value: Any) -> str:
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise ValueError(f"expected a name of 1 to 63 letters, digits and _ - . : /, got {value!r}")
    if value in RESERVED:
        raise ValueError(f"the name {value} is taken by the engine itself")
    return value


def _pci(value: Any) -> str:
    match = _PCI.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError(f"expected a PCI address such as 0000:3b:00.0 (lspci -D shows them), got {value!r}")
    return f"{int(match[1] or '0', 16):04x}:{match[2]}:{match[3]}.{match[4]}".lower()


Mac = Annotated[str, BeforeValidator(_mac)]
StationMac = Annotated[str, BeforeValidator(_unicast_mac)]
Address4 = Annotated[IPv4Address, BeforeValidator(_address4)]
Address = Annotated[IPv4Address | IPv6Address, PlainValidator(_address)]
InterfaceAddress = Annotated[IPv4Interface | IPv6Interface, PlainValidator(_interface_address)]
Prefix = Annotated[IPv4Network | IPv6Network, PlainValidator(_prefix)]
InterfaceName = Annotated[str, BeforeValidator(_name)]
PciAddress = Annotated[str, BeforeValidator(_pci)]
"""With its domain, as sysfs names it: ``0000:3b:00.0``."""
TableId = Annotated[int, Field(ge=0, le=4294967295)]
Vlan = Annotated[int, Field(ge=0, le=4094)]


def as_list(value: Any) -> Any:
    """One thing where several may stand: ``rx: a.pcap`` is ``rx: [a.pcap]``."""
    return [value] if isinstance(value, str | int | float) and not isinstance(value, bool) else value
