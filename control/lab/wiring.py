"""Wires hosts and switches to instances: each wired interface becomes a tap whose other end is in a namespace."""

from __future__ import annotations

import copy
import os
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from vectorplane.backends.engine.tap.host_link import HostLink
from vectorplane.control.config import Config, config_of
from vectorplane.control.config_engine import refuse_what_a_running_engine_cannot
from vectorplane.control.config_error import ConfigError, Path, Problem
from vectorplane.control.config_explain import did_you_mean
from vectorplane.control.config_yaml import Document, read_document
from vectorplane.control.lab.plan import BRIDGE, Plan, PlannedHost, PlannedInstance, PlannedSwitch

if TYPE_CHECKING:
    from vectorplane.control.lab.config import LabFile, LabHost


class _Instance:
    """An instance while it is wired: its configuration's values, and where they are written."""

    def __init__(self, name: str, path: Path, document: Document) -> None:
        self.name, self.path, self.document = name, path, document
        self.wired: dict[str, Path] = {}

    @property
    def interfaces(self) -> dict[Any, Any]:
        found = self.document.value.get("interfaces") if isinstance(self.document.value, dict) else None
        return found if isinstance(found, dict) else {}


def _part(document: Document, path: Path) -> Document:
    """What is at a place of a document, as one of its own."""
    value: Any = document.value
    for step in path:
        value = value[step]
    lines = {at[len(path) :]: line for at, line in document.lines.items() if at[: len(path)] == path}
    return Document(document.file, copy.deepcopy(value), lines)


