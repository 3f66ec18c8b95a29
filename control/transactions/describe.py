"""Items for people and for programs."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from vectorplane.backends.items import (
    Acl,
    AclBinding,
    AclRule,
    BridgeArp,
    BridgeDomain,
    BridgePort,
    EtypeWhitelist,
    Interface,
    InterfaceAddress,
    InterfaceMac,
    InterfaceMtu,
    InterfaceTable,
    InterfaceUp,
    Ip4Enabled,
    Item,
    L2FibEntry,
    L2Xconnect,
    L3Xconnect,
    MacipAcl,
    MacipBinding,
    Neighbour,
    Path,
    ProxyArpInterface,
    ProxyArpRange,
    Reassembly,
    Route,
    SoftwareGso,
    Span,
    SubInterface,
    Table,
    TagRewrite,
    Unnumbered,
)
from vectorplane.backends.items_acl import ALL_PORTS
from vectorplane.control.transactions.describe_nat44 import nat_text


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
        case Reassembly():
            return f"interface {item.interface} reassembly {item.how}"
        case SoftwareGso():
            return f"interface {item.interface} gso"
        case ProxyArpInterface():
            return f"interface {item.interface} proxy-arp"
        case BridgeDomain():
            return " ".join([f"bridge-domain {item.id}", *_set(item)])
        case BridgePort():
            words = [f"interface {item.interface} bridge {item.domain}"]
            words += [item.type] if item.type != "normal" else []
            return " ".join(words + ([f"shg {item.shg}"] if item.shg else []))
        case L2Xconnect():
            return f"interface {item.interface} xconnect {item.to}"
        case L2FibEntry():
            where = item.interface or "filter"
            return f"bridge-domain {item.domain} fib {item.mac} {where}" + ("" if item.static else " may move")
        case BridgeArp():
            return f"bridge-domain {item.domain} arp {item.address} {item.mac}"
        case TagRewrite():
            words = [f"interface {item.interface} tag-rewrite {item.op}"]
            words += ["dot1q" if item.dot1q else "dot1ad", *map(str, item.tags)] if item.tags else []
            return " ".join(words)
        case Span():
            what = "l2 span" if item.l2 else "span"
            return f"interface {item.source} {what} {item.direction} to {item.target}"
        case L3Xconnect():
            return f"interface {item.interface} l3-xconnect " + ", ".join(map(path_text, item.paths))
        case Acl():
            return f"acl {item.name} " + ", ".join(map(acl_rule_text, item.rules))
        case AclBinding():
            lists = (("input", item.inputs), ("output", item.outputs))
            return " ".join([f"interface {item.interface} acl", *(f"{d} {','.join(n)}" for d, n in lists if n)])
        case MacipAcl():
            rules = (f"{r.action} {r.mac}/{r.mask} {r.src}" for r in item.rules)
            return f"macip-acl {item.name} " + ", ".join(rules)
        case MacipBinding():
            return f"interface {item.interface} macip {item.acl}"
        case EtypeWhitelist():
            types = (("input", item.inputs), ("output", item.outputs))
            words = [f"{d} {','.join(f'0x{t:04x}' for t in ts)}" for d, ts in types if ts]
            return " ".join([f"interface {item.interface} etype-whitelist", *words])
    return nat_text(item) or str(item)


def acl_rule_text(rule: AclRule) -> str:
    """``permit+reflect proto 6 src 10.0.0.0/8 dport 80-443``: what is not as usual."""
    words = [rule.action]
    words += [f"proto {rule.proto}"] if rule.proto else []
    words += [f"{d} {n}" for d, n in (("src", rule.src), ("dst", rule.dst)) if n.prefixlen]
    words += ["ip6"] if rule.src.version == 6 and not rule.src.prefixlen and not rule.dst.prefixlen else []
    for what, (first, last) in (("sport", rule.sport), ("dport", rule.dport)):
        if (first, last) != ALL_PORTS:
            words.append(f"{what} {first}" if first == last else f"{what} {first}-{last}")
    words += [f"tcp-flags {rule.tcp_flags[1]:#04x}/{rule.tcp_flags[0]:#04x}"] if rule.tcp_flags != (0, 0) else []
    return " ".join(words)


def _set(item: BridgeDomain) -> list[str]:
    """What of a bridge domain is not as usual."""
    usual = BridgeDomain(item.id)
    given = {f.name: getattr(item, f.name) for f in fields(item) if getattr(item, f.name) != getattr(usual, f.name)}
    words = {True: "on", False: "off"}
    return [f"{name} {words[value] if isinstance(value, bool) else value}" for name, value in given.items()]


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
