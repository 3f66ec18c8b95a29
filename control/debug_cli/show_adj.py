"""``show adj``, ``show adj nbr``, ``adjacency counters``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vectorplane.backends.engine.adjacencies import Adjacency
from vectorplane.control.debug_cli.fib_text import FibText
from vectorplane.control.debug_cli.tree import Command
from vectorplane.control.debug_cli.words import Words
from vectorplane.graph_nodes.forwarding import Forwarding

if TYPE_CHECKING:
    from vectorplane.control.debug_cli.cli import DebugCli


def _all(cli: DebugCli) -> dict[int, Adjacency]:
    engine = cli.engine
    found = [a for i in engine.interfaces.by_index for a in engine.routes.adjacencies.of_interface(i)]
    return {a.index: a for a in sorted(found, key=lambda a: a.index)}


def _text(text: FibText, adjacency: Adjacency) -> str:
    return text.midchain(adjacency.index) if adjacency.midchain else text.adjacency(adjacency.index)


def show_adj(cli: DebugCli, words: Words) -> str:
    """All adjacencies, those of an interface, or one with its counters."""
    interface = number = None
    summary = False
    while not words.done:
        if words.accept("summary", "sum"):
            summary = True
        elif (found := cli.maybe_interface(words)) is not None:
            interface = found.sw_if_index
        else:
            number = words.take_number("unknown input")
    adjacencies, text = _all(cli), FibText(cli.engine)
    if summary:
        state = "enabled" if cli.engine.routes.adjacencies.counted else "disabled"
        return f"Number of adjacencies: {len(adjacencies)}\nPer-adjacency counters: {state}"
    if number is None:
        chosen = [i for i, a in adjacencies.items() if interface in (None, a.sw_if_index)]
        return "\n".join(f"[@{i}] {_text(text, adjacencies[i])}" for i in chosen)
    if number not in adjacencies:
        return f"adjacency {number} invalid"
    packets, octets = cli.engine.plane.shared(Forwarding).adj_counters.total(number)
    lines = [f"[@{number}] {_text(text, adjacencies[number])}", "   flags:None", f"   counts:[{packets}:{octets}]"]
    return "\n".join([*lines, f"   locks:{adjacencies[number].users}", " delegates:", " children:"])


def show_neighbours(cli: DebugCli, words: Words) -> str:
    """The adjacencies of neighbours, all or those of an interface."""
    interface = None if words.done else cli.interface(words, "unknown input").sw_if_index
    text, adjacencies = FibText(cli.engine), _all(cli)
    chosen = [i for i, a in adjacencies.items() if not a.glean and interface in (None, a.sw_if_index)]
    return "\n".join(f"[@{i}] {_text(text, adjacencies[i])}" for i in chosen)


def counters(cli: DebugCli, words: Words) -> str:
    """Count what leaves by each adjacency, or no longer."""
    if words.accept("enable"):
        cli.engine.routes.adjacencies.count()
    elif words.accept("disable"):
        cli.engine.routes.adjacencies.count(False)
    else:
        raise words.unknown()
    return ""


COMMANDS = (
    Command("show adj", "show adj [<adj_index>] [interface] [summary]", show_adj),
    Command("show adj nbr", "show adj nbr [interface]", show_neighbours),
    Command("adjacency counters", "adjacency counters [enable|disable]", counters),
)