class Wiring:
    """Finds the mistakes on the way; `plan` is what comes out."""

    def __init__(self, lab: LabFile, document: Document) -> None:
        self.lab, self.document = lab, document
        self.problems: list[Problem] = []
        self.instances = {name: self._instance(name) for name in lab.instances}

    def fail(self, path: Path, reason: str) -> None:
        self.problems.append(Problem(self.document.line(path), path, reason))

    def _instance(self, name: str) -> _Instance:
        path: Path = ("instances", name)
        given = self.lab.instances[name]
        if "config" not in given:
            return _Instance(name, path, _part(self.document, path))
        for other in given.keys() - {"config"}:
            self.fail((*path, str(other)), "the configuration is in a file of its own: only config: FILE goes here")
        if not isinstance(given["config"], str):
            self.fail((*path, "config"), f"expected the name of a file, got {given['config']!r}")
            return _Instance(name, path, Document(self.document.file, {}))
        file = os.path.join(os.path.dirname(self.document.file), given["config"])
        read = read_document(file)
        return _Instance(name, (), Document(file, {} if read.value is None else read.value, read.lines))

    def _wire(self, end: str, path: Path, host: dict[str, Any]) -> bool:
        """Make ``INSTANCE.INTERFACE`` a tap with that end on the host; False (and a problem) when it can't be one."""
        name, _, interface = end.partition(".")
        instance = self.instances.get(name)
        if instance is None:
            self.fail(path, f"there is no instance {name}" + did_you_mean(name, list(self.instances)))
            return False
        if interface not in instance.interfaces:
            known = did_you_mean(interface, [str(i) for i in instance.interfaces])
            self.fail(path, f"instance {name} has no interface {interface}{known}")
            return False
        if interface in instance.wired:
            first = self.document.line(instance.wired[interface])
            self.fail(path, f"{end} is wired already (in line {first}): join several by a switch")
            return False
        instance.wired[interface] = path
        return self._make_tap(instance, interface, end, path, host)

    def _make_tap(self, instance: _Instance, interface: str, end: str, path: Path, host: dict[str, Any]) -> bool:
        settings = instance.interfaces[interface]
        if settings is None:
            settings = instance.interfaces[interface] = {}
        if not isinstance(settings, dict):
            return True  # the configuration's own check says what is wrong with it
        device = settings.get("device", {})
        device = {"type": device} if isinstance(device, str) else device
        if not isinstance(device, dict) or device.get("type", "tap") != "tap" or "host" in device:
            self.fail(path, f"{end} has a device of its own: leave it out, or say type: tap without a host")
            return False
        settings["device"] = {"type": "tap", **device, "host": {k: v for k, v in host.items() if v is not None}}
        return True

    def _hosts(self) -> Iterator[PlannedHost]:
        ports = {name: len(switch.ports) for name, switch in self.lab.switches.items()}
        for name, host in self.lab.hosts.items():
            path: Path = ("hosts", name, "link")
            eth0 = HostLink(
                "eth0",
                name,
                bytes.fromhex(host.mac.replace(":", "")) if host.mac else None,
                host.mtu,
                tuple(host.addresses),
                tuple(host.gateways),
            )
            if "." in host.link:
                self._wire(host.link, path, _tap_end(name, host))
                yield PlannedHost(name, host.link, eth0)
            elif host.link in self.lab.switches:
                mtu = host.mtu or self.lab.switches[host.link].mtu
                yield PlannedHost(name, host.link, replace(eth0, mtu=mtu), f"port{ports[host.link]}")
                ports[host.link] += 1
            else:
                known = did_you_mean(host.link, list(self.lab.switches)) if self.lab.switches else ""
                self.fail(path, f"expected INSTANCE.INTERFACE or a switch, got {host.link!r}{known}")

    def _switches(self) -> Iterator[PlannedSwitch]:
        for name, switch in self.lab.switches.items():
            for i, port in enumerate(switch.ports):
                end = {"name": f"port{i}", "namespace": name, "bridge": BRIDGE, "mtu": switch.mtu}
                self._wire(port, ("switches", name, "ports", i), end)
            yield PlannedSwitch(name, switch.mtu)

    def _check(self, instance: _Instance) -> Iterator[Problem]:
        """What is wrong with a configuration once it is wired, and which interfaces hang in the air."""
        document = instance.document
        _absolute_captures(instance.interfaces, os.path.dirname(os.path.abspath(document.file)))
        try:
            config: Config = config_of(document)
            refuse_what_a_running_engine_cannot(config, document.file)
        except ConfigError as error:
            for p in error.problems:
                yield Problem(p.line, (*instance.path, *p.path), p.reason)
            return
        for name, interface in instance.interfaces.items():
            if "device" not in (interface or {}):
                path: Path = ("interfaces", name)
                reason = "nothing is plugged in here: name it in the link of a host or in the ports of a switch"
                yield Problem(document.line(path), (*instance.path, *path), reason)

    def plan(self) -> Plan:
        """Raises ConfigError."""
        switches, hosts = tuple(self._switches()), tuple(self._hosts())
        elsewhere: dict[str, list[Problem]] = {}
        for instance in self.instances.values():
            if instance.path:
                self.problems += self._check(instance)
            elif found := list(self._check(instance)):
                elsewhere.setdefault(instance.document.file, []).extend(found)
        if self.problems:
            raise ConfigError(self.document.file, self.problems)
        for file, problems in elsewhere.items():
            raise ConfigError(file, problems)
        instances = tuple(
            PlannedInstance(i.name, i.document.value, tuple(i.wired), i.document.file) for i in self.instances.values()
        )
        return Plan(self.document.file, hosts, switches, instances)


def _tap_end(name: str, host: LabHost) -> dict[str, Any]:
    return {
        "name": "eth0",
        "namespace": name,
        "mac": host.mac,
        "mtu": host.mtu,
        "addresses": [str(a) for a in host.addresses],
        "gateways": [str(g) for g in host.gateways],
    }


def _absolute_captures(interfaces: dict[Any, Any], folder: str) -> None:
    """Captures are named relative to the file that names them; the instance reads its configuration elsewhere."""
    for interface in interfaces.values():
        device = interface.get("device") if isinstance(interface, dict) else None
        rx = device.get("rx") if isinstance(device, dict) else None
        if isinstance(device, dict) and isinstance(rx, str | list):
            device["rx"] = [os.path.join(folder, str(file)) for file in ([rx] if isinstance(rx, str) else rx)]


def plan_of(lab: LabFile, document: Document) -> Plan:
    """What there is to be made. Raises ConfigError with every mistake in the wiring and in the configurations."""
    return Wiring(lab, document).plan()
