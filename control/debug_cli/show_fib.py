"""``show ip fib``: tables and their routes, in VPP's layout."""

from __future__ import annotations

from ipaddress import IPv4Interface
from typing import TYPE_CHECKING

from vectorplane.backends.engine.fib_control import BULK
from vectorplane.backends.engine.fib_entries import ADJ, API, INTERFACE, RR, SOURCE_NAMES, Source
from vectorplane.backends.engine.route_paths import prefix_text
from vectorplane.control.debug_cli.fib_paths import source_lines
from vectorplane.control.debug_cli.fib_text import FibText
from vectorplane.control.debug_cli.tree import Command
from vectorplane.control.debug_cli.words import Words
from vectorplane.dataplane.show.columns import centre
from vectorplane.graph_nodes.fib import Fibs
from vectorplane.graph_nodes.forwarding import (
    HASH_DEFAULT,
    HASH_DST,
    HASH_DST_PORT,
    HASH_PROTO,
    HASH_REVERSE,
    HASH_SRC,
    HASH_SRC_PORT,
    HASH_SYMMETRIC,
)

if TYPE_CHECKING:
    from vectorplane.control.debug_cli.cli import DebugCli

HASH_NAMES = {
    "src": HASH_SRC,
    "dst": HASH_DST,
    "sport": HASH_SRC_PORT,
    "dport": HASH_DST_PORT,
    "proto": HASH_PROTO,
    "reverse": HASH_REVERSE,
    "symmetric": HASH_SYMMETRIC,
}
"""What the flow hash may be made of, in VPP's order."""


def show_ip_fib(cli: DebugCli, words: Words) -> str:
    """All tables, or one; all routes, or the one that an address or a prefix takes, or how many there are."""
    summary = mtrie = False
    wanted: IPv4Interface | None = None
    table = index = None
    while not words.done:
        if words.accept("summary", "sum", "brief"):
            summary = True
        elif words.accept("mtrie"):
            mtrie = True
        elif words.accept("detail", "det", "memory", "mem"):
            pass
        elif words.accept("table"):
            table = words.take_number("expected table id, got")
        elif words.accept("index"):
            index = words.take_number("expected FIB index, got")
        else:
            found = words.maybe_prefix() or words.maybe_address()
            if found is None or found.version != 4:
                raise words.unknown()
            wanted = IPv4Interface(found)
    fibs = cli.engine.plane.shared(Fibs)
    parts = []
    for number, fib in sorted(fibs.index_by_id.items(), key=lambda pair: pair[1]):
        if table in (None, number) and index in (None, fib):
            parts.append(_header(cli, number, fib))
            if mtrie:
                parts.append(f"  routes: {cli.engine.routes.count(number)}")
            elif summary:
                parts += _summary(cli, number)
            elif wanted is not None:
                parts.append(_one(cli, number, fib, wanted))
            else:
                parts += _all(cli, number, fib)
    return "\n".join(parts)


def _header(cli: DebugCli, table: int, fib: int) -> str:
    engine = cli.engine
    config = engine.routes.control.hash_config.get(fib, HASH_DEFAULT)
    bits = "".join(f"{name} " for name, bit in HASH_NAMES.items() if config & bit)
    if config == HASH_DEFAULT:
        bits += "flowlabel "  # VPP's default has it; it means something for IPv6 only
    name = engine.plane.shared(Fibs).names[table]
    return f"{name}, fib_index:{fib}, flow hash:[{bits}] epoch:0 flags:none locks:[{_locks(cli, table, fib)}]"


def _locks(cli: DebugCli, table: int, fib: int) -> str:
    """Who holds the table: its makers, interfaces in it, neighbours and recursive routes."""
    engine, counts = cli.engine, dict.fromkeys(cli.engine.tables.holders(table), 1)
    if table:
        inside = sum(int(engine.interfaces.record(i)["ip4_table"]) == fib for i in engine.interfaces.by_index)
        counts |= {INTERFACE: inside} if inside else {}
    for entry in engine.routes.control.entries.values():
        if entry.fib == fib:
            counts |= {source: 1 for source in (ADJ, RR) if source in entry.sources}
    return "".join(f"{SOURCE_NAMES[source]}:{counts[source]}, " for source in sorted(counts))


def _summary(cli: DebugCli, table: int) -> list[str]:
    counts: dict[int, int] = {}
    for route in cli.engine.routes.dump(table):
        counts[route.length] = counts.get(route.length, 0) + 1
    head = centre("Prefix length", 20) + centre("Count", 16)
    return [head.rstrip(), *(f"{length:20d}{counts[length]:16d}" for length in sorted(counts))]


def _all(cli: DebugCli, table: int, fib: int) -> list[str]:
    text = FibText(cli.engine)
    return [_brief(cli, text, fib, r.prefix, r.length) for r in cli.engine.routes.dump(table)]


def _forwarding(cli: DebugCli, text: FibText, fib: int, prefix: int, length: int) -> str:
    control = cli.engine.routes.control
    value = control.prefixes.get(fib, prefix, length)
    if value is None:
        return "  UNRESOLVED"
    if value & BULK:
        path_set = control.path_sets.by_number[value & ~BULK]
        lb = path_set.shared[fib]
        return f"  unicast-ip4-chain\n  [@0]: {text.load_balance(lb, path_set, prefix)}"
    entry = control.entries[value]
    if not entry.installed:
        return "  UNRESOLVED"
    return f"  unicast-ip4-chain\n  [@0]: {text.load_balance(entry.lb, entry.path_set, prefix)}"


def _brief(cli: DebugCli, text: FibText, fib: int, prefix: int, length: int) -> str:
    return f"{prefix_text(prefix, length)}\n{_forwarding(cli, text, fib, prefix, length)}"


def _one(cli: DebugCli, table: int, fib: int, wanted: IPv4Interface) -> str:
    network, prefixes = wanted.network, cli.engine.routes.control.prefixes
    prefix, length = int(network.network_address), network.prefixlen
    if length == 32:
        route = cli.engine.routes.lookup(prefix, table)
        found = None if route is None else (route.prefix, route.length)
    elif prefixes.get(fib, prefix, length) is not None:
        found = prefix, length
    else:
        cover = prefixes.covering(fib, prefix, length)
        found = None if cover is None else (cover.prefix, cover.length)
    if found is None:
        return "  UNRESOLVED"
    return _detail(cli, fib, *found)


def _detail(cli: DebugCli, fib: int, prefix: int, length: int) -> str:
    control, text = cli.engine.routes.control, FibText(cli.engine)
    value = control.prefixes.get(fib, prefix, length)
    assert value is not None
    if value & BULK:
        number, entry = value & ~BULK, None
        sources = {API: Source(control.path_sets.by_number[number].paths, 0)}
    else:
        entry = control.entries[value]
        number, sources = entry.number, entry.sources
    lines = [f"{prefix_text(prefix, length)} fib:{fib} index:{number} locks:{1 + len(sources)}"]
    for rank, source in enumerate(sorted(sources)):
        lines += source_lines(cli, text, prefix, source, sources[source], rank == 0)
    return "\n".join([*lines, " forwarding: " + _forwarding(cli, text, fib, prefix, length)])


COMMANDS = (
    Command(
        "show ip fib",
        "show ip fib [summary] [table <table-id>] [index <fib-id>] [<ip4-addr>[/<mask>]] [mtrie] [detail]",
        show_ip_fib,
    ),
)
