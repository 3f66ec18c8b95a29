"""Tables: ip_table_add_del and its second version, allocate, dump, flush, replace; ip_mtable_dump."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from vectorplane.control.vppapi.api import Api
from vectorplane.control.vppapi.handlers.ip_paths import IP4, IP6, NONE, has_table
from vectorplane.control.vppapi.retval import EAGAIN, LIMIT_EXCEEDED, NO_SUCH_FIB, ApiError


def _tables(api: Api, is_ip6: bool) -> Any:
    return api.engine.tables6 if is_ip6 else api.engine.tables


def _known(api: Api, m: Any) -> tuple[int, bool]:
    table, is_ip6 = m.table.table_id, bool(m.table.is_ip6)
    if not has_table(api.engine, IP6 if is_ip6 else IP4, table):
        raise ApiError(NO_SUCH_FIB, f"table {table}")
    return table, is_ip6


def _create(api: Api, is_ip6: bool, table: int, name: str, multicast: bool) -> None:
    try:
        _tables(api, is_ip6).create(table, name, multicast=multicast)
    except OverflowError as e:
        raise ApiError(LIMIT_EXCEEDED, str(e)) from None


def ip_table_add_del(api: Api, m: Any) -> None:
    """Make a table, with a multicast one, or give it up."""
    if m.is_add:
        _create(api, m.table.is_ip6, m.table.table_id, m.table.name, True)
    else:
        _tables(api, m.table.is_ip6).delete(m.table.table_id)


def ip_table_add_del_v2(api: Api, m: Any) -> None:
    """The same; the multicast table only when it is asked for."""
    if m.is_add:
        _create(api, m.table.is_ip6, m.table.table_id, m.table.name, m.create_mfib)
    else:
        _tables(api, m.table.is_ip6).delete(m.table.table_id)


def ip_table_allocate(api: Api, m: Any) -> dict[str, Any]:
    """Make a table, with an id of our choice when 2**32 - 1 is given."""
    table, is_ip6, name = m.table.table_id, m.table.is_ip6, m.table.name
    if table == NONE:
        try:
            table = _tables(api, is_ip6).unused_id()
        except OverflowError as e:
            raise ApiError(EAGAIN, str(e)) from None
    _create(api, is_ip6, table, name, True)
    return {"table": {"table_id": table, "is_ip6": is_ip6, "name": name}}


def ip_table_dump(api: Api, m: Any) -> Iterator[dict[str, Any]]:
    """All tables, IPv4's first."""
    for is_ip6 in (False, True):
        tables = _tables(api, is_ip6)
        for table in tables.ids():
            if table in tables:
                yield {"table": {"table_id": table, "is_ip6": is_ip6, "name": tables.name(table)}}


def ip_mtable_dump(api: Api, m: Any) -> Iterator[dict[str, Any]]:
    """All multicast tables."""
    for table in api.engine.mroutes.tables():
        yield {"table": {"table_id": table}}


def ip_table_flush(api: Api, m: Any) -> None:
    """Take the table's interfaces down and remove what came from the API."""
    table, is_ip6 = _known(api, m)
    engine = api.engine
    routes: Any = engine.routes6 if is_ip6 else engine.routes
    fib = routes.control.fib_index(table)
    for sw_if_index in sorted(engine.interfaces.by_index):
        own = engine.addresses6.fib_of(sw_if_index) if is_ip6 else engine.addresses.fib_of(sw_if_index)
        if own == fib and engine.interfaces.is_up(sw_if_index):
            engine.interfaces.set_up(sw_if_index, False)
    routes.flush(table)
    if not is_ip6 and table in engine.mroutes:
        engine.mroutes.flush(table)


def ip_table_replace_begin(api: Api, m: Any) -> None:
    """Routes that are not entered again before the end of the replacement will be removed."""
    table, is_ip6 = _known(api, m)
    _tables(api, is_ip6).mark(table)
    if not is_ip6 and table in api.engine.mroutes:
        api.engine.mroutes.mark(table)


def ip_table_replace_end(api: Api, m: Any) -> None:
    """Remove what was not entered again."""
    table, is_ip6 = _known(api, m)
    _tables(api, is_ip6).sweep(table)
    if not is_ip6 and table in api.engine.mroutes:
        api.engine.mroutes.sweep(table)


HANDLERS = {
    "ip_table_add_del": ip_table_add_del,
    "ip_table_add_del_v2": ip_table_add_del_v2,
    "ip_table_allocate": ip_table_allocate,
    "ip_table_dump": ip_table_dump,
    "ip_mtable_dump": ip_mtable_dump,
    "ip_table_flush": ip_table_flush,
    "ip_table_replace_begin": ip_table_replace_begin,
    "ip_table_replace_end": ip_table_replace_end,
}
