"""Taps of a VPP: the message that makes one, and what VPP tells of it.

VPP takes one address and one gateway of each version. It does not tell gateways and queues: of those that we brought
ourselves they are believed.
"""

from __future__ import annotations

from collections.abc import Generator
from ipaddress import IPv4Address, IPv4Interface, IPv6Address, IPv6Interface, ip_address, ip_interface
from typing import Any

from vectorplane.backends.base import BackendError
from vectorplane.backends.vpp.host_devices.host_device import HostDevice, Settings, believed
from vectorplane.backends.vpp.interfaces import NO_INTERFACE
from vectorplane.backends.vpp.kinds.kind import Message
from vectorplane.backends.vpp.link import Link

_CREATE, _DELETE, _LIST = "tap_create_v3", "tap_delete_v2", "sw_interface_tap_v2_dump"
_GSO, _CHECKSUM_OFFLOAD, _GRO = 1, 2, 32
_UNTOLD = ("queues", "host_gateways")
"""Settings that VPP does not tell."""


def _one_each(name: str, what: str, given: Any) -> dict[int, Any]:
    """By version of IP. Raises `BackendError`: there are two of one."""
    found: dict[int, Any] = {}
    for value in given:
        if found.setdefault(value.version, value) != value:
            raise BackendError(f"interface {name}: VPP gives the host's end of a tap one {what} of a version")
    return found


def creation(name: str, wanted: Settings) -> dict[str, Any]:
    """The fields of `_CREATE` for the settings of a tap.

    Raises:
        BackendError: there is more than VPP can be told.
    """
    addresses = _one_each(name, "address", [ip_interface(a) for a in wanted["host_addresses"]])
    gateways = _one_each(name, "gateway", [ip_address(a) for a in wanted["host_gateways"]])
    fields: dict[str, Any] = {
        "num_rx_queues": wanted["queues"],
        "num_tx_queues": wanted["queues"],
        "tap_flags": (_GSO if wanted["gso"] else 0)
        | (_CHECKSUM_OFFLOAD if wanted["checksum_offload"] else 0)
        | (_GRO if wanted["gro"] else 0),
    }
    optional = {
        "host_if_name": wanted["host_name"] or name,
        "host_namespace": wanted["host_namespace"],
        "host_mac_addr": wanted["host_mac"],
        "host_bridge": wanted["host_bridge"],
        "host_ip4_prefix": addresses.get(4),
        "host_ip6_prefix": addresses.get(6),
        "host_ip4_gw": gateways.get(4),
        "host_ip6_gw": gateways.get(6),
    }
    for field, value in optional.items():
        if value is not None:
            fields |= {f"{field}_set": True, field: str(value)}
    if wanted["host_mtu"] is not None:
        fields |= {"host_mtu_set": True, "host_mtu_size": wanted["host_mtu"]}
    return fields


def _create(link: Link, name: str, wanted: Settings) -> Generator[Message, Any, int]:
    reply = yield _CREATE, creation(name, wanted)
    return int(reply.sw_if_index)


def _wanted(name: str, settings: Settings) -> Settings:
    creation(name, settings)
    return settings | {"host_name": None if settings["host_name"] == name else settings["host_name"]}


def _read(name: str, details: Any, before: Settings) -> Settings:
    """A MAC address of the host's end that we did not ask for is the host's own choice, and no setting."""
    told: Settings = {
        "gso": bool(int(details.tap_flags) & _GSO),
        "gro": bool(int(details.tap_flags) & _GRO),
        "checksum_offload": bool(int(details.tap_flags) & _CHECKSUM_OFFLOAD),
        "host_name": None if details.host_if_name == name else details.host_if_name,
        "host_namespace": details.host_namespace or None,
        "host_bridge": details.host_bridge or None,
        "host_mtu": details.host_mtu_size or None,
        "host_mac": bytes(details.host_mac_addr).hex(":") if before.get("host_mac") is not None else None,
        "host_addresses": tuple(_addresses(details)),
    }
    return believed(told, before, _UNTOLD)


def _addresses(details: Any) -> list[str]:
    found: list[IPv4Interface | IPv6Interface] = [
        IPv4Interface((details.host_ip4_prefix.address, details.host_ip4_prefix.len)),
        IPv6Interface((details.host_ip6_prefix.address, details.host_ip6_prefix.len)),
    ]
    nothing = (IPv4Address(0), IPv6Address(0))
    return [str(a) for a in found if a.network.prefixlen and a.ip not in nothing]


TAP = HostDevice(
    title="taps",
    messages=(_CREATE, _DELETE, _LIST),
    remover=lambda name, wanted, index: (_DELETE, {"sw_if_index": index}),
    lister=_LIST,
    create=_create,
    reader=lambda link: _read,
    wanted=_wanted,
    list_fields={"sw_if_index": NO_INTERFACE},
)
