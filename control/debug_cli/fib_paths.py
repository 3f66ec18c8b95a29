"""VPP's text of what the sources of a FIB entry ask for: path lists and paths."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING

from vectorplane.backends.engine.adjacencies import Adjacency
from vectorplane.backends.engine.fib_entries import ATTACHED, CONNECTED, DEFAULT, LOCAL, SOURCE_NAMES, SPECIAL, Source
from vectorplane.backends.engine.route_paths import (
    CONNECTED as CONNECTED_PATH,
)
from vectorplane.backends.engine.route_paths import (
    DROP,
    INTERFACE_RX,
    LOOKUP,
    NORMAL,
    SOURCE_LOOKUP,
    Path,
)
from vectorplane.backends.engine.route_paths import LOCAL as LOCAL_PATH

if TYPE_CHECKING:
    from vectorplane.backends.engine.path_sets import PathSet
    from vectorplane.control.debug_cli.cli import DebugCli
    from vectorplane.control.debug_cli.fib_text import FibText

_TYPES = {LOCAL_PATH: "receive", LOOKUP: "deag", SOURCE_LOOKUP: "deag", INTERFACE_RX: "intf-rx"}


def source_lines(cli: DebugCli, text: FibText, address: int, number: int, source: Source, best: bool) -> list[str]:
    """A source of an entry for ``address``; ``best``: it is the one that decides."""
    names = [n for bit, n in ((CONNECTED, "connected"), (ATTACHED, "attached"), (LOCAL, "local")) if source.flags & bit]
    if number in (SPECIAL, DEFAULT):
        names.append("drop")
    flags = f" entry-flags:{''.join(n + ',' for n in names)}" if names else ""
    lines = [f"  {SOURCE_NAMES[number]} refs:1{flags} src-flags:{'added,contributing,active,' if best else 'added,'}"]
    if source.paths:
        lines += path_list_lines(cli, text, address, source.paths)
    return [*lines, ""]


def path_list_lines(cli: DebugCli, text: FibText, address: int, paths: tuple[Path, ...]) -> list[str]:
    """A path list for ``address``, and its paths."""
    path_sets = cli.engine.routes.control.path_sets.by_number
    made = next((s for s in path_sets.values() if s.paths == paths), None)
    interfaces = sorted({p.sw_if_index for p in paths if p.sw_if_index >= 0})
    drop = " flags:drop," if all(p.kind == DROP for p in paths) else ""
    number = -1 if made is None else made.number
    urpf = f"uPRF-list:{number} len:{len(interfaces)} itfs:[{''.join(f'{i}, ' for i in interfaces)}]"
    lines = [f"    path-list:[{number}] locks:{1 + (len(made.entries) if made else 0)}{drop} {urpf}"]
    for place, path in enumerate(paths):
        lines += _path(cli, text, address, made, place, path)
    return lines


def _path(cli: DebugCli, text: FibText, address: int, made: PathSet | None, place: int, path: Path) -> list[str]:
    held = None if made is None else made.held[place]
    number = -1 if made is None else made.number
    kind, flags, below = _about(cli, text, address, made, held, path)
    head = f"path:[{place}] pl-index:{number} ip4 weight={path.weight} pref={path.preference} {kind}: {flags}"
    return [f"      {head}".rstrip(), *below]


def _about(
    cli: DebugCli, text: FibText, address: int, made: PathSet | None, held: object, path: Path
) -> tuple[str, str, list[str]]:
    """Type, flags and the lines below of a path."""
    name = cli.name_of(path.sw_if_index) if path.sw_if_index >= 0 else ""
    resolved = " oper-flags:resolved,"
    if path.is_recursive:
        lb = getattr(held, "lb", -1)
        where = f"via {IPv4Address(path.next_hop)} in fib:{path.table} via-fib:{getattr(held, 'number', -1)}"
        return "recursive", resolved, [f"        {where} via-dpo:[dpo-load-balance:{lb}]"]
    if path.kind == NORMAL and path.next_hop:
        below = [f"        {IPv4Address(path.next_hop)} {name}"]
        if isinstance(held, Adjacency):
            below.append(f"      [@0]: {text.adjacency(held.index)}")
        return "attached-nexthop", resolved, below
    if path.kind in (NORMAL, CONNECTED_PATH):
        glean = " cfg-flags:glean," if path.kind == CONNECTED_PATH else ""
        return "attached", resolved + glean, [f"         {name}"]
    if path.kind in (LOOKUP, SOURCE_LOOKUP):
        return "deag", resolved, [f"         fib-index:{cli.engine.routes.control.fib_index(path.table)}"]
    kind = _TYPES.get(path.kind, "special")
    word = held if isinstance(held, int) else 0
    flags = {LOCAL_PATH: f"{resolved} cfg-flags:local,", DROP: " cfg-flags:drop,"}.get(path.kind, resolved)
    return kind, flags, [f"        {text.dpo(word, made, address, 8)}"]


def path_text(cli: DebugCli, path: Path, version: int = 4) -> str:
    """A path in one line."""
    kind_of_address = IPv4Address if version == 4 else IPv6Address
    name = cli.name_of(path.sw_if_index) if path.sw_if_index >= 0 else ""
    if path.is_recursive:
        kind, where = "recursive", f"via {kind_of_address(path.next_hop)} in table {path.table}"
    elif path.kind == NORMAL and path.next_hop:
        kind, where = "attached-nexthop", f"{kind_of_address(path.next_hop)} {name}"
    elif path.kind in (NORMAL, CONNECTED_PATH):
        kind, where = "attached", name
    elif path.kind in (LOOKUP, SOURCE_LOOKUP):
        kind, where = "deag", f"table {path.table}"
    else:
        kind, where = _TYPES.get(path.kind, "special"), name or ("" if path.kind == DROP else path.kind)
    return f"path: ip{version} weight={path.weight} pref={path.preference} {kind}: {where}".rstrip(": ")
