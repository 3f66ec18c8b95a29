"""What pydantic can't see: names that must exist, and things that may not be there twice."""

from __future__ import annotations

import os
from collections.abc import Iterator
from ipaddress import IPv4Interface, IPv6Interface
from typing import TYPE_CHECKING

from vectorplane.control.config_check_acl import check_acls
from vectorplane.control.config_check_bridge import check_bridging
from vectorplane.control.config_check_host import check_host_devices
from vectorplane.control.config_check_nat44 import check_nat44
from vectorplane.control.config_check_tunnel import check_tunnels
from vectorplane.control.config_device import CaptureSettings, DpdkSettings, LinkSettings, MemifSettings, SimSettings
from vectorplane.control.config_error import Path, Problem, field_text
from vectorplane.control.config_explain import did_you_mean
from vectorplane.control.config_interface import Port
from vectorplane.control.config_path import Path as Way
from vectorplane.control.config_yaml import Document

if TYPE_CHECKING:
    from vectorplane.control.config import Config


def ports(config: Config) -> Iterator[tuple[str, Path, Port]]:
    """Every interface and sub-interface: its name, where it is written, its settings."""
    for name, interface in config.interfaces.items():
        yield name, ("interfaces", name), interface
        for sub_id, sub in interface.sub_interfaces.items():
            yield f"{name}.{sub_id}", ("interfaces", name, "sub_interfaces", sub_id), sub


