"""Mirrors (SPAN) and L3 cross-connects."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vectorplane.backends.engine.path_load_balance import PathLoadBalance
from vectorplane.backends.engine.span import RX, TX
from vectorplane.control.debug_cli.errors import CliError
from vectorplane.control.debug_cli.fib_paths import path_list_lines
from vectorplane.control.debug_cli.fib_text import FibText
from vectorplane.control.debug_cli.route_path import parse_path
from vectorplane.control.debug_cli.tree import Command
from vectorplane.control.debug_cli.words import Words

if TYPE_CHECKING:
    from vectorplane.backends.engine.route_paths import Path
    from vectorplane.control.debug_cli.cli import DebugCli

_STATES = {"disable": 0, "rx": RX, "tx": TX, "both": RX | TX}
_NAMES = ("none", "rx", "tx", "both")


def set_span(cli: DebugCli, words: Words) -> str:
    """Mirror what an interface receives, sends or both to another."""
    source = target = state = None
    l2 = False
    while not words.done:
        if words.accept("destination"):
            target = cli.interface(words, "Invalid input").sw_if_index
        elif words.peek() in _STATES:
            if state is not None:
                raise CliError("Multiple mirror states in input")
            state = _STATES[words.take()]
        elif words.accept("l2"):
            l2 = True
        else:
            found = cli.maybe_interface(words)
            if found is None:
                raise CliError("Invalid input")
            source = found.sw_if_index
    state = RX | TX if state is None else state
    if source is None or source == target or (target is None and state):
        raise CliError("Invalid interface")
    span = cli.engine.span
    targets = [target] if target is not None else [t for s, t, _, its_l2 in span.dump() if (s, its_l2) == (source, l2)]
    for one in targets:
        span.set(source, one, state, l2)
    return ""


def show_span(cli: DebugCli, words: Words) -> str:
    """All mirrors."""
    states: dict[tuple[int, int], list[int]] = {}
    for source, target, state, l2 in cli.engine.span.dump():
        states.setdefault((source, target), [0, 0])[l2] = state
    if not states:
        return ""
    lines = [f"{'Source':<32} {'Destination':<32}  {'Device':>6}   {'L2':>6}"]
    before = None
    for (source, target), (device, bridged) in sorted(states.items()):
        name = cli.name_of(source) if source != before else ""
        before = source
        lines.append(f"{name:<32} {cli.name_of(target):<32} ({_NAMES[device]:>6}) ({_NAMES[bridged]:>6})")
    return "\n".join(lines)


def l3xc(cli: DebugCli, words: Words) -> str:
    """Cross-connect an interface: all that it receives takes these paths; ``del``: no longer."""
    index, add = None, True
    paths: list[Path] = []
    while not words.done:
        if words.accept("ip6"):
            raise CliError("cross-connects of IPv6 are not available")
        if words.accept("ip4", "add"):
            continue
        if words.accept("del"):
            add = False
        elif words.accept("via"):
            paths.append(parse_path(cli, words).make(4))
        elif (found := cli.maybe_interface(words)) is not None:
            index = found.sw_if_index
        else:
            raise words.unknown()
    if index is None:
        return "Specify an input interface"
    if not paths:
        return "Specify some paths"
    if add:
        cli.engine.l3xc.update(index, paths)
    elif index in dict(cli.engine.l3xc.dump()):
        cli.engine.l3xc.remove(index)
    return ""


def show_l3xc(cli: DebugCli, words: Words) -> str:
    """All L3 cross-connects."""
    lines = []
    text = FibText(cli.engine)
    for number, (index, paths) in enumerate(cli.engine.l3xc.dump()):
        way: PathLoadBalance = cli.engine.l3xc.way(index)
        lines += [f"l3xc:[{number}]: {cli.name_of(index)}", *path_list_lines(cli, text, 0, paths)]
        hops = cli.engine.routes.control.load_balances.hops(way.index)
        below = text.dpo(hops[0], way.path_set, 0, 4) if len(hops) == 1 else None
        lines.append(f"  {below or f'[@0]: {text.load_balance(way.index, way.path_set, 0, 4)}'}")
    return "\n".join(lines)


COMMANDS = (
    Command(
        "set interface span",
        "set interface span <if-name> [l2] {disable | destination <if-name> [both|rx|tx]}",
        set_span,
    ),
    Command("show interface span", "Shows SPAN mirror table", show_span),
    Command("l3xc", "l3xc [add|del] <INTERFACE> via ...", l3xc),
    Command("show l3xc", "show l3xc", show_l3xc),
)
