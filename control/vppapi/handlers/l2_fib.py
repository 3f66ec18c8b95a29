"""l2.api: the MAC tables of bridge domains."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from vectorplane.control.vppapi.api import Api
from vectorplane.control.vppapi.handlers.interface_checks import NONE, interface_of
from vectorplane.control.vppapi.handlers.l2_bridge import DEFAULT
from vectorplane.control.vppapi.retval import INVALID_SW_IF_INDEX, INVALID_VALUE, NO_SUCH_ENTRY, ApiError

SCAN_DELAY_UNIT = 0.01
"""Seconds, of the scan delays in messages."""


def l2fib_add_del(api: Api, m: Any) -> None:
    """Enter an address (one that never ages) of a port of the domain, or one to be filtered; or remove one."""
    if m.bd_id not in api.engine.bridges.domains:
        raise ApiError(NO_SUCH_ENTRY, f"no bridge domain {m.bd_id}")
    mac, fib = bytes(m.mac), api.engine.l2fib
    if not m.is_add:
        try:
            fib.remove(m.bd_id, mac, -1 if m.sw_if_index == NONE else m.sw_if_index)
        except KeyError as error:
            raise ApiError(NO_SUCH_ENTRY, str(error)) from None
    elif m.filter_mac:
        fib.add_filter(m.bd_id, mac)
    else:
        interface_of(api, m.sw_if_index)
        port = api.engine.bridges.port(m.sw_if_index)
        if port is None or port.domain is None:
            raise ApiError(INVALID_SW_IF_INDEX, f"interface {m.sw_if_index} is not bridged")
        fib.add(m.bd_id, mac, m.sw_if_index, static=bool(m.static_mac), bvi=bool(m.bvi_mac))


def l2fib_flush_all(api: Api, m: Any) -> None:
    """Forget what was learnt, everywhere."""
    api.engine.l2fib.flush_all()


def l2fib_flush_bd(api: Api, m: Any) -> None:
    """Forget what a domain learnt."""
    if m.bd_id in api.engine.bridges.domains:
        api.engine.l2fib.flush_domain(m.bd_id)
    elif m.bd_id != DEFAULT:  # which learns nothing
        raise ApiError(NO_SUCH_ENTRY, f"no bridge domain {m.bd_id}")


def l2fib_flush_int(api: Api, m: Any) -> None:
    """Forget what was learnt on an interface."""
    interface_of(api, m.sw_if_index)
    api.engine.l2fib.flush_interface(m.sw_if_index)


def l2_fib_clear_table(api: Api, m: Any) -> None:
    """Remove everything, also what was entered."""
    api.engine.l2fib.clear()


def l2_fib_table_dump(api: Api, m: Any) -> Iterator[dict[str, Any]]:
    """The addresses of one domain or of all."""
    if m.bd_id != NONE and m.bd_id not in api.engine.bridges.domains:
        return
    for entry in api.engine.l2fib.dump(None if m.bd_id == NONE else m.bd_id):
        yield {
            "bd_id": entry.bd_id & NONE,
            "mac": entry.mac,
            "sw_if_index": entry.sw_if_index & NONE,
            "static_mac": entry.static,
            "filter_mac": entry.filter,
            "bvi_mac": entry.bvi,
        }


def l2fib_set_scan_delay(api: Api, m: Any) -> None:
    """How long the table rests between two scans for changes that watchers are told of."""
    if not m.scan_delay:
        raise ApiError(INVALID_VALUE, "no delay")
    api.engine.l2fib.set_scan_delay(m.scan_delay * SCAN_DELAY_UNIT)


HANDLERS = {
    "l2fib_add_del": l2fib_add_del,
    "l2fib_flush_all": l2fib_flush_all,
    "l2fib_flush_bd": l2fib_flush_bd,
    "l2fib_flush_int": l2fib_flush_int,
    "l2_fib_clear_table": l2_fib_clear_table,
    "l2_fib_table_dump": l2_fib_table_dump,
    "l2fib_set_scan_delay": l2fib_set_scan_delay,
}
