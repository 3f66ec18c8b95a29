"""nat44_ed.api: addresses of the pools, and what interfaces are."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import Any

from vectorplane.backends.engine.nat44 import interfaces
from vectorplane.control.vppapi.api import Api
from vectorplane.control.vppapi.handlers.interface_checks import interface_of
from vectorplane.control.vppapi.handlers.nat44 import (
    INSIDE,
    NONE,
    OUTSIDE,
    TWICE_NAT,
    attempt,
    ip4,
    ip4_bytes,
    vrf_or_none,
)
from vectorplane.control.vppapi.retval import INVALID_SW_IF_INDEX, INVALID_VALUE, ApiError
from vectorplane.graph_nodes.nat44.tables import MOST_ADDRESSES

_SIGNED_LIMIT = 1 << 31


def nat44_add_del_address_range(api: Api, m: Any) -> None:
    """All addresses of a range; one that ends before it begins has none, nor one longer than VPP's signed count."""
    first, last = ip4(m.first_ip_address), ip4(m.last_ip_address)
    count = last - first + 1
    if count <= 0 or count >= _SIGNED_LIMIT:
        return
    if m.is_add and count > MOST_ADDRESSES:
        raise ApiError(INVALID_VALUE, f"a range of {count} addresses")
    pools = api.engine.nat44.addresses
    twice = bool(m.flags & TWICE_NAT)
    if m.is_add:
        attempt(pools.add_range, first, last, vrf_or_none(m.vrf_id), twice)
    else:
        attempt(pools.delete_range, first, last, twice)


def nat44_address_dump(api: Api, m: Any) -> Iterator[dict[str, Any]]:
    """Those of the pool, then those of twice-NAT's."""
    for twice in (False, True):
        for entry in api.engine.nat44.addresses.pool(twice):
            yield {
                "ip_address": ip4_bytes(entry.address),
                "flags": TWICE_NAT if twice else 0,
                "vrf_id": NONE if entry.vrf is None else entry.vrf,
            }


def nat44_add_del_interface_addr(api: Api, m: Any) -> None:
    """The first address of an interface belongs to a pool."""
    interface_of(api, m.sw_if_index)
    pools = api.engine.nat44.addresses
    attempt(pools.add_interface if m.is_add else pools.delete_interface, m.sw_if_index, bool(m.flags & TWICE_NAT))


def nat44_interface_addr_dump(api: Api, m: Any) -> Iterator[dict[str, Any]]:
    """Those interfaces."""
    for sw_if_index, twice in api.engine.nat44.addresses.interfaces:
        yield {"sw_if_index": sw_if_index, "flags": TWICE_NAT if twice else 0}


def nat44_interface_add_del_feature(api: Api, m: Any) -> None:
    """An interface is inside or outside."""
    interface_of(api, m.sw_if_index)
    roles = api.engine.nat44.interfaces
    attempt(roles.add if m.is_add else roles.delete, m.sw_if_index, bool(m.flags & INSIDE))


def nat44_interface_dump(api: Api, m: Any) -> Iterator[dict[str, Any]]:
    """What interfaces are."""
    for sw_if_index, role in api.engine.nat44.interfaces.roles.items():
        flags = (INSIDE if role & interfaces.INSIDE else 0) | (OUTSIDE if role & interfaces.OUTSIDE else 0)
        yield {"sw_if_index": sw_if_index, "flags": flags}


def nat44_ed_add_del_output_interface(api: Api, m: Any) -> None:
    """NAT is a feature of what an interface sends."""
    interface_of(api, m.sw_if_index, INVALID_SW_IF_INDEX)
    roles = api.engine.nat44.interfaces
    attempt(roles.add_output if m.is_add else roles.delete_output, m.sw_if_index)


def nat44_ed_output_interface_get(api: Api, m: Any) -> Generator[dict[str, Any], None, dict[str, int]]:
    """Those interfaces, from the cursor's place on."""
    outputs = api.engine.nat44.interfaces.outputs
    found = outputs.from_place(0 if m.cursor == NONE else m.cursor)
    for sw_if_index in found:
        yield {"sw_if_index": sw_if_index}
    return {"retval": INVALID_VALUE if outputs and not found else 0, "cursor": NONE}


HANDLERS = {
    "nat44_add_del_address_range": nat44_add_del_address_range,
    "nat44_address_dump": nat44_address_dump,
    "nat44_add_del_interface_addr": nat44_add_del_interface_addr,
    "nat44_interface_addr_dump": nat44_interface_addr_dump,
    "nat44_interface_add_del_feature": nat44_interface_add_del_feature,
    "nat44_interface_dump": nat44_interface_dump,
    "nat44_ed_add_del_output_interface": nat44_ed_add_del_output_interface,
    "nat44_ed_output_interface_get": nat44_ed_output_interface_get,
}
