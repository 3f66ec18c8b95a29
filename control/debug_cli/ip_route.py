"""``ip route add | del``: prefixes, paths, table, count, in any order, as VPP takes them."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING

from vectorplane.backends.engine.fib_entries import CLI
from vectorplane.control.debug_cli.errors import CliError
from vectorplane.control.debug_cli.route_path import ParsedPath, parse_path
from vectorplane.control.debug_cli.tree import Command
from vectorplane.control.debug_cli.words import Prefix, Words

if TYPE_CHECKING:
    from vectorplane.control.debug_cli.cli import DebugCli

_MOST = 1 << 22
"""Most routes of one command."""


class _Asked:
    def __init__(self) -> None:
        self.prefixes: list[Prefix] = []
        self.paths: list[ParsedPath] = []
        self.delete, self.table, self.count = False, 0, 1


def _parse(cli: DebugCli, words: Words) -> _Asked:
    asked = _Asked()
    while not words.done:
        if words.accept("table"):
            asked.table = words.take_number("expected table id, got")
        elif words.accept("count"):
            asked.count = int(words.take_real("expected count, got"))
        elif words.accept("via"):
            version = asked.prefixes[0].version if asked.prefixes else 4
            asked.paths.append(_path(cli, words, version))
        elif words.accept("del"):
            asked.delete = True
        elif words.accept("add"):
            asked.delete = False
        elif (prefix := words.maybe_prefix()) is not None:
            asked.prefixes.append(prefix)
        else:
            raise words.unknown("parse error")
    if not asked.prefixes:
        raise CliError("expected ip4/ip6 destination address/length.")
    if not asked.delete and not asked.paths:
        raise CliError("expected paths.")
    if not 0 <= asked.count <= _MOST:
        raise CliError(f"count: at most {_MOST} routes at once")
    return asked


def _path(cli: DebugCli, words: Words, version: int) -> ParsedPath:
    """The path behind ``via``; as in VPP a mistake in it makes the whole path the mistake."""
    at = words.at
    try:
        return parse_path(cli, words, version)
    except CliError:
        words.at = at - len("via")
        raise words.unknown("parse error") from None


def ip_route(cli: DebugCli, words: Words) -> str:
    """Add routes (paths are added to those that a prefix has from the command line), or remove them or their paths."""
    asked = _parse(cli, words)
    began = time.perf_counter()
    for prefix in asked.prefixes:
        _change(cli, asked, prefix)
    if asked.count > 1:
        return f"{asked.count * len(asked.prefixes) / max(time.perf_counter() - began, 1e-9):.6e} routes/sec"
    return ""


def _change(cli: DebugCli, asked: _Asked, prefix: Prefix) -> None:
    engine, bits = cli.engine, prefix.max_prefixlen
    routes = engine.routes if prefix.version == 4 else engine.routes6
    try:
        routes.control.fib_index(asked.table)
    except KeyError:
        raise CliError(f"Nonexistent table id {asked.table}") from None
    paths = [p.make(prefix.version) for p in asked.paths]
    length = prefix.network.prefixlen
    address, step = int(prefix.network.network_address), 1 << (bits - length)
    for _ in range(asked.count):
        if asked.delete:
            with suppress(KeyError):  # VPP takes the removal of what is not there for done
                routes.remove((address, length), asked.table, paths or None, CLI)
        else:
            routes.add((address, length), paths, asked.table, CLI)
        address = (address + step) % (1 << bits)


COMMANDS = (
    Command(
        "ip route",
        "ip route [add|del] [count <n>] <dst-ip-addr>/<width> [table <table-id>] via [next-hop-address] "
        "[next-hop-interface] [next-hop-table <value>] [weight <value>] [preference <value>] "
        "[ip4-lookup-in-table <value>] [resolve-via-host] [resolve-via-attached] [rx-ip4 <interface>] "
        "[drop|punt|local|null-send-unreach|null-send-prohibit]",
        ip_route,
    ),
)
