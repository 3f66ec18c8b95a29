"""ip_neighbor.api: neighbours of both families; see `ip_neighbor_events` for who wants to hear of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from vectorplane.backends.engine.neighbour_store import (
    Neighbour,
    NeighbourLimit,
    NeighbourStore,
    StaticNeighbour,
)
from vectorplane.control.vppapi.api import Api
from vectorplane.control.vppapi.retval import (
    INVALID_ADDRESS_FAMILY,
    INVALID_SW_IF_INDEX,
    LIMIT_EXCEEDED,
    NO_SUCH_ENTRY,
    ApiError,
)

ALL = NONE = 0xFFFFFFFF
STATIC, NO_FIB_ENTRY = 1, 2
IP4, IP6 = 0, 1
REFUSED_BY_STATIC = -2
"""What VPP gives for a learnt neighbour that is to replace a static one (by chance the number of another error)."""


def store_of(api: Api, af: int) -> NeighbourStore:
    """The neighbours of an address family. Raises `ApiError`: there is no such family."""
    if af not in (IP4, IP6):
        raise ApiError(INVALID_ADDRESS_FAMILY, f"address family {af}")
    return api.engine.neighbours6 if af == IP6 else api.engine.neighbours


def check_interface(api: Api, sw_if_index: int) -> None:
    """Raises `ApiError`: there is no such interface."""
    if sw_if_index not in api.engine.interfaces.by_index:
        raise ApiError(INVALID_SW_IF_INDEX, f"no interface {sw_if_index}")


def number_of(address: Any) -> int:
    """A `vl_api_address_t` as a number."""
    return int.from_bytes(address.un[: 16 if address.af == IP6 else 4], "big")


def encode(neighbour: Neighbour) -> dict[str, Any]:
    """A neighbour as a `vl_api_ip_neighbor_t`."""
    six = neighbour.version == 6
    address = neighbour.address.to_bytes(16 if six else 4, "big").ljust(16, b"\0")
    return {
        "sw_if_index": neighbour.sw_if_index,
        "flags": (STATIC if neighbour.static else 0) | (NO_FIB_ENTRY if neighbour.no_fib_entry else 0),
        "mac_address": neighbour.mac,
        "ip_address": {"af": IP6 if six else IP4, "un": address},
    }


def ip_neighbor_add_del(api: Api, m: Any) -> dict[str, Any] | int:
    """Enter or forget a neighbour."""
    given = m.neighbor
    check_interface(api, given.sw_if_index)
    store, address = store_of(api, given.ip_address.af), number_of(given.ip_address)
    if not m.is_add:
        known = store.get(given.sw_if_index, address)
        if known is not None:
            store.destroy(known)
        return {"retval": 0 if known is not None else NO_SUCH_ENTRY, "stats_index": NONE}
    static, no_fib_entry = bool(given.flags & STATIC), bool(given.flags & NO_FIB_ENTRY)
    try:
        made = store.add(given.sw_if_index, address, bytes(given.mac_address), static=static, no_fib_entry=no_fib_entry)
    except NeighbourLimit as error:
        raise ApiError(LIMIT_EXCEEDED, str(error)) from error
    except StaticNeighbour as error:
        raise ApiError(REFUSED_BY_STATIC, str(error)) from error
    return {"stats_index": store.stats_index(made) & NONE}


def ip_neighbor_dump(api: Api, m: Any) -> Iterator[dict[str, Any]]:
    """All neighbours of a family, or those of one interface; as VPP, nothing for families that do not exist."""
    if m.af not in (IP4, IP6):
        return
    store = store_of(api, m.af)
    for neighbour in store.dump(None if m.sw_if_index == ALL else m.sw_if_index):
        if store.get(neighbour.sw_if_index, neighbour.address) is neighbour:
            age = max(0, api.engine.now - store.heard(neighbour)) / 1e9
            yield {"age": age, "neighbor": encode(neighbour)}


def ip_neighbor_config(api: Api, m: Any) -> None:
    """How many there may be, and when they are forgotten."""
    store_of(api, m.af).configure(limit=m.max_number, max_age=m.max_age, recycle=bool(m.recycle))


def ip_neighbor_config_get(api: Api, m: Any) -> dict[str, Any]:
    """The same, back."""
    store = store_of(api, m.af)
    age = store.ageing.max_age
    return {"af": m.af, "max_number": store.limit, "max_age": age, "recycle": store.recycle}


def ip_neighbor_flush(api: Api, m: Any) -> None:
    """Forget all neighbours of a family, static ones too; of one interface or of all."""
    if m.sw_if_index != ALL:
        check_interface(api, m.sw_if_index)
    store_of(api, m.af).flush(None if m.sw_if_index == ALL else m.sw_if_index)


def ip_neighbor_replace_begin(api: Api, m: Any) -> None:
    """From now on neighbours that are not entered or heard of again are stale."""
    api.engine.neighbours.mark()
    api.engine.neighbours6.mark()


def ip_neighbor_replace_end(api: Api, m: Any) -> None:
    """Forget the stale ones."""
    api.engine.neighbours.sweep()
    api.engine.neighbours6.sweep()


HANDLERS = {
    "ip_neighbor_add_del": ip_neighbor_add_del,
    "ip_neighbor_dump": ip_neighbor_dump,
    "ip_neighbor_config": ip_neighbor_config,
    "ip_neighbor_config_get": ip_neighbor_config_get,
    "ip_neighbor_flush": ip_neighbor_flush,
    "ip_neighbor_replace_begin": ip_neighbor_replace_begin,
    "ip_neighbor_replace_end": ip_neighbor_replace_end,
}
