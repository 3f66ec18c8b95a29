"""interface.api: addresses of interfaces, the tables that they are in, unnumbered interfaces."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv4Interface, IPv6Interface
from typing import Any

from vectorplane.backends.engine.addresses import AddressConflict, DuplicateAddress
from vectorplane.backends.engine.addresses6 import LinkLocalLength, LinkLocalNotDeletable
from vectorplane.backends.engine.interfaces import Interface
from vectorplane.control.vppapi.api import Api
from vectorplane.control.vppapi.handlers.interface_checks import interface_of
from vectorplane.control.vppapi.retval import (
    ADDRESS_FOUND_FOR_INTERFACE,
    ADDRESS_IN_USE,
    ADDRESS_LENGTH_MISMATCH,
    ADDRESS_NOT_DELETABLE,
    ADDRESS_NOT_FOUND_FOR_INTERFACE,
    DUPLICATE_IF_ADDRESS,
    INVALID_SW_IF_INDEX_2,
    NO_SUCH_FIB,
    UNEXPECTED_INTF_STATE,
    UNSUPPORTED,
    ApiError,
)

IP6 = 1


def _may_have_addresses(interface: Interface) -> None:
    if interface.sw_if_index == 0:
        raise ApiError(UNSUPPORTED, "local0 interface doesn't support IP addressing")
    if interface.is_sub and not interface.exact:
        raise ApiError(UNSUPPORTED, "sub-interface without exact-match doesn't support IP addressing")


def sw_interface_add_del_address(api: Api, m: Any) -> None:
    """Add an address, or remove one or all."""
    engine, index = api.engine, m.sw_if_index
    interface = interface_of(api, index)
    if m.del_all:
        engine.addresses.remove_all(index)
        engine.addresses6.remove_all(index)
        return
    _may_have_addresses(interface)
    ip6, length = m.prefix.address.af == IP6, m.prefix.len
    if length > (128 if ip6 else 32) or (length == 0 and m.is_add):
        raise ApiError(ADDRESS_LENGTH_MISMATCH if m.is_add else ADDRESS_NOT_FOUND_FOR_INTERFACE, f"length {length}")
    change: Callable[[], None]
    if ip6:
        address6 = IPv6Interface((m.prefix.address.un, length))
        change = lambda: (engine.addresses6.add if m.is_add else engine.addresses6.remove)(index, address6)  # noqa: E731
    else:
        address = IPv4Interface((m.prefix.address.un[:4], length))
        change = lambda: (engine.addresses.add if m.is_add else engine.addresses.remove)(index, address)  # noqa: E731
    try:
        change()
    except (AddressConflict, DuplicateAddress) as error:
        raise ApiError(DUPLICATE_IF_ADDRESS if ip6 else ADDRESS_IN_USE, str(error)) from None
    except LinkLocalLength as error:
        raise ApiError(ADDRESS_LENGTH_MISMATCH, str(error)) from None
    except LinkLocalNotDeletable as error:
        raise ApiError(ADDRESS_NOT_DELETABLE, str(error)) from None
    except KeyError as error:
        raise ApiError(ADDRESS_NOT_FOUND_FOR_INTERFACE, str(error)) from None


def sw_interface_address_replace_begin(api: Api, m: Any) -> None:
    """From now on: addresses that are not added again are stale."""
    api.engine.addresses.mark()
    api.engine.addresses6.mark()


def sw_interface_address_replace_end(api: Api, m: Any) -> None:
    """Take the stale ones away."""
    api.engine.addresses.sweep()
    api.engine.addresses6.sweep()


def sw_interface_set_ip_directed_broadcast(api: Api, m: Any) -> None:
    """Whether what is for a prefix's broadcast address goes out as a broadcast."""
    interface_of(api, m.sw_if_index)
    api.engine.addresses.set_directed_broadcast(m.sw_if_index, bool(m.enable))


def sw_interface_set_table(api: Api, m: Any) -> None:
    """Into another table."""
    interface_of(api, m.sw_if_index)
    try:
        (api.engine.addresses6 if m.is_ipv6 else api.engine.addresses).set_table(m.sw_if_index, m.vrf_id)
    except KeyError as error:
        raise ApiError(NO_SUCH_FIB, str(error)) from None
    except ValueError as error:
        raise ApiError(ADDRESS_FOUND_FOR_INTERFACE, str(error)) from None


def sw_interface_get_table(api: Api, m: Any) -> dict[str, Any]:
    """The table that it is in."""
    interface_of(api, m.sw_if_index)
    if m.is_ipv6:
        return {"vrf_id": api.engine.addresses6.table_of(m.sw_if_index)}
    fib = int(api.engine.interfaces.record(m.sw_if_index)["ip4_table"])
    return {"vrf_id": next(t for t, i in api.engine.routes.control.fibs.index_by_id.items() if i == fib)}


def sw_interface_set_unnumbered(api: Api, m: Any) -> None:
    """Let ``unnumbered_sw_if_index`` use the addresses of ``sw_if_index``, or no longer."""
    engine = api.engine
    borrower = interface_of(api, m.unnumbered_sw_if_index).sw_if_index
    if not m.is_add:
        engine.addresses.set_unnumbered(borrower, None)
        return
    lender = interface_of(api, m.sw_if_index, INVALID_SW_IF_INDEX_2).sw_if_index
    if engine.addresses6.fib_of(borrower) != engine.addresses6.fib_of(lender):
        raise ApiError(UNEXPECTED_INTF_STATE, "the interfaces are in different IPv6 tables")
    try:
        engine.addresses.set_unnumbered(borrower, lender)
    except ValueError as error:
        raise ApiError(UNEXPECTED_INTF_STATE, str(error)) from None


HANDLERS = {
    "sw_interface_add_del_address": sw_interface_add_del_address,
    "sw_interface_address_replace_begin": sw_interface_address_replace_begin,
    "sw_interface_address_replace_end": sw_interface_address_replace_end,
    "sw_interface_set_ip_directed_broadcast": sw_interface_set_ip_directed_broadcast,
    "sw_interface_set_table": sw_interface_set_table,
    "sw_interface_get_table": sw_interface_get_table,
    "sw_interface_set_unnumbered": sw_interface_set_unnumbered,
}
