"""``show ip6 fib``, ``show ip mfib``, ``show ip pmtu``, punt redirects."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Interface
from typing import TYPE_CHECKING

from vectorplane.backends.engine.route_paths6 import prefix_text6
from vectorplane.backends.engine.routes6 import RouteInfo6
from vectorplane.control.debug_cli.errors import CliError
from vectorplane.control.debug_cli.fib_paths import path_text
from vectorplane.control.debug_cli.route_path import parse_path
from vectorplane.control.debug_cli.tree import Command
from vectorplane.control.debug_cli.words import Words
from vectorplane.dataplane.show.columns import centre
from vectorplane.graph_nodes.mfib import ENTRY_ALL_IP4, ITF_FORWARD

if TYPE_CHECKING:
    from vectorplane.backends.engine.mroutes import MRoute
    from vectorplane.control.debug_cli.cli import DebugCli

_ENTRY_FLAGS = {1: "Signal", 4: "Connected", 2: "Drop", 8: "Accept-all-itf"}
_ITF_FLAGS = {1: "Negate-Signal", 2: "Accept", 4: "Forward", 8: "Signal-Present", 16: "Don't-Preserve"}


def _counts(lengths: list[int]) -> list[str]:
    head = (centre("Prefix length", 20) + centre("Count", 16)).rstrip()
    return [head, *(f"{length:20d}{lengths.count(length):16d}" for length in sorted(set(lengths)))]


def show_ip6_fib(cli: DebugCli, words: Words) -> str:
    """All IPv6 tables or one; all routes, the one of an address, or how many there are."""
    summary, table, wanted = False, None, None
    while not words.done:
        if words.accept("summary", "sum", "brief"):
            summary = True
        elif words.accept("detail", "det", "memory", "mem"):
            pass
        elif words.accept("table"):
            table = words.take_number("expected table id, got")
        else:
            found = words.maybe_prefix() or words.maybe_address()
            if found is None or found.version != 6:
                raise words.unknown()
            wanted = IPv6Interface(found)
    engine, lines = cli.engine, []
    for number in engine.tables6.ids():
        if table not in (None, number):
            continue
        fib = engine.routes6.control.fib_index(number)
        lines.append(f"{engine.tables6.name(number)}, fib_index:{fib}, flow hash:[] epoch:0 flags:none locks:[]")
        if summary:
            lines += _counts([r.length for r in engine.routes6.dump(number)])
        elif wanted is not None:
            address, length = int(wanted.network.network_address), wanted.network.prefixlen
            exact = engine.routes6.get((address, length), number)
            lines += _route6(cli, exact or engine.routes6.lookup(address, number))
        else:
            lines += [line for route in engine.routes6.dump(number) for line in _route6(cli, route)]
    return "\n".join(lines)


def _route6(cli: DebugCli, route: RouteInfo6 | None) -> list[str]:
    if route is None:
        return ["  UNRESOLVED"]
    lines = [prefix_text6(route.prefix, route.length), "  unicast-ip6-chain"]
    return lines + [f"    {path_text(cli, path, 6)}" for path in route.paths]


def show_mfib(cli: DebugCli, words: Words) -> str:
    """The multicast tables, or how many entries of each length they have."""
    summary, table = False, None
    while not words.done:
        if words.accept("summary", "sum", "brief"):
            summary = True
        elif words.accept("table"):
            table = words.take_number("expected table id, got")
        else:
            raise words.unknown()
    engine, lines = cli.engine, []
    for number in engine.mroutes.tables():
        if table in (None, number):
            fib = engine.routes.control.fib_index(number)
            lines.append(f"{engine.mroutes.names[number]}, fib_index:{fib} flags:none")
            routes = engine.mroutes.dump(number)
            lines += _counts([r.length for r in routes]) if summary else [_mroute(cli, r) for r in routes]
    return "\n".join(lines)


def _flags(bits: int, names: dict[int, str]) -> str:
    return "".join(f"{name}," for bit, name in names.items() if bits & bit)


def _mroute(cli: DebugCli, route: MRoute) -> str:
    group = IPv4Address(route.group)
    if route.source:
        head = f"({IPv4Address(route.source)}, {group}/{route.length})"
    else:
        head = f"(*, {group}/{route.length})"
    flags = _flags(route.flags, _ENTRY_FLAGS)
    lines = [f"{head}: " + (f" flags:{flags}" if flags else ""), "  Interfaces:"]
    if route.flags & ENTRY_ALL_IP4:  # VPP has an entry for each such interface
        lines += [f"   {cli.name_of(i)}: Accept," for i in _listening(cli, route.table)]
    shown = [(p, f) for p, f in route.paths.items() if p.sw_if_index >= 0]
    lines += [f"   {cli.name_of(p.sw_if_index)}: {_flags(f, _ITF_FLAGS)}" for p, f in shown]
    lines += [f"  RPF-ID:{route.rpf_id}"] if route.rpf_id else []
    return "\n".join([*lines, "  multicast-ip4-chain", *_replicas(cli, route)])


def _listening(cli: DebugCli, table: int) -> list[int]:
    """The interfaces of a table that take IPv4."""
    fib, interfaces = cli.engine.routes.control.fib_index(table), cli.engine.interfaces
    records = {i: interfaces.record(i) for i in interfaces.by_index}
    return [i for i, r in records.items() if int(r["ip4_table"]) == fib and int(r["ip4_enabled"]) > 0]


def _replicas(cli: DebugCli, route: MRoute) -> list[str]:
    ways = [p for p, flags in route.paths.items() if flags & ITF_FORWARD]
    if not ways:
        return ["  [@0]: dpo-drop ip4"]
    local = "has-local " if any(p.sw_if_index < 0 for p in ways) else ""
    lines = [f"  [@1]: dpo-replicate: [index:{route.index} buckets:{len(ways)} flags:[{local}]]"]
    for n, path in enumerate(ways):
        name = cli.name_of(path.sw_if_index)
        lines.append(f"    [{n}] [@1]: " + (f"ipv4-mcast: {name}" if path.sw_if_index >= 0 else "dpo-receive"))
    return lines


def show_mfib6(cli: DebugCli, words: Words) -> str:
    """IPv6 multicast tables hold nothing yet."""
    words.accept("summary", "sum", "brief")
    return ""


def show_pmtu(cli: DebugCli, words: Words) -> str:
    """Path MTUs that were set, all or one by number."""
    engine = cli.engine
    lines = []
    for number, p in enumerate(engine.path_mtus.dump()):
        fib = engine.routes.control.fib_index(p.table)
        name = cli.name_of(p.sw_if_index) if p.sw_if_index >= 0 else "remote"
        lines.append(f"[{number}] [tbl:[{p.table}:{fib}]] {IPv4Address(p.address)}/32 pmtu:[cfg:{p.mtu}] [{name}]")
    if words.done:
        return "\n".join(lines)
    number = words.take_number("unknown input")
    return lines[number] if number < len(lines) else f"entry {number} invalid"


def punt_redirect(cli: DebugCli, words: Words) -> str:
    """Send what would go to the host, received on an interface or on all, by a path."""
    add, receiver, paths = True, None, []
    while not words.done:
        if words.accept("add"):
            add = True
        elif words.accept("del"):
            add = False
        elif words.accept("rx all"):
            receiver = 0
        elif words.accept("rx"):
            receiver = cli.interface(words).sw_if_index
        elif words.accept("via"):
            paths.append(parse_path(cli, words).make(4))
        else:
            raise words.unknown("parse error")
    if receiver is None:
        raise CliError("expected rx <interface>|all")
    if add:
        cli.engine.punt_redirects.set(receiver, paths)
    else:
        cli.engine.punt_redirects.remove(receiver)
    return ""


def show_punt_redirect(cli: DebugCli, words: Words) -> str:
    """The redirects and their paths."""
    lines = []
    for receiver, paths in cli.engine.punt_redirects.dump():
        lines += [f" rx {cli.name_of(receiver)} via:", *(f"   {path_text(cli, p)}" for p in paths)]
    return "\n".join(lines)


COMMANDS = (
    Command("show ip6 fib", "show ip6 fib [summary] [table <table-id>] [<ip6-addr>[/<width>]]", show_ip6_fib),
    Command("show ip mfib", "show ip mfib [summary] [table <table-id>]", show_mfib),
    Command("show ip6 mfib", "show ip6 mfib [summary]", show_mfib6),
    Command("show ip pmtu", "show ip path MTU", show_pmtu),
    Command(
        "ip punt redirect", "ip punt redirect [add|del] rx [<interface>|all] via [<nh>] <tx_interface>", punt_redirect
    ),
    Command("show ip punt redirect", "show ip punt redirect", show_punt_redirect),
)
