"""The configuration file as a source of desired state: items, each with the line that it is written in."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from vectorplane.backends import items
from vectorplane.backends.devices import options
from vectorplane.control.config import Config, parse_config
from vectorplane.control.config_acl import Rule
from vectorplane.control.config_bridge import TagRewrite
from vectorplane.control.config_check import ports
from vectorplane.control.config_check_bridge import port_type
from vectorplane.control.config_device import (
    AfPacketSettings,
    BviSettings,
    CaptureSettings,
    DeviceSettings,
    LoopbackSettings,
    MemifSettings,
    SimSettings,
    TapSettings,
)
from vectorplane.control.config_error import Path as Field
from vectorplane.control.config_interface import Interface, Port, SubInterface
from vectorplane.control.config_path import Path as Way
from vectorplane.control.config_route import Route
from vectorplane.control.transactions.change import Change, Origin
from vectorplane.control.yaml_nat44 import nat44_items

SOURCE = "configuration"
"""The source's name, whatever the file: a file that is applied takes the place of the one before."""
_INNER_ANY = 4095
Check = Callable[[Config, str], None]
"""Refuses what a backend cannot do: raises ConfigError; the second argument is the file's name."""


def reader(check: Check | None = None, out: Path | None = None) -> Callable[[bytes, str], Change]:
    """What makes the change of a configuration's text and file name. It raises ConfigError.

    Captures are looked for in the file's folder; ``out``: where they are written, None: nowhere.
    """

    def read(text: bytes, file: str) -> Change:
        folder = os.path.dirname(os.path.abspath(file))
        config = parse_config(text, file, folder)
        if check is not None:
            check(config, file)
        return change_of(config, file, folder, out)

    return read


def change_of(config: Config, file: str = "config", folder: str = ".", out: Path | None = None) -> Change:
    """All that the configuration wants, instead of what it wanted before; see `reader`."""
    change = Change(SOURCE, whole=True, text=file)
    for item, field in items_of(config, folder, out):
        change.put(item, Origin(file, config.line(field), field))
    return change


def items_of(config: Config, folder: str = ".", out: Path | None = None) -> Iterator[tuple[items.Item, Field]]:
    """Each item and the field that says it."""
    for number, table in config.tables.items():
        flow_hash = None if table.flow_hash is None else tuple(sorted(set(table.flow_hash)))
        if number or flow_hash not in (None, items.USUAL_FLOW_HASH):  # table 0 is there anyway
            yield items.Table(number, name=table.name, flow_hash=flow_hash), ("tables", number)
        if table.ip6 and number:
            yield items.Table(number, ip6=True, name=table.name), ("tables", number, "ip6")
    for name, interface in config.interfaces.items():
        field: Field = ("interfaces", name)
        yield _interface(name, interface, folder, out), field
        if interface.mac is not None:
            yield items.InterfaceMac(name, interface.mac), (*field, "mac")
        for number, sub in interface.sub_interfaces.items():
            yield _sub_interface(name, number, sub), (*field, "sub_interfaces", number)
    yield from _bridge_domains(config)
    for name, rules in config.acls.items():
        yield items.Acl(name, tuple(map(_acl_rule, rules))), ("acls", name)
    for name, entries in config.macip_acls.items():
        made = tuple(items.MacipRule(r.action, r.mac, r.mac_mask, r.src) for r in entries)
        yield items.MacipAcl(name, made), ("macip_acls", name)
    uncut = any(_takes_uncut(interface.device) for interface in config.interfaces.values())
    for name, field, port in ports(config):
        yield from _l2(config, name, field, port)
        if port.mtu is not None:
            yield items.InterfaceMtu(name, port.mtu), (*field, "mtu")
        if port.table:
            yield items.InterfaceTable(name, port.table), (*field, "table")
            if port.table in config.tables and config.tables[port.table].ip6:
                yield items.InterfaceTable(name, port.table, ip6=True), (*field, "table")
        if port.ip4:
            yield items.Ip4Enabled(name), (*field, "ip4")
        for i, address in enumerate(port.addresses):
            yield items.InterfaceAddress(name, address), (*field, "addresses", i)
        if port.unnumbered is not None:
            yield items.Unnumbered(name, port.unnumbered), (*field, "unnumbered")
        if port.proxy_arp:
            yield items.ProxyArpInterface(name), (*field, "proxy_arp")
        for i, how in enumerate(port.reassembly):
            yield items.Reassembly(name, how), (*field, "reassembly", i)
        if port.l3_xconnect:
            yield items.L3Xconnect(name, _ways(port.l3_xconnect)), (*field, "l3_xconnect")
        if uncut and _has_to_cut(port):
            yield items.SoftwareGso(name), field
        yield from _acl(name, field, port)
        if port.nat is not None:
            yield items.NatInterface(name, port.nat), (*field, "nat")
        if port.up:
            yield items.InterfaceUp(name), (*field, "up")
    if config.nat44 is not None:
        yield from nat44_items(config.nat44)
    for i, each in enumerate(config.proxy_arp):
        yield items.ProxyArpRange(each.low, each.high, each.table), ("proxy_arp", i)
    for i, neighbour in enumerate(config.neighbours):
        yield items.Neighbour(neighbour.interface, neighbour.ip, neighbour.mac), ("neighbours", i)
    for i, route in enumerate(config.routes):
        yield items.Route(route.prefix, _paths(route), route.table), ("routes", i)
    for i, span in enumerate(config.span):
        yield items.Span(span.source, span.target, span.direction, span.l2), ("span", i)


