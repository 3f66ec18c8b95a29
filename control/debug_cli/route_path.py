"""The path grammar of `ip route`: what follows ``via``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vectorplane.backends.engine.route_paths import (
    DROP,
    INTERFACE_RX,
    LOCAL,
    LOOKUP,
    NORMAL,
    OWN_TABLE,
    PROHIBIT,
    PUNT,
    SOURCE_LOOKUP,
    UNREACHABLE,
    VIA_ATTACHED,
    VIA_HOST,
    Path,
)
from vectorplane.backends.engine.route_paths6 import Path6
from vectorplane.control.debug_cli.words import Address, Words

if TYPE_CHECKING:
    from vectorplane.control.debug_cli.cli import DebugCli

_ENDS = ("via", "table", "count", "add", "del")
_KINDS = {
    "drop": DROP,
    "local": LOCAL,
    "punt": PUNT,
    "null": DROP,
    "null-send-unreach": UNREACHABLE,
    "null-send-prohibit": PROHIBIT,
}


class ParsedPath:
    """A path as it is read; `make` gives the engine's."""

    def __init__(self) -> None:
        self.next_hop: Address | None = None
        self.sw_if_index = -1
        self.weight, self.preference = 1, 0
        self.kind, self.table, self.flags = NORMAL, OWN_TABLE, 0

    def make(self, version: int) -> Path:
        """The engine's path."""
        hop = 0 if self.next_hop is None else int(self.next_hop)
        if self.sw_if_index < 0 and hop and self.table == OWN_TABLE:
            self.table = 0  # VPP: next hops are looked up in the default table unless told otherwise
        kind = Path if version == 4 else Path6
        return kind(hop, self.sw_if_index, self.weight, self.preference, self.kind, self.table, self.flags)


def parse_path(cli: DebugCli, words: Words, version: int = 4) -> ParsedPath:
    """Read a path; it ends where the next one, another option or the line begins.

    Raises:
        CliError: a word that belongs to no path.
    """
    path, empty = ParsedPath(), True
    while not words.done and words.peek() not in _ENDS:
        empty = False
        if words.accept("weight"):
            path.weight = words.take_number("expected weight, got", 0, 255)
        elif words.accept("preference"):
            path.preference = words.take_number("expected preference, got", 0, 255)
        elif words.accept("resolve-via-host"):
            path.flags |= VIA_HOST
        elif words.accept("resolve-via-attached"):
            path.flags |= VIA_ATTACHED
        elif words.accept("ip4-lookup-in-table", "ip6-lookup-in-table", "lookup in table"):
            path.table = _table(cli, words, version)
            path.kind = LOOKUP if path.kind == NORMAL else path.kind
        elif words.accept("src-lookup"):
            path.kind = SOURCE_LOOKUP
        elif words.accept(f"rx-ip{version}"):
            path.kind, path.sw_if_index = INTERFACE_RX, cli.interface(words).sw_if_index
        elif words.peek() in _KINDS:
            path.kind = _KINDS[words.take()]
        elif (interface := cli.maybe_interface(words)) is not None:
            path.sw_if_index = interface.sw_if_index
        else:
            _next_hop(cli, words, path, version)
    if empty:
        raise words.unknown("expected a path, got")
    return path


def _next_hop(cli: DebugCli, words: Words, path: ParsedPath, version: int) -> None:
    at = words.at
    address = words.maybe_address()
    if address is None or address.version != version:
        words.at = at
        raise words.unknown()
    path.next_hop = address
    if words.accept("next-hop-table"):
        path.table = _table(cli, words, version)


def _table(cli: DebugCli, words: Words, version: int) -> int:
    at = words.at
    table = words.take_number("expected table id, got")
    if table not in (cli.engine.tables if version == 4 else cli.engine.tables6):
        words.at = at
        raise words.unknown("no such table")
    return table
