"""tapv2.api: taps of the host come, go and are listed.

Not there, and refused (UNSUPPORTED): TUN interfaces, and host interfaces that outlive their tap (PERSIST, ATTACH).
Rings have no size here: what was asked for is told. What a tap with GSO brings uncut is dropped by interfaces which
can't cut it, unless ``feature_gso_enable_disable`` has it cut before, as in VPP.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Interface, IPv6Address, IPv6Interface
from typing import Any

from vectorplane.backends.engine.tap.device import TapDevice
from vectorplane.backends.engine.tap.host_link import HostLink
from vectorplane.backends.engine.tap.taps import TapIdInUse, create_tap, delete_tap, free_id, taps
from vectorplane.control.vppapi.api import Api
from vectorplane.control.vppapi.handlers.interface_checks import NONE, interface_of
from vectorplane.control.vppapi.retval import (
    INVALID_INTERFACE,
    INVALID_SW_IF_INDEX,
    INVALID_VALUE,
    NETLINK_ERROR,
    SYSCALL_ERROR_2,
    UNSUPPORTED,
    ApiError,
)

GSO, CHECKSUM_OFFLOAD, PERSIST, ATTACH, TUN, GRO_COALESCE = 1, 2, 4, 8, 16, 32
_REFUSED = PERSIST | ATTACH | TUN


def _link(m: Any, number: int) -> HostLink:
    addresses: list[IPv4Interface | IPv6Interface] = []
    gateways: list[IPv4Address | IPv6Address] = []
    if m.host_ip4_prefix_set:
        addresses.append(IPv4Interface((m.host_ip4_prefix.address, m.host_ip4_prefix.len)))
    if m.host_ip6_prefix_set:
        addresses.append(IPv6Interface((m.host_ip6_prefix.address, m.host_ip6_prefix.len)))
    if m.host_ip4_gw_set:
        gateways.append(IPv4Address(m.host_ip4_gw))
    if m.host_ip6_gw_set:
        gateways.append(IPv6Address(m.host_ip6_gw))
    return HostLink(
        m.host_if_name if m.host_if_name_set else f"tap{number}",
        namespace=m.host_namespace if m.host_namespace_set else None,
        mac=bytes(m.host_mac_addr) if m.host_mac_addr_set else None,
        mtu=m.host_mtu_size if m.host_mtu_set else None,
        addresses=tuple(addresses),
        gateways=tuple(gateways),
        bridge=m.host_bridge if m.host_bridge_set else None,
    )


def _create(api: Api, m: Any, queues: int) -> dict[str, Any]:
    flags = int(m.tap_flags)
    if flags & _REFUSED:
        return {"retval": UNSUPPORTED, "sw_if_index": NONE}
    try:
        number = free_id(api.engine, None if m.id == NONE else m.id)
        device = TapDevice(
            _link(m, number),
            queues=max(1, queues),
            checksum_offload=bool(flags & CHECKSUM_OFFLOAD),
            gso=bool(flags & GSO),
            gro=bool(flags & GSO and flags & GRO_COALESCE),
        )
        device.asked = {"tx_ring_sz": m.tx_ring_sz or 256, "rx_ring_sz": m.rx_ring_sz or 256, "tap_flags": flags}
        mac = None if m.use_random_mac else bytes(m.mac_address)
        interface = create_tap(api.engine, number, device, mac)
        interface.tag = str(m.tag)[:63]
        return {"sw_if_index": interface.sw_if_index}
    except TapIdInUse:
        return {"retval": INVALID_INTERFACE, "sw_if_index": NONE}
    except ValueError as error:
        raise ApiError(INVALID_VALUE, str(error)) from None
    except OSError as error:
        known = error.errno in (errno.ENOENT, errno.EPERM, errno.EACCES, errno.EBUSY)
        raise ApiError(SYSCALL_ERROR_2 if known else NETLINK_ERROR, str(error)) from None


def tap_create_v3(api: Api, m: Any) -> dict[str, Any]:
    """Make ``tapN`` and the host's end."""
    return _create(api, m, max(m.num_rx_queues, m.num_tx_queues))


def tap_create_v2(api: Api, m: Any) -> dict[str, Any]:
    """The same, as it was before."""
    return _create(api, m, m.num_rx_queues)


def tap_delete_v2(api: Api, m: Any) -> None:
    """Both ends go."""
    try:
        delete_tap(api.engine, m.sw_if_index)
    except KeyError as error:
        raise ApiError(INVALID_SW_IF_INDEX, str(error)) from None


def _prefix(address: IPv4Interface | IPv6Interface | None, size: int) -> dict[str, Any]:
    if address is None:
        return {"address": bytes(size), "len": 0}
    return {"address": address.ip.packed, "len": address.network.prefixlen}


def sw_interface_tap_v2_dump(api: Api, m: Any) -> Iterator[dict[str, Any]]:
    """One or all."""
    if m.sw_if_index != NONE:
        interface_of(api, m.sw_if_index)
    for interface, device in taps(api.engine):
        if m.sw_if_index in (NONE, interface.sw_if_index):
            host = device.host
            number = interface.name.removeprefix("tap")
            yield {
                "sw_if_index": interface.sw_if_index,
                "id": int(number) if number.isdecimal() else NONE,
                "host_mtu_size": host.mtu or 0,
                "host_mac_addr": host.mac or bytes(6),
                "host_ip4_prefix": _prefix(next((a for a in host.addresses if a.version == 4), None), 4),
                "host_ip6_prefix": _prefix(next((a for a in host.addresses if a.version == 6), None), 16),
                "dev_name": interface.name,
                "host_if_name": host.name,
                "host_namespace": host.namespace or "",
                "host_bridge": host.bridge or "",
                **device.asked,
            }


HANDLERS = {
    "tap_create_v3": tap_create_v3,
    "tap_create_v2": tap_create_v2,
    "tap_delete_v2": tap_delete_v2,
    "sw_interface_tap_v2_dump": sw_interface_tap_v2_dump,
}
