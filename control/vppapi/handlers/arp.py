"""arp.api: proxy ARP, its ranges and the interfaces where it is on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from vectorplane.control.vppapi.api import Api
from vectorplane.control.vppapi.handlers.ip_neighbor import check_interface
from vectorplane.control.vppapi.retval import NO_SUCH_ENTRY, NO_SUCH_FIB, ApiError


def proxy_arp_add_del(api: Api, m: Any) -> None:
    """Answer for a range of addresses in a table, or no longer."""
    proxy = api.engine.proxy_arp
    table, low, high = m.proxy.table_id, *(int.from_bytes(a, "big") for a in (m.proxy.low, m.proxy.hi))
    if table not in api.engine.tables:
        raise ApiError(NO_SUCH_FIB, f"no table {table}")
    if m.is_add:
        proxy.add(low, high, table)
        return
    try:
        proxy.remove(low, high, table)
    except KeyError as error:
        raise ApiError(NO_SUCH_ENTRY, str(error.args[0])) from error


def proxy_arp_dump(api: Api, m: Any) -> Iterator[dict[str, Any]]:
    """The ranges, in the order in which they were added."""
    ids = {index: table for table, index in api.engine.routes.control.fibs.index_by_id.items()}
    for fib, low, high in list(api.engine.proxy_arp.ranges):
        if fib in ids:
            addresses = {"low": low.to_bytes(4, "big"), "hi": high.to_bytes(4, "big")}
            yield {"proxy": {"table_id": ids[fib], **addresses}}


def proxy_arp_intfc_enable_disable(api: Api, m: Any) -> None:
    """Switch it on or off on an interface."""
    check_interface(api, m.sw_if_index)
    api.engine.proxy_arp.enable(m.sw_if_index, bool(m.enable))


def proxy_arp_intfc_dump(api: Api, m: Any) -> Iterator[dict[str, Any]]:
    """The interfaces where it is on."""
    for sw_if_index in sorted(api.engine.proxy_arp.interfaces):
        yield {"sw_if_index": sw_if_index}


HANDLERS = {
    "proxy_arp_add_del": proxy_arp_add_del,
    "proxy_arp_dump": proxy_arp_dump,
    "proxy_arp_intfc_enable_disable": proxy_arp_intfc_enable_disable,
    "proxy_arp_intfc_dump": proxy_arp_intfc_dump,
}
