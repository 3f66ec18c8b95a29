"""Brings an engine to what a configuration says. It knows the engine by the methods it calls, and no device.

The order is that of the dependencies: tables, interfaces and their devices, addresses, neighbours, routes (a route
may lead to any of the others), and last the interfaces go up.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from vectorplane.control.config_check import ports
from vectorplane.control.config_error import ConfigError, Path, Problem
from vectorplane.graph_nodes.forwarding import (
    HASH_DST,
    HASH_DST_PORT,
    HASH_PROTO,
    HASH_REVERSE,
    HASH_SRC,
    HASH_SRC_PORT,
    HASH_SYMMETRIC,
)

if TYPE_CHECKING:
    from vectorplane.backends.engine.device import Device
    from vectorplane.backends.engine.engine import Engine
    from vectorplane.backends.engine.route_paths import Path as EnginePath
    from vectorplane.control.config import Config
    from vectorplane.control.config_interface import Interface, SubInterface
    from vectorplane.control.config_route import Route, Table

MakeDevice = Callable[[str, "Interface"], "Device"]
"""The device of an interface, by name and settings."""

_KINDS = {"blackhole": "drop", "unreachable": "unreachable", "prohibit": "prohibit"}
_HASH = {
    "src": HASH_SRC,
    "dst": HASH_DST,
    "proto": HASH_PROTO,
    "sport": HASH_SRC_PORT,
    "dport": HASH_DST_PORT,
    "reverse": HASH_REVERSE,
    "symmetric": HASH_SYMMETRIC,
}
_ETHERTYPES = {"dot1q": 0x8100, "dot1ad": 0x88A8}


def make_engine(config: Config) -> Engine:
    """A new engine with the configuration's engine options; nothing else of it is applied."""
    from vectorplane.backends.engine.engine import Engine

    s = config.engine
    return Engine(workers=s.workers, buffers=s.buffers, clock=s.clock, seed=s.seed, vector_size=s.vector_size)


class _Apply:
    def __init__(self, config: Config, engine: Engine, make_device: MakeDevice) -> None:
        self.config, self.engine, self.make_device = config, engine, make_device
        self.at: Path = ()
        """Where we are, for errors."""
        self.indices: dict[str, int] = {}

    def everything(self) -> None:
        for table_id, table in self.config.tables.items():
            self.at = ("tables", table_id)
            self.table(table_id, table)
        for name, interface in self.config.interfaces.items():
            self.at = ("interfaces", name)
            self.interface(name, interface)
            for sub_id, sub in interface.sub_interfaces.items():
                self.at = ("interfaces", name, "sub_interfaces", sub_id)
                self.sub_interface(name, sub_id, sub)
        for name, path, port in ports(self.config):
            self.at = path
            index = self.indices[name]
            if port.table:
                self.engine.interfaces.set_table(index, port.table)
            if port.ip4:
                self.engine.interfaces.enable_ip4(index)
            for address in port.addresses:
                self.engine.addresses.add(index, str(address))
        for i, n in enumerate(self.config.neighbours):
            self.at = ("neighbours", i)
            self.engine.neighbours.add(self.indices[n.interface], str(n.ip), _mac(n.mac), static=True)
        for i, route in enumerate(self.config.routes):
            self.at = ("routes", i)
            self.engine.routes.add(str(route.prefix), self.paths(route), route.table)
        for name, path, port in ports(self.config):
            self.at = path
            if port.up:
                self.engine.interfaces.set_up(self.indices[name])

    def table(self, table_id: int, table: Table) -> None:
        self.engine.routes.add_table(table_id, table.name)
        if table.flow_hash is not None:
            self.engine.routes.set_flow_hash(table_id, sum(_HASH[word] for word in set(table.flow_hash)))

    def interface(self, name: str, interface: Interface) -> None:
        made = self.engine.interfaces.add(
            name,
            mac=_mac(interface.mac) if interface.mac else None,
            device=self.make_device(name, interface),
            promiscuous=interface.promiscuous,
            **({"mtu": interface.mtu} if interface.mtu else {}),
        )
        self.indices[name] = made.sw_if_index

    def sub_interface(self, parent: str, sub_id: int, sub: SubInterface) -> None:
        made = self.engine.interfaces.add_sub(
            parent,
            sub_id,
            tags=sub.tags(sub_id),
            outer_type=_ETHERTYPES[sub.tag],
            exact=sub.exact,
            default=sub.default,
        )
        self.indices[made.name] = made.sw_if_index
        if sub.mtu:
            self.engine.interfaces.set_mtu(made.sw_if_index, sub.mtu)

    def paths(self, route: Route) -> list[EnginePath]:
        path = self.engine.routes.path
        if route.action is not None:
            return [path(kind=_KINDS[route.action])]
        result = []
        for p in route.all_paths():
            if p.lookup is not None:
                way = path(kind="lookup", table=p.lookup, weight=p.weight, preference=p.preference)
            else:
                via = str(p.via) if p.via else None
                way = path(via, p.interface, weight=p.weight, preference=p.preference)
            result.append(way)
        return result


def _mac(text: str) -> bytes:
    return bytes.fromhex(text.replace(":", ""))


def apply(config: Config, engine: Engine, make_device: MakeDevice, file: str = "config") -> None:
    """Make an empty engine what ``config`` says; ``file`` is its name for messages.

    Raises:
        ConfigError: the engine refused something; the message names the part.
        CaptureError, OSError: a device could not be opened.
    """
    work = _Apply(config, engine, make_device)
    try:
        work.everything()
    except (ValueError, OverflowError) as error:
        reason = str(error.args[0]) if error.args else str(error)
        raise ConfigError(file, [Problem(0, work.at, reason)]) from error
