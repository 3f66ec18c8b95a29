"""IPv4 multicast routes: ip_mroute_add_del, ip_mroute_dump. There are no IPv6 ones yet."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from vectorplane.control.vppapi.api import Api
from vectorplane.control.vppapi.handlers.ip_paths import (
    IP4,
    NONE,
    TYPE_LOCAL,
    TYPE_NORMAL,
    decode_path,
    encode_path,
    family,
    ip_number,
    ip_union,
)
from vectorplane.control.vppapi.retval import INVALID_VALUE, LIMIT_EXCEEDED, NO_SUCH_FIB, UNIMPLEMENTED, ApiError
from vectorplane.graph_nodes.mfib import SOURCE_LENGTH

_ENTRY_FLAGS = 15
_ITF_FLAGS = 31


def ip_mroute_add_del(api: Api, m: Any) -> dict[str, int]:
    """Add or remove paths of an entry; without paths: set its flags and RPF id."""
    try:
        return {"stats_index": _change(api, m)}
    except ApiError as e:
        return {"retval": e.retval, "stats_index": NONE}


def _change(api: Api, m: Any) -> int:
    route, mroutes = m.route, api.engine.mroutes
    prefix = route.prefix
    if family(prefix.af) != IP4:
        raise ApiError(UNIMPLEMENTED, "IPv6 multicast routes")
    if route.table_id not in mroutes:
        raise ApiError(NO_SUCH_FIB, f"multicast table {route.table_id}")
    paths = []
    for p in route.paths:
        if p.path.type not in (TYPE_NORMAL, TYPE_LOCAL):
            raise ApiError(UNIMPLEMENTED, f"paths of type {p.path.type} of multicast routes")
        path = decode_path(api.engine, p.path, IP4)
        if path.sw_if_index < 0 and p.path.type == TYPE_NORMAL:
            raise ApiError(UNIMPLEMENTED, "paths of multicast routes through other routes")
        paths.append((path, p.itf_flags & _ITF_FLAGS))
    group, source = ip_number(prefix.grp_address, IP4), ip_number(prefix.src_address, IP4)
    if prefix.grp_address_length > 32 and prefix.grp_address_length != SOURCE_LENGTH:
        raise ApiError(INVALID_VALUE, f"length {prefix.grp_address_length}")
    key = (route.table_id, group, prefix.grp_address_length, source)
    flags = route.entry_flags & _ENTRY_FLAGS
    try:
        if not paths:
            rpf_id = 0 if route.rpf_id == NONE else route.rpf_id & 0x7FFFFFFF
            entry = mroutes.update(*key, flags, rpf_id)
        elif m.is_add:
            entry = mroutes.add(*key, paths, flags)
        else:
            mroutes.remove(*key, paths)
            return NONE
    except OverflowError as e:
        raise ApiError(LIMIT_EXCEEDED, str(e)) from None
    return NONE if entry is None else entry.index


def ip_mroute_dump(api: Api, m: Any) -> Iterator[dict[str, Any]]:
    """All entries of a table; as in VPP without their flags and RPF ids."""
    mroutes = api.engine.mroutes
    table = m.table.table_id
    if m.table.is_ip6 or table not in mroutes:
        return
    for r in mroutes.dump(table):
        paths = [{"itf_flags": flags, "path": encode_path(path, IP4)} for path, flags in r.paths.items()]
        prefix = {
            "af": IP4,
            "grp_address_length": r.length,
            "grp_address": ip_union(r.group, IP4),
            "src_address": ip_union(r.source, IP4),
        }
        yield {"route": {"table_id": table, "prefix": prefix, "paths": paths[:255]}}


HANDLERS = {
    "ip_mroute_add_del": ip_mroute_add_del,
    "ip_mroute_dump": ip_mroute_dump,
}
