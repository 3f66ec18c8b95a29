"""NAT44's items for people."""

from __future__ import annotations

from dataclasses import fields

from vectorplane.backends.items import (
    Item,
    Nat44,
    NatAddress,
    NatIdentity,
    NatInterface,
    NatInterfaceAddress,
    NatService,
    NatStatic,
)


def nat_text(item: Item) -> str:
    """An item in a line; "": it is none of NAT's."""
    match item:
        case Nat44():
            usual = Nat44()
            given = {f.name: getattr(item, f.name) for f in fields(item)}
            words = [f"{n.replace('_', '-')} {v}" for n, v in given.items() if v != getattr(usual, n)]
            return " ".join(["nat44", *words])
        case NatAddress():
            return f"nat44 {_pool(item.twice_nat)} {item.address}{_table(item.table)}"
        case NatInterfaceAddress():
            return f"nat44 {_pool(item.twice_nat)} of interface {item.interface}"
        case NatInterface():
            return f"interface {item.interface} nat44 {item.role}"
        case NatStatic():
            ports = (f":{item.local_port}", f":{item.external_port}") if item.external_port else ("", "")
            outside = item.interface or item.external
            exact = f" pool {item.pool}" if item.pool else ""
            text = f"nat44 static {outside}{ports[1]} to {item.local}{ports[0]}{_proto(item.proto)}{_table(item.table)}"
            return text + _mode(item.twice, item.out2in_only) + exact + _tag(item.tag)
        case NatService():
            backends = ", ".join(f"{b.address}:{b.port} share {b.probability}{_table(b.table)}" for b in item.backends)
            affinity = f" affinity {item.affinity}" if item.affinity else ""
            text = f"nat44 service {item.external}:{item.port}{_proto(item.proto)} to {backends}"
            return text + _mode(item.twice, item.out2in_only) + affinity + _tag(item.tag)
        case NatIdentity():
            port = f":{item.port}" if item.port else ""
            text = f"nat44 identity {item.interface or item.address}{port}{_proto(item.proto)}"
            return text + _table(item.table) + _tag(item.tag)
    return ""


def _pool(twice_nat: bool) -> str:
    return "twice-nat address" if twice_nat else "address"


def _proto(proto: int) -> str:
    return f" proto {proto}" if proto else ""


def _table(table: int) -> str:
    return f" table {table}" if table > 0 else ""


def _mode(twice: str, out2in_only: bool) -> str:
    return (f" {twice}" if twice else "") + (" out2in-only" if out2in_only else "")


def _tag(tag: str) -> str:
    return f" tag {tag}" if tag else ""
