"""Unicast routes: ip_route_add_del, ip_route_dump, ip_route_lookup, and their second versions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from vectorplane.backends.engine.fib_entries import API, CLI
from vectorplane.backends.engine.route_paths import OWN_TABLE, Path
from vectorplane.backends.engine.routes import RouteInfo
from vectorplane.control.vppapi.api import Api
from vectorplane.control.vppapi.handlers.ip_paths import (
    IP4,
    IP6,
    NONE,
    WIDTHS,
    decode_path,
    encode_path,
    family,
    has_table,
    ip_number,
    ip_union,
    source_number,
)
from vectorplane.control.vppapi.retval import (
    INVALID_PREFIX_LENGTH,
    INVALID_VALUE,
    NO_PATHS_IN_ROUTE,
    NO_SUCH_ENTRY,
    NO_SUCH_FIB,
    ApiError,
)

_SOURCES = {0: API, 8: API, 9: CLI}
"""What ``src`` of a second-version message means; VPP knows more, which nothing here uses."""
_MOST_PATHS = 255
_CACHED = 4096


class PathCache:
    """Paths by what a message says of them: control programs use few next hops for many routes."""

    def __init__(self, api: Api) -> None:
        self._engine = api.engine
        self._paths: dict[tuple[Any, ...], Path] = {}

    def get(self, p: Any, af: int) -> Path:
        """As `decode_path`."""
        key = (af, *p[:10])  # all but the labels
        path = self._paths.get(key)
        if path is not None and self._leads_somewhere(path, af):
            return path
        path = decode_path(self._engine, p, af)
        if path.sw_if_index >= 0 or p.proto == af:  # else it depends on a table of the other IP version
            if len(self._paths) >= _CACHED:
                self._paths.clear()
            self._paths[key] = path
        return path

    def _leads_somewhere(self, path: Any, af: int) -> bool:
        """Is what the path names still there? Interfaces and tables come and go."""
        if path.sw_if_index >= 0:
            return path.sw_if_index in self._engine.interfaces.by_index
        return path.table == OWN_TABLE or has_table(self._engine, af, path.table)


def _change(api: Api, m: Any, source: int) -> dict[str, int]:
    route = m.route
    prefix = route.prefix
    af = family(prefix.address.af)
    engine = api.engine
    if not has_table(engine, af, route.table_id):
        raise ApiError(NO_SUCH_FIB, f"table {route.table_id}")
    cache: PathCache = api.shared(PathCache)
    paths = [cache.get(p, af) for p in route.paths]
    if prefix.len > WIDTHS[af]:
        raise ApiError(INVALID_PREFIX_LENGTH, f"length {prefix.len}")
    if not paths and (m.is_add or m.is_multipath):
        raise ApiError(NO_PATHS_IN_ROUTE)
    routes: Any = engine.routes if af == IP4 else engine.routes6
    where = ip_number(prefix.address.un, af), prefix.len
    if m.is_add:
        change = routes.add if m.is_multipath else routes.update
        return {"stats_index": change(where, paths, route.table_id, source)}
    with suppress(KeyError):  # VPP does not mind when it is not there
        routes.remove(where, route.table_id, paths if m.is_multipath else None, source)
    return {"stats_index": NONE}


def _change_or_say_why(api: Api, m: Any, source: int) -> dict[str, int]:
    try:
        return _change(api, m, source)
    except ApiError as e:
        return {"retval": e.retval, "stats_index": NONE}


def ip_route_add_del(api: Api, m: Any) -> dict[str, int]:
    """Add, change or remove a route; ``is_multipath``: only these paths of it."""
    return _change_or_say_why(api, m, API)


def ip_route_add_del_v2(api: Api, m: Any) -> dict[str, int]:
    """The same, by a source."""
    source = _SOURCES.get(m.route.src)
    if source is None:
        return {"retval": INVALID_VALUE, "stats_index": NONE}
    return _change_or_say_why(api, m, source)


class Encoder:
    """Routes of one table as ``ip_route``; those with the same paths share what is made of them."""

    def __init__(self, table: int, af: int, with_source: bool) -> None:
        self._table, self._af, self._with_source = table, af, with_source
        self._made: dict[int, tuple[tuple[Path, ...], list[tuple[Any, ...]]]] = {}

    def route(self, info: RouteInfo) -> tuple[Any, ...]:
        """All fields of an ``ip_route`` (or ``ip_route_v2``)."""
        paths = info.paths if info.installed else ()
        found = self._made.get(id(paths))
        if found is None or found[0] is not paths:
            found = paths, [encode_path(p, self._af) for p in paths[:_MOST_PATHS]]
            self._made[id(paths)] = found
        af, encoded = self._af, found[1]
        prefix = (af, ip_union(info.prefix, af)), info.length
        if self._with_source:
            return self._table, info.stats_index, prefix, len(encoded), source_number(info.source), encoded
        return self._table, info.stats_index, prefix, len(encoded), encoded


def ip_route_dump(api: Api, m: Any) -> Iterator[dict[str, Any]]:
    """All routes of a table."""
    yield from _dump(api, m, False)


def ip_route_v2_dump(api: Api, m: Any) -> Iterator[dict[str, Any]]:
    """All routes of a table, or those that a source decides."""
    yield from _dump(api, m, True, m.src)


def _dump(api: Api, m: Any, with_source: bool, source: int = 0) -> Iterator[dict[str, Any]]:
    table, af = m.table.table_id, IP6 if m.table.is_ip6 else IP4
    if not has_table(api.engine, af, table):
        return
    encode = Encoder(table, af, with_source).route
    routes: Any = api.engine.routes if af == IP4 else api.engine.routes6
    for info in routes.dump(table):
        if not source or source_number(info.source) == source:
            yield {"route": encode(info)}


def _lookup(api: Api, m: Any, with_source: bool) -> dict[str, Any]:
    af = family(m.prefix.address.af)
    if not has_table(api.engine, af, m.table_id):
        raise ApiError(NO_SUCH_FIB, f"table {m.table_id}")
    routes: Any = api.engine.routes if af == IP4 else api.engine.routes6
    number, length = ip_number(m.prefix.address.un, af), m.prefix.len
    if length <= WIDTHS[af]:
        for shorter in range(length, length - 1 if m.exact else -1, -1):
            info = routes.get((number, shorter), m.table_id)
            if info is not None:
                return {"route": Encoder(m.table_id, af, with_source).route(info)}
    raise ApiError(NO_SUCH_ENTRY, f"no route for {number:#x}/{length}")


def ip_route_lookup(api: Api, m: Any) -> dict[str, Any]:
    """The route of a prefix, or the longest that holds it."""
    return _lookup(api, m, False)


def ip_route_lookup_v2(api: Api, m: Any) -> dict[str, Any]:
    """The same, with the source."""
    return _lookup(api, m, True)


HANDLERS = {
    "ip_route_add_del": ip_route_add_del,
    "ip_route_add_del_v2": ip_route_add_del_v2,
    "ip_route_dump": ip_route_dump,
    "ip_route_v2_dump": ip_route_v2_dump,
    "ip_route_lookup": ip_route_lookup,
    "ip_route_lookup_v2": ip_route_lookup_v2,
}
