"""``trace add``, ``show trace``, ``clear trace``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vectorplane.control.debug_cli.errors import CliError
from vectorplane.control.debug_cli.tree import Command
from vectorplane.control.debug_cli.words import Words
from vectorplane.dataplane.trace_log import TraceLog

if TYPE_CHECKING:
    from vectorplane.control.debug_cli.cli import DebugCli

_DEFAULT = 50
"""Packets that are shown unless told otherwise."""


def add_trace(cli: DebugCli, words: Words) -> str:
    """Trace the next packets that an input node takes."""
    plane = cli.engine.plane
    wanted: list[tuple[str, int]] = []
    while not words.done:
        if words.accept("verbose"):
            continue
        if words.accept("filter"):
            raise CliError("packet filters are not available")
        name, at = words.take(), words.at
        count = words.maybe_number()
        if count is None or (name not in plane.graph and name not in plane.graph.registry):
            words.at = at - len(name)
            raise words.unknown("expected NODE COUNT, got")
        wanted.append((name, count))
    if not wanted:
        raise words.unknown("expected NODE COUNT, got")
    for name, count in wanted:
        plane.graph.add(name)  # it may be an input node that nothing needed yet
        try:
            plane.shared(TraceLog).add(name, count)
        except ValueError as error:
            text = "There may be another way to initiate trace on this node."
            raise CliError(f"{str(error).partition(':')[0]}. {text}") from None
    return ""


def show_trace(cli: DebugCli, words: Words) -> str:
    """What each node saw of the traced packets."""
    most = _DEFAULT
    while not words.done:
        if not words.accept("max"):
            raise words.unknown("expected 'max COUNT', got")
        most = words.take_number("expected 'max COUNT', got")
    return cli.engine.plane.shared(TraceLog).text(most)


def clear_trace(cli: DebugCli, words: Words) -> str:
    """Stop tracing and forget what was traced."""
    cli.engine.plane.shared(TraceLog).clear()
    return ""


COMMANDS = (
    Command("trace add", "trace add <input-graph-node> <add'l-pkts-for-node-> [verbose]", add_trace),
    Command("show trace", "Show trace buffer [max COUNT]", show_trace),
    Command("clear trace", "Clear trace buffer and free memory", clear_trace),
)
