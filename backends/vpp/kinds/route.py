"""Routes: ``ip_route_add_del``, and ``ip_route_v2_dump``, which (unlike the older one) tells who made a route.

Routes come in thousands and few of them differ in their paths: what such messages have in common is packed, and
unpacked, once.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network
from typing import Any

from vectorplane.backends.items import Network, Path, Route
from vectorplane.backends.vpp.interfaces import NO_INTERFACE
from vectorplane.backends.vpp.kinds.kind import Kind, Message, Steps
from vectorplane.backends.vpp.kinds.paths import item_paths, pack_path
from vectorplane.backends.vpp.layout import offset
from vectorplane.backends.vpp.link import Link

_SOURCES = ("API", "CLI")
"""Who makes routes that are items; all others follow from something else."""
_PREFIX = struct.Struct(">B16sB")
_DETAILS = "ip_route_v2_details"
_MOST = 4096
"""Sets of paths that are remembered."""


class Routes(Kind[Route]):
    """See the module."""

    item = Route
    title = "routes"
    messages = (("ip_route_add_del",), ("ip_route_v2_dump",), ("fib_source_dump",), ("ip_table_dump",))

    def __init__(self, link: Link) -> None:
        super().__init__(link)
        self._packed: dict[Any, bytes] = {}
        self._unpacked: dict[tuple[int, bytes], tuple[Path, ...]] = {}

    def create(self, item: Route) -> Steps:
        """Add it; what another program gave this prefix is replaced."""
        yield self._message(True, item)

    def update(self, old: Route, new: Route) -> Steps:
        """Other paths."""
        yield self._message(True, new)

    def delete(self, item: Route) -> Steps:
        """Remove all paths that were given over the API."""
        yield self._message(False, item)

    def _message(self, is_add: bool, item: Route) -> Message:
        paths = item.paths if is_add else ()
        indices = tuple(self.index(path.interface) if path.interface else NO_INTERFACE for path in paths)
        key = (is_add, item.table, item.prefix.version, paths, indices)
        packed = self._packed.get(key)
        if packed is None:
            if len(self._packed) > _MOST:
                self._packed.clear()
            version, ways = item.prefix.version, zip(paths, indices, strict=True)
            made = [pack_path(path, index, version, item.table) for path, index in ways]
            route = {"table_id": item.table, "stats_index": 0, "prefix": {}, "n_paths": len(made), "paths": made}
            fields = {"is_add": is_add, "is_multipath": False, "route": route}
            packed = self._packed[key] = self.link.connection.pack("ip_route_add_del", fields)
        at = offset(self.link.connection.definitions.messages["ip_route_add_del"], "route", "prefix")
        prefix = item.prefix
        middle = _PREFIX.pack(prefix.version == 6, prefix.network_address.packed, prefix.prefixlen)
        return "ip_route_add_del", packed[:at] + middle + packed[at + _PREFIX.size :]

    def dump(self) -> Iterable[Route]:
        """Those that were made over the API or by hand."""
        connection = self.link.connection
        self.link.interfaces.refresh()
        self._unpacked.clear()  # interfaces may have other names now
        sources = [d.src.id for d in connection.details("fib_source_dump") if d.src.name in _SOURCES]
        tables = [details.table for details in connection.details("ip_table_dump")]
        asked = []
        for t in tables:
            for source in sources:
                fields = {"src": source, "table": {"table_id": t.table_id, "is_ip6": t.is_ip6}}
                asked.append(connection.start("ip_route_v2_dump", fields, raw=True))
        message = connection.definitions.messages[_DETAILS]
        starts = [offset(message, "route", name) for name in ("table_id", "prefix", "n_paths")]
        for request in asked:
            connection.finish(request)
            yield from filter(None, (self._item(raw, message, *starts) for raw in request.details))

    def _item(self, raw: bytes, message: Any, table_at: int, prefix_at: int, paths_at: int) -> Route | None:
        table = int.from_bytes(raw[table_at : table_at + 4], "big")
        key = (table, raw[paths_at:])
        paths = self._unpacked.get(key)
        if paths is None:
            if len(self._unpacked) > _MOST:
                self._unpacked.clear()
            route = message.unpack(raw, ntc=True)[0].route
            paths = item_paths(route.paths, route.table_id, self.link)
            self._unpacked[key] = paths
        af, address, length = _PREFIX.unpack_from(raw, prefix_at)
        prefix: Network = IPv6Network((address, length), False) if af else IPv4Network((address[:4], length), False)
        return Route(prefix, paths, table) if paths else None