def _takes_uncut(device: DeviceSettings) -> bool:
    """Does it bring TCP uncut, and take it so?"""
    return isinstance(device, TapSettings | AfPacketSettings) and device.gso


def _has_to_cut(port: Port) -> bool:
    """Must TCP that a tap brought uncut be cut before it leaves here? Not for the router itself, nor a tap that can."""
    if not isinstance(port, Interface):
        return True  # with tags Linux would not take it
    return not (isinstance(port.device, LoopbackSettings | BviSettings) or _takes_uncut(port.device))


def _bridge_domains(config: Config) -> Iterator[tuple[items.Item, Field]]:
    """Each bridge domain and what it is told; its ports say themselves that they are in it."""
    for number, domain in config.bridge_domains.items():
        field: Field = ("bridge_domains", number)
        yield items.BridgeDomain(number, **domain.model_dump(exclude={"arp", "fib"})), field
        for i, arp in enumerate(domain.arp):
            yield items.BridgeArp(number, arp.ip, arp.mac), (*field, "arp", i)
        for i, entry in enumerate(domain.fib):
            yield items.L2FibEntry(number, entry.mac, entry.interface or ""), (*field, "fib", i)


def _l2(config: Config, name: str, field: Field, port: Port) -> Iterator[tuple[items.Item, Field]]:
    """The place of an interface in L2."""
    if port.bridge is not None:
        kind = port_type(config, name, port)
        yield items.BridgePort(name, port.bridge.domain, kind, port.bridge.shg), (*field, "bridge")
    if port.xconnect is not None:
        yield items.L2Xconnect(name, port.xconnect), (*field, "xconnect")
    if port.tag_rewrite is not None:
        yield _tag_rewrite(name, port.tag_rewrite), (*field, "tag_rewrite")


def _acl_rule(rule: Rule) -> items.AclRule:
    return items.AclRule(rule.action, *rule.networks, rule.proto, *rule.ranges, rule.flags)


def _acl(name: str, field: Field, port: Port) -> Iterator[tuple[items.Item, Field]]:
    """What the packets of an interface must pass."""
    if port.acl is not None and (port.acl.input or port.acl.output):
        yield items.AclBinding(name, tuple(port.acl.input), tuple(port.acl.output)), (*field, "acl")
    if port.macip is not None:
        yield items.MacipBinding(name, port.macip), (*field, "macip")
    types = port.etype_whitelist
    if types is not None and (types.input or types.output):
        yield items.EtypeWhitelist(name, tuple(types.input), tuple(types.output)), (*field, "etype_whitelist")


def _tag_rewrite(name: str, rewrite: TagRewrite) -> items.TagRewrite:
    dot1q = bool(rewrite.tags) and rewrite.tag == "dot1q"
    return items.TagRewrite(name, rewrite.op, dot1q, tuple(rewrite.tags))


def _interface(name: str, interface: Interface, folder: str, out: Path | None) -> items.Interface:
    device = interface.device
    settings = _settings(name, device, folder, out)
    return items.Interface(name, device.type, options(device.type, promiscuous=interface.promiscuous, **settings))


def _settings(name: str, device: DeviceSettings, folder: str, out: Path | None) -> dict[str, object]:
    if isinstance(device, CaptureSettings):
        written = None if out is None else os.path.abspath(out / (device.tx or name.replace("/", "-") + ".pcap"))
        return {"rx": tuple(os.path.join(folder, file) for file in device.rx), "tx": written}
    if isinstance(device, TapSettings | AfPacketSettings):
        host = device.host.model_dump()
        if isinstance(device, TapSettings):
            host["addresses"] = tuple(map(str, device.host.addresses))
            host["gateways"] = tuple(map(str, device.host.gateways))
        return device.model_dump(exclude={"type", "host"}) | {f"host_{k}": v for k, v in host.items()}
    settings = device.model_dump(exclude={"type"})
    if isinstance(device, MemifSettings) and not device.socket.startswith("abstract:"):
        settings["socket"] = os.path.abspath(os.path.join(folder, device.socket))
    if isinstance(device, SimSettings):
        settings["link"] = (device.link.peer, device.link.latency) if device.link else None
        settings["tap"] = os.path.abspath(out / device.tap) if out is not None and device.tap else None
    return settings


def _sub_interface(parent: str, number: int, sub: SubInterface) -> items.SubInterface:
    tags = sub.tags(number)
    inner = tags[1] if len(tags) > 1 else None
    # any inner tag, or any tags at all, cannot be told exactly: VPP refuses that
    exact = sub.exact and not sub.default and inner != _INNER_ANY
    return items.SubInterface(
        parent, number, tags[0] if tags else None, inner, bool(tags) and sub.tag == "dot1ad", exact, sub.default
    )


def _paths(route: Route) -> tuple[items.Path, ...]:
    if route.action is not None:
        return (items.Path(action=route.action),)
    return _ways(route.all_paths())


def _ways(ways: list[Way]) -> tuple[items.Path, ...]:
    paths = (
        items.Path(
            str(p.via) if p.via is not None else "",
            p.interface or "",
            p.lookup if p.lookup is not None else -1,
            "",
            p.weight,
            p.preference,
        )
        for p in ways
    )
    return tuple(sorted(paths))
