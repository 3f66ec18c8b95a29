"""Items for people and for programs."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from vectorplane.backends.items import (
    Interface,
    InterfaceAddress,
    InterfaceMac,
    InterfaceMtu,
    InterfaceTable,
    InterfaceUp,
    Ip4Enabled,
    Item,
    Neighbour,
    Path,
    ProxyArpInterface,
    ProxyArpRange,
    Route,
    SubInterface,
    Table,
    Unnumbered,
)


def path_text(path: Path) -> str:
    """``via 10.0.0.1 in``, ``table 5``, ``blackhole``."""
    if path.action:
        return path.action
    words = [f"via {path.via}"] if path.via else []
    words += [path.interface] if path.interface else []
    words += [f"table {path.table}"] if path.table >= 0 else []
    words += [f"weight {path.weight}"] if path.weight != 1 else []
    words += [f"preference {path.preference}"] if path.preference else []
    return " ".join(words)


def item_text(item: Item | None) -> str:
    """An item in a line."""
    match item:
        case None:
            return "nothing"
        case Table():
            words = [f"table {item.id}", "ip6" if item.ip6 else "ip4", item.name]
            words += ["flow-hash", *item.flow_hash] if item.flow_hash is not None else []
            return " ".join(w for w in words if w)
        case Interface():
            return " ".join([f"interface {item.name} {item.device}", *(f"{k}={v}" for k, v in item.options)])
        case SubInterface():
            return f"sub-interface {item.name} {_tags(item)}"
        case InterfaceMac():
            return f"interface {item.interface} mac {item.mac}"
        case InterfaceMtu():
            return f"interface {item.interface} mtu {item.mtu}"
        case InterfaceTable():
            return f"interface {item.interface} {'ip6 ' if item.ip6 else ''}table {item.table}"
        case InterfaceUp():
            return f"interface {item.interface} up"
        case InterfaceAddress():
            return f"interface {item.interface} address {item.address}"
        case Unnumbered():
            return f"interface {item.interface} unnumbered {item.lender}"
        case Ip4Enabled():
            return f"interface {item.interface} ip4"
        case Route():
            table = f" table {item.table}" if item.table else ""
            return f"route {item.prefix}{table} " + ", ".join(map(path_text, item.paths))
        case Neighbour():
            return f"neighbour {item.interface} {item.address} {item.mac}"
        case ProxyArpRange():
            return f"proxy-arp {item.low} - {item.high}" + (f" table {item.table}" if item.table else "")
        case ProxyArpInterface():
            return f"interface {item.interface} proxy-arp"
    return str(item)


def _tags(item: SubInterface) -> str:
    words = ["dot1ad" if item.dot1ad else "dot1q", str(item.outer)] if item.outer is not None else []
    words += ["inner", "any" if item.inner == 4095 else str(item.inner)] if item.inner is not None else []
    words += ["default"] if item.default else []
    words += ["exact"] if item.exact else []
    return " ".join(words or ["untagged"])


def item_data(item: Item) -> dict[str, Any]:
    """An item as plain values; addresses and prefixes are text."""
    return {"kind": item.kind, **{f.name: _plain(getattr(item, f.name)) for f in fields(item)}}


def _plain(value: Any) -> Any:
    if isinstance(value, Path):
        return {f.name: getattr(value, f.name) for f in fields(value)}
    if isinstance(value, tuple):
        return [_plain(v) for v in value]
    return value if value is None or isinstance(value, int | str | float) else str(value)
