"""Path MTUs: ip_path_mtu_update, ip_path_mtu_get, ip_path_mtu_replace_begin and _end. IPv4 only."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from vectorplane.control.vppapi.api import Api
from vectorplane.control.vppapi.handlers.ip_paths import IP4, NONE, address, family, has_table, ip_number
from vectorplane.control.vppapi.retval import NO_SUCH_TABLE, UNIMPLEMENTED, ApiError


def ip_path_mtu_update(api: Api, m: Any) -> None:
    """Set the path MTU to a host; 0: there is none."""
    pmtu = m.pmtu
    af = family(pmtu.nh.af)
    if not has_table(api.engine, af, pmtu.table_id):
        raise ApiError(NO_SUCH_TABLE, f"table {pmtu.table_id}")
    if af != IP4:
        raise ApiError(UNIMPLEMENTED, "IPv6 path MTUs")
    api.engine.path_mtus.update(ip_number(pmtu.nh.un, af), pmtu.path_mtu, pmtu.table_id)


def ip_path_mtu_get(api: Api, m: Any) -> Generator[dict[str, Any], None, dict[str, int]]:
    """All of them; they come in one go, whatever the cursor."""
    for p in api.engine.path_mtus.dump():
        yield {"pmtu": {"table_id": p.table, "nh": address(p.address, IP4), "path_mtu": p.mtu}}
    return {"retval": 0, "cursor": NONE}


def ip_path_mtu_replace_begin(api: Api, m: Any) -> None:
    """Those that are not set again before the end of the replacement will be removed."""
    api.engine.path_mtus.mark()


def ip_path_mtu_replace_end(api: Api, m: Any) -> None:
    """Remove what was not set again."""
    api.engine.path_mtus.sweep()


HANDLERS = {
    "ip_path_mtu_update": ip_path_mtu_update,
    "ip_path_mtu_get": ip_path_mtu_get,
    "ip_path_mtu_replace_begin": ip_path_mtu_replace_begin,
    "ip_path_mtu_replace_end": ip_path_mtu_replace_end,
}
