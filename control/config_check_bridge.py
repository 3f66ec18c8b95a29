"""What ports, bridge domains, tag rewrites, cross-connects and SPAN of a configuration say about each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vectorplane.control.config_device import BviSettings, LoopbackSettings
from vectorplane.control.config_error import Path
from vectorplane.control.config_explain import did_you_mean
from vectorplane.control.config_interface import Port, SubInterface
from vectorplane.control.config_tunnel import TunnelSettings

if TYPE_CHECKING:
    from vectorplane.control.config import Config
    from vectorplane.control.config_check import Checker

_ANY = 4095
"""Stands for any inner VLAN id."""


def port_type(config: Config, name: str, port: Port) -> str:
    """What kind of port an interface is in its bridge domain, told or not; "": it is in none."""
    if port.bridge is None:
        return ""
    interface = config.interfaces.get(name)
    usual = "bvi" if interface is not None and isinstance(interface.device, BviSettings) else "normal"
    return port.bridge.type or usual


def check_bridging(c: Checker) -> None:
    """All of it."""
    only: dict[tuple[int, str], Path] = {}
    for name, path, port in c.all_ports():
        _bridge(c, name, path, port, only)
        _xconnect(c, name, path, port)
        _layers(c, name, path, port)
        _tag_rewrite(c, name, path, port)
        for k, way in enumerate(port.l3_xconnect):
            c.way((*path, "l3_xconnect", k), way, "an L3 cross-connect", 4)
    _domains(c)
    _span(c)


def _bridge(c: Checker, name: str, path: Path, port: Port, only: dict[tuple[int, str], Path]) -> None:
    if port.bridge is None:
        return
    here = (*path, "bridge")
    domain, kind = port.bridge.domain, port_type(c.config, name, port)
    if domain not in c.config.bridge_domains:
        known = [str(d) for d in c.config.bridge_domains]
        c.waits(here, f"there is no bridge domain {domain}" + did_you_mean(str(domain), known))
    interface = c.config.interfaces.get(name)
    if kind == "bvi" and (interface is None or not isinstance(interface.device, BviSettings | LoopbackSettings)):
        c.fail(here, f"{name} cannot be a BVI: expected the device bvi or loopback")
    if kind != "normal":
        other = only.setdefault((domain, kind), path)
        if other != path:
            c.fail(here, f"bridge domain {domain} has a port of type {kind} already: {c.where(other)}")


def _xconnect(c: Checker, name: str, path: Path, port: Port) -> None:
    if port.xconnect == name:
        c.fail((*path, "xconnect"), "expected another interface")
    c.interface((*path, "xconnect"), port.xconnect)


def _layers(c: Checker, name: str, path: Path, port: Port) -> None:
    """A port takes frames, so it is no interface of the router; nor has a tunnel of packets frames."""
    kind = port_type(c.config, name, port)
    mode = "is bridged" if kind else "is cross-connected" if port.xconnect is not None else ""
    if not mode:
        return
    interface = c.config.interfaces.get(name)
    if interface is not None and isinstance(interface.device, TunnelSettings) and not interface.device.frames:
        field = "bridge" if kind else "xconnect"
        c.fail((*path, field), f"{name} carries IP packets, not Ethernet frames")
    if kind == "bvi":
        return
    for field in ("addresses", "unnumbered", "ip4", "proxy_arp", "l3_xconnect"):
        if getattr(port, field):
            c.fail((*path, field), f"{name} {mode}: only a BVI is routed too")


def _tag_rewrite(c: Checker, name: str, path: Path, port: Port) -> None:
    rewrite = port.tag_rewrite
    if rewrite is None:
        return
    told = 0
    if isinstance(port, SubInterface):
        number = path[-1]
        assert isinstance(number, int)
        told = sum(tag != _ANY for tag in port.tags(number))
    if rewrite.pops > told:
        has = f"{told} tag{'s' if told > 1 else ''}" if told else "no tags"
        c.fail((*path, "tag_rewrite"), f"{rewrite.op} takes off {rewrite.pops}, but {name} has {has} of its own")


def _domains(c: Checker) -> None:
    for number, domain in c.config.bridge_domains.items():
        path: Path = ("bridge_domains", number)
        addresses: dict[object, Path] = {}
        for i, arp in enumerate(domain.arp):
            here: Path = (*path, "arp", i)
            other = addresses.setdefault(arp.ip, here)
            if other != here:
                c.fail((*here, "ip"), f"{arp.ip} is already {c.where(other)}")
        macs: dict[str, Path] = {}
        for i, entry in enumerate(domain.fib):
            here = (*path, "fib", i)
            other = macs.setdefault(entry.mac, here)
            if other != here:
                c.fail((*here, "mac"), f"{entry.mac} is already {c.where(other)}")
            if entry.interface is None:
                continue
            port = c.ports.get(entry.interface)
            if port is None:
                c.interface((*here, "interface"), entry.interface)
            elif port.bridge is None or port.bridge.domain != number:
                c.waits((*here, "interface"), f"{entry.interface} is no port of bridge domain {number}")


def _span(c: Checker) -> None:
    seen: dict[tuple[object, ...], Path] = {}
    for i, span in enumerate(c.config.span):
        path: Path = ("span", i)
        c.interface((*path, "source"), span.source)
        c.interface((*path, "target"), span.target)
        if span.source == span.target:
            c.fail((*path, "target"), "expected another interface than source")
        key = (span.source, span.target, span.l2)
        if key in seen:
            c.fail(path, f"it is the same as {c.where(seen[key])}")
        seen.setdefault(key, path)
