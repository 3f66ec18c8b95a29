"""Brings an engine to what a configuration says. It knows the engine by the methods that it calls, and no device at all.

The order is that of the dependencies: tables, interfaces and their devices, addresses, neighbours, routes (a route
may lead to any of the others), and last the interfaces go up.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from vectorplane.backends.engine.interfaces import mac_bytes
from vectorplane.backends.engine.route_paths import DROP, LOOKUP, PROHIBIT, UNREACHABLE
from vectorplane.backends.engine.route_paths import Path as EnginePath
from vectorplane.control.config_check import ports
from vectorplane.control.config_error import ConfigError, Path, Problem

if TYPE_CHECKING:
    from vectorplane.backends.engine.device import Device
    from vectorplane.backends.engine.engine import Engine
    from vectorplane.control.config import Config
    from vectorplane.control.config_interface import Interface, SubInterface
    from vectorplane.control.config_route import Route

MakeDevice = Callable[[str, "Interface"], "Device"]
"""The device of an interface, by name and settings."""

_ACTIONS = {"blackhole": DROP, "unreachable": UNREACHABLE, "prohibit": PROHIBIT}
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
            self.table(table_id, table.name, table.flow_hash)
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
            self.engine.neighbours.add(self.indices[n.interface], str(n.ip), mac_bytes(n.mac), static=True)
        for i, route in enumerate(self.config.routes):
            self.at = ("routes", i)
            self.engine.routes.add(str(route.prefix), self.paths(route), route.table)
        for name, path, port in ports(self.config):
            self.at = path
            if port.up:
                self.engine.interfaces.set_up(self.indices[name])

    def table(self, table_id: int, name: str, flow_hash: list[str] | None) -> None:
        raise NotImplementedError

    def interface(self, name: str, interface: Interface) -> None:
        made = self.engine.interfaces.add(
            name,
            mac=mac_bytes(interface.mac) if interface.mac else None,
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
        if route.action is not None:
            return [EnginePath(kind=_ACTIONS[route.action])]
        result = []
        for p in route.all_paths():
            where = {"weight": p.weight, "preference": p.preference}
            if p.lookup is not None:
                result.append(EnginePath(kind=LOOKUP, table=p.lookup, **where))
            else:
                index = self.indices[p.interface] if p.interface else -1
                result.append(EnginePath(next_hop=int(p.via) if p.via else 0, sw_if_index=index, **where))
        return result


def apply(config: Config, engine: Engine, make_device: MakeDevice, file: str = "config") -> None:
    """Make an empty engine what ``config`` says; ``file`` is its name for messages.

    Raises:
        ConfigError: the engine refused something; the message names the part.
        CaptureError, OSError: a device could not be opened.
    """
    work = _Apply(config, engine, make_device)
    try:
        work.everything()
    except (ValueError, KeyError, OverflowError) as error:
        reason = str(error.args[0]) if error.args else str(error)
        raise ConfigError(file, [Problem(0, work.at, reason)]) from error