class Checker:
    """Collects mistakes, and what has to wait."""

    def __init__(self, config: Config, document: Document, folder: str | None) -> None:
        self.config, self.document, self.folder = config, document, folder
        self.problems: list[Problem] = []
        self.warnings: list[Problem] = []
        self.ports = {name: port for name, _, port in ports(config)}
        self.tables = {0, *config.tables}

    def fail(self, path: Path, reason: str) -> None:
        """A mistake."""
        self.problems.append(Problem(self.document.line(path), path, reason))

    def where(self, path: Path) -> str:
        """A field and its line, for people."""
        return f"{field_text(path)} in line {self.document.line(path)}"

    def waits(self, path: Path, reason: str) -> None:
        """No mistake: what it needs may come from elsewhere, an API client for one."""
        self.warnings.append(Problem(self.document.line(path), path, f"pending: {reason}"))

    def all_ports(self) -> Iterator[tuple[str, Path, Port]]:
        """See `ports`."""
        return ports(self.config)

    def interface(self, path: Path, name: str | None) -> None:
        """A name of an interface, which may come from elsewhere."""
        if name is not None and name not in self.ports:
            self.waits(path, f"there is no interface {name}" + did_you_mean(name, list(self.ports)))

    def table(self, path: Path, table: int | None, version: int = 4) -> None:
        """A number of a table, which must be declared."""
        if table is None:
            return
        if table not in self.tables:
            known = ", ".join(str(t) for t in sorted(self.tables))
            self.fail(path, f"there is no table {table}; known: {known} (declare it under tables)")
        elif version == 6 and table and not self.config.tables[table].ip6:
            self.fail(path, f"table {table} has no IPv6: say ip6: true under tables.{table}")

    def names(self) -> None:
        files: dict[str, str] = {}
        seen: dict[str, Path] = {}
        for name, path, _ in ports(self.config):
            if name in seen:
                self.fail(path, f"its name {name} is the same as that of {self.where(seen[name])}")
            seen[name] = path
        for name in self.config.interfaces:
            other = files.setdefault(name.replace("/", "-").lower(), name)
            if other != name:
                self.fail(("interfaces", name), f"its output file would be that of {other}")

    def addresses(self) -> None:
        taken: list[tuple[IPv4Interface | IPv6Interface, int, str, Path]] = []
        for name, path, port in ports(self.config):
            self.table((*path, "table"), port.table)
            for i, address in enumerate(port.addresses):
                here = (*path, "addresses", i)
                for other, table, owner, there in taken:
                    if table != port.table or not _overlap(address, other):
                        continue
                    if address.ip == other.ip:
                        self.fail(here, f"{address.ip} is also the address of {self.where(there)}")
                    elif owner != name:
                        self.fail(here, f"{address} overlaps {other}, {self.where(there)}")
                taken.append((address, port.table, name, here))

    def tags(self) -> None:
        for name, interface in self.config.interfaces.items():
            seen: dict[tuple[object, ...], Path] = {}
            for sub_id, sub in interface.sub_interfaces.items():
                path: Path = ("interfaces", name, "sub_interfaces", sub_id)
                tags = sub.tags(sub_id)
                if tags and tags[0] > 4094:
                    self.fail(path, f"{sub_id} is not a VLAN (0 to 4094): say which one with vlan")
                key = (sub.tag if tags else "default", *tags)
                if key in seen:
                    self.fail(path, f"it has the same tags as {self.where(seen[key])}")
                seen.setdefault(key, path)

    def devices(self) -> None:
        written: dict[str, Path] = {}
        cards: dict[str, Path] = {}
        memifs: dict[tuple[str, int], tuple[str, Path]] = {}
        for name, interface in self.config.interfaces.items():
            path: Path = ("interfaces", name, "device")
            device = interface.device
            if isinstance(device, CaptureSettings):
                for i, file in enumerate(device.rx):
                    if self.folder is not None and not os.path.exists(os.path.join(self.folder, file)):
                        self.fail((*path, "rx", i), f"there is no file {file} (in {self.folder})")
                self.written(written, (*path, "tx"), device.tx or name.replace("/", "-") + ".pcap")
            elif isinstance(device, SimSettings):
                if device.tap is not None:
                    self.written(written, (*path, "tap"), device.tap)
                if device.link is not None:
                    self.link(name, (*path, "link"), device.link)
            elif isinstance(device, MemifSettings):
                self.memif(memifs, path, device)
            elif isinstance(device, DpdkSettings):
                card = device.pci or str(device.vdev).partition(",")[0]
                other = cards.setdefault(card, path)
                if other != path:
                    self.fail((*path, "vdev" if device.vdev else "pci"), f"{card} is already {self.where(other)}")

    def memif(self, seen: dict[tuple[str, int], tuple[str, Path]], path: Path, device: MemifSettings) -> None:
        """As in VPP a socket is of servers or of clients, and an id is there once."""
        for (socket, number), (role, other) in seen.items():
            if socket == device.socket and number == device.id:
                self.fail((*path, "id"), f"{number} at {socket} is already {self.where(other)}")
                return
            if socket == device.socket and role != device.role:
                self.fail((*path, "role"), f"{socket} has a {role} already, {self.where(other)}")
                return
        seen[device.socket, device.id] = device.role, path

    def written(self, files: dict[str, Path], path: Path, file: str) -> None:
        other = files.setdefault(os.path.normpath(file), path[:-1])
        if other != path[:-1]:
            self.fail(path, f"{file} is already written by {self.where(other)}")

    def link(self, name: str, path: Path, link: LinkSettings) -> None:
        peer = link.peer
        if self.config.engine.clock == "real":
            self.fail(path, "a link needs the clock virtual (or fast), not real")
        if peer not in self.config.interfaces:
            known = list(self.config.interfaces)
            self.fail((*path, "peer"), f"there is no interface {peer}" + did_you_mean(peer, known))
            return
        other = self.config.interfaces[peer].device
        if peer == name:
            self.fail((*path, "peer"), "a cable has two ends: expected another interface")
        elif not isinstance(other, SimSettings):
            self.fail((*path, "peer"), f"{peer} is not a simulated port (its device is {other.type})")
        elif other.link is not None and other.link.peer != name:
            self.fail((*path, "peer"), f"{peer} is linked to {other.link.peer}")
        elif other.link is not None and other.link.latency != link.latency:
            self.fail((*path, "latency"), f"{peer} says {other.link.latency} ns of the same cable")
        elif other.link is None and any(
            n not in (name, peer) and isinstance(i.device, SimSettings) and i.device.link and i.device.link.peer == peer
            for n, i in self.config.interfaces.items()
        ):
            self.fail((*path, "peer"), f"{peer} is the peer of another interface too")

    def routes(self) -> None:
        seen: dict[tuple[int, object], Path] = {}
        for i, route in enumerate(self.config.routes):
            path: Path = ("routes", i)
            version = route.prefix.version
            self.table((*path, "table"), route.table, version)
            key = (route.table, route.prefix)
            if key in seen:
                self.fail((*path, "prefix"), f"{route.prefix} is already routed by {self.where(seen[key])}")
            seen.setdefault(key, path)
            for k, way in enumerate(route.all_paths()):
                self.way((*path, "paths", k) if route.paths else path, way, str(route.prefix), version)

    def way(self, path: Path, way: Way, what: str, version: int) -> None:
        """One path of what it is for (``what``)."""
        if way.via is not None and way.via.version != version:
            self.fail((*path, "via"), f"{way.via} is no next hop for {what}: expected IPv{version}")
        self.interface((*path, "interface"), way.interface)
        self.table((*path, "lookup"), way.lookup, version)

    def unnumbered(self) -> None:
        for name, path, port in ports(self.config):
            if port.unnumbered is None:
                continue
            here = (*path, "unnumbered")
            lender = self.ports.get(port.unnumbered)
            if port.addresses:
                self.fail(here, f"{name} has addresses of its own: leave out one or the other")
            if lender is None:
                self.interface(here, port.unnumbered)
            elif lender is port:
                self.fail(here, "expected another interface")
            elif lender.unnumbered is not None:
                self.fail(here, f"{port.unnumbered} borrows its addresses itself, from {lender.unnumbered}")
            elif lender.table != port.table:
                self.fail(here, f"{port.unnumbered} is in table {lender.table}, {name} in table {port.table}")
            elif not lender.addresses:
                self.waits(here, f"{port.unnumbered} has no address")

    def proxy_arp(self) -> None:
        seen: dict[tuple[object, ...], Path] = {}
        for i, each in enumerate(self.config.proxy_arp):
            path: Path = ("proxy_arp", i)
            self.table((*path, "table"), each.table)
            key = (each.low, each.high, each.table)
            if key in seen:
                self.fail(path, f"it is the same as {self.where(seen[key])}")
            seen.setdefault(key, path)

    def up(self) -> None:
        for name, interface in self.config.interfaces.items():
            for sub_id, sub in interface.sub_interfaces.items():
                if sub.up and not interface.up:
                    path: Path = ("interfaces", name, "sub_interfaces", sub_id, "up")
                    self.waits(path, f"{name} is not up")

    def neighbours(self) -> None:
        seen: dict[tuple[str, object], Path] = {}
        for i, neighbour in enumerate(self.config.neighbours):
            path: Path = ("neighbours", i)
            self.interface((*path, "interface"), neighbour.interface)
            key = (neighbour.interface, neighbour.ip)
            if key in seen:
                self.fail((*path, "ip"), f"{neighbour.ip} on {neighbour.interface} is already {self.where(seen[key])}")
            seen.setdefault(key, path)
            port = self.ports.get(neighbour.interface)
            if port is not None and any(a.ip == neighbour.ip for a in port.addresses):
                self.fail((*path, "ip"), f"{neighbour.ip} is the address of {neighbour.interface} itself")


def _overlap(a: IPv4Interface | IPv6Interface, b: IPv4Interface | IPv6Interface) -> bool:
    if isinstance(a, IPv4Interface):
        return isinstance(b, IPv4Interface) and a.network.overlaps(b.network)
    if not isinstance(b, IPv6Interface):
        return False
    # every interface has its own link-local network
    return a.network.overlaps(b.network) and not (a.is_link_local or b.is_link_local)


def check(config: Config, document: Document, folder: str | None) -> tuple[list[Problem], list[Problem]]:
    """Mistakes that concern more than one field, and what will have to wait.

    ``folder`` (None: do not look) is where capture files are.
    """
    c = Checker(config, document, folder)
    c.names()
    c.addresses()
    c.tags()
    c.devices()
    check_host_devices(c)
    check_tunnels(c)
    check_bridging(c)
    check_acls(c)
    check_nat44(c)
    c.routes()
    c.neighbours()
    c.unnumbered()
    c.up()
    c.proxy_arp()
    return c.problems, c.warnings
