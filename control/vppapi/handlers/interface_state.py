"""interface.api: state, sizes, MAC addresses and names of interfaces."""

from __future__ import annotations

from typing import Any

from vectorplane.backends.engine.interfaces import SuperInterfaceState
from vectorplane.control.vppapi.api import Api
from vectorplane.control.vppapi.handlers.interface_checks import NONE, interface_of
from vectorplane.control.vppapi.retval import (
    FEATURE_DISABLED,
    INVALID_INTERFACE,
    INVALID_SW_IF_INDEX,
    INVALID_VALUE,
    NO_SUCH_ENTRY,
    UNIMPLEMENTED,
    UNSPECIFIED,
    UNSUPPORTED,
    ApiError,
)
from vectorplane.dataplane.show.interfaces import clear_interfaces

ADMIN_UP = 1


def sw_interface_set_flags(api: Api, m: Any) -> None:
    """Up or down."""
    interface_of(api, m.sw_if_index)
    try:
        api.engine.interfaces.set_state(m.sw_if_index, bool(m.flags & ADMIN_UP))
    except SuperInterfaceState as error:
        raise ApiError(UNSPECIFIED, str(error)) from None


def sw_interface_set_promisc(api: Api, m: Any) -> int:
    """Take frames for all addresses. As VPP it does so for a loopback too, and says that it failed."""
    interface = interface_of(api, m.sw_if_index)
    if not interface.device.ethernet:
        raise ApiError(INVALID_VALUE, f"{interface.name} is no Ethernet interface")
    api.engine.interfaces.set_promiscuous(m.sw_if_index, bool(m.promisc_on))
    return UNSPECIFIED if interface.device.looped else 0


def hw_interface_set_mtu(api: Api, m: Any) -> None:
    """The size of the device's largest frames."""
    interface = interface_of(api, m.sw_if_index)
    if interface.is_sub:
        raise ApiError(INVALID_VALUE, f"{interface.name} is a sub-interface")
    if not interface.device.ethernet:
        raise ApiError(FEATURE_DISABLED, f"{interface.name} is no Ethernet interface")
    try:
        api.engine.interfaces.set_link_mtu(m.sw_if_index, m.mtu)
    except ValueError as error:
        raise ApiError(UNSUPPORTED, str(error)) from None


def sw_interface_set_mtu(api: Api, m: Any) -> None:
    """L3, IPv4, IPv6 and MPLS MTU."""
    interface_of(api, m.sw_if_index)
    api.engine.interfaces.set_mtus(m.sw_if_index, m.mtu)


def sw_interface_set_mac_address(api: Api, m: Any) -> None:
    """Another MAC address."""
    interface_of(api, m.sw_if_index)
    try:
        api.engine.interfaces.set_mac(m.sw_if_index, m.mac_address)
    except ValueError as error:
        raise ApiError(UNIMPLEMENTED, str(error)) from None


def sw_interface_get_mac_address(api: Api, m: Any) -> dict[str, Any]:
    """The MAC address (of a sub-interface: its super-interface's)."""
    return {"mac_address": interface_of(api, m.sw_if_index).mac}


def sw_interface_tag_add_del(api: Api, m: Any) -> None:
    """A text that stays with the interface."""
    interface = interface_of(api, m.sw_if_index)
    if m.is_add and not m.tag:
        raise ApiError(INVALID_VALUE, "an empty tag")
    interface.tag = m.tag[:63] if m.is_add else ""


def sw_interface_set_interface_name(api: Api, m: Any) -> None:
    """Another name."""
    interface = interface_of(api, m.sw_if_index)
    if not m.name:
        raise ApiError(INVALID_VALUE, "an empty name")
    if interface.is_sub:
        raise ApiError(INVALID_SW_IF_INDEX, f"{interface.name} has its name from its super-interface")
    try:
        api.engine.interfaces.rename(m.sw_if_index, m.name)
    except ValueError as error:
        raise ApiError(INVALID_SW_IF_INDEX, str(error)) from None


def sw_interface_clear_stats(api: Api, m: Any) -> None:
    """Counters of one interface or all back to zero."""
    if m.sw_if_index == NONE:
        clear_interfaces(api.engine.plane)
        return
    interface_of(api, m.sw_if_index)
    for vector in api.engine.plane.if_stats.values():
        vector.clear(m.sw_if_index)


def sw_interface_set_rx_mode(api: Api, m: Any) -> None:
    """Refused: no device has receive queues of which this could be chosen."""
    if interface_of(api, m.sw_if_index).is_sub:
        raise ApiError(INVALID_VALUE, "a sub-interface has no queues")
    raise ApiError(UNIMPLEMENTED, "no queues to choose the mode of")


def sw_interface_set_rx_placement(api: Api, m: Any) -> None:
    """Refused, as `sw_interface_set_rx_mode`."""
    if interface_of(api, m.sw_if_index).is_sub:
        raise ApiError(INVALID_VALUE, "a sub-interface has no queues")
    raise ApiError(UNIMPLEMENTED, "no queues to place")


def sw_interface_tx_placement_get(api: Api, m: Any) -> dict[str, Any]:
    """There are no transmit queues to be placed."""
    if m.sw_if_index != NONE and interface_of(api, m.sw_if_index).is_sub:
        raise ApiError(INVALID_INTERFACE, "a sub-interface has no queues")
    return {"retval": NO_SUCH_ENTRY, "cursor": NONE}


HANDLERS = {
    "sw_interface_set_flags": sw_interface_set_flags,
    "sw_interface_set_promisc": sw_interface_set_promisc,
    "hw_interface_set_mtu": hw_interface_set_mtu,
    "sw_interface_set_mtu": sw_interface_set_mtu,
    "sw_interface_set_mac_address": sw_interface_set_mac_address,
    "sw_interface_get_mac_address": sw_interface_get_mac_address,
    "sw_interface_tag_add_del": sw_interface_tag_add_del,
    "sw_interface_set_interface_name": sw_interface_set_interface_name,
    "sw_interface_clear_stats": sw_interface_clear_stats,
    "sw_interface_set_rx_mode": sw_interface_set_rx_mode,
    "sw_interface_set_rx_placement": sw_interface_set_rx_placement,
    "sw_interface_tx_placement_get": sw_interface_tx_placement_get,
}
