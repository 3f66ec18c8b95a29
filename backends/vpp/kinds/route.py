"""Routes: ``ip_route_add_del``, and ``ip_route_v2_dump``, which (unlike the older one) tells who made a route.

Routes come in thousands and few of them differ in their paths: what such messages have in common is packed, and
unpacked, once.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Any

from vectorplane.backends.base import BackendError
from vectorplane.backends.items import Network, Path, Route
from vectorplane.backends.vpp.interfaces import NO_INTERFACE
from vectorplane.backends.vpp.kinds.kind import Kind, Message, Steps
from vectorplane.backends.vpp.layout import offset
from vectorplane.backends.vpp.link import Link

_TYPES = {"": 0, "local": 1, "blackhole": 2, "unreachable": 5, "prohibit": 6}
_ACTIONS = {number: action for action, number in _TYPES.items()}
_NO_LABELS: list[dict[str, int]] = [{}] * 16
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
            made = [self._path(path, index, item) for path, index in zip(paths, indices, strict=True)]
            route = {"table_id": item.table, "stats_index": 0, "prefix": {}, "n_paths": len(made), "paths": made}
            fields = {"is_add": is_add, "is_multipath": False, "route": route}
            packed = self._packed[key] = self.link.connection.pack("ip_route_add_del", fields)
        at = offset(self.link.connection.definitions.messages["ip_route_add_del"], "route", "prefix")
        prefix = item.prefix
        middle = _PREFIX.pack(prefix.version == 6, prefix.network_address.packed, prefix.prefixlen)
        return "ip_route_add_del", packed[:at] + middle + packed[at + _PREFIX.size :]

    def _path(self, path: Path, index: int, item: Route) -> dict[str, Any]:
        if path.action not in _TYPES:
            raise BackendError(f"VPP's API knows no paths of kind {path.action}")
        address: dict[str, bytes] = {}
        version = item.prefix.version
        if path.via:
            via = IPv6Address(path.via) if ":" in path.via else IPv4Address(path.via)
            version, address = via.version, {f"ip{via.version}": via.packed}
        return {
            "sw_if_index": index,
            "table_id": item.table if path.table < 0 else path.table,
            "rpf_id": 0,
            "weight": path.weight,
            "preference": path.preference,
            "type": _TYPES[path.action],
            "flags": 0,
            "proto": int(version == 6),
            "nh": {"address": address},
            "n_labels": 0,
            "label_stack": _NO_LABELS,
        }

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
            paths = tuple(sorted(self._paths(message.unpack(raw, ntc=True)[0].route)))
            self._unpacked[key] = paths
        af, address, length = _PREFIX.unpack_from(raw, prefix_at)
        prefix: Network = IPv6Network((address, length), False) if af else IPv4Network((address[:4], length), False)
        return Route(prefix, paths, table) if paths else None

    def _paths(self, route: Any) -> Iterator[Path]:
        for p in route.paths:
            action = _ACTIONS.get(int(p.type), f"type {int(p.type)}")
            interface = "" if p.sw_if_index == NO_INTERFACE else self.link.interfaces.name(p.sw_if_index) or ""
            via = ""
            if not action:
                packed = bytes(p.nh.address.ip6 if int(p.proto) == 1 else p.nh.address.ip4)
                via = str((IPv6Address if int(p.proto) == 1 else IPv4Address)(packed)) if any(packed) else ""
            table = p.table_id if not action and not interface else -1
            if via and table == route.table_id:
                table = -1
            yield Path(via, interface, table, action, p.weight, p.preference)
