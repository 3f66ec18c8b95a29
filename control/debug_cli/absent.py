"""Questions about what does not exist here; VPP's answer when there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vectorplane.control.debug_cli.tree import Command
from vectorplane.control.debug_cli.words import Words

if TYPE_CHECKING:
    from vectorplane.control.debug_cli.cli import DebugCli


def classify_tables(cli: DebugCli, words: Words) -> str:
    """Classifier tables. MACIP lists are not made of any here (`vectorplane.graph_nodes.acl.macip_table`)."""
    words.accept("verbose")
    return "No classifier tables configured"


def event_log(cli: DebugCli, words: Words) -> str:
    """VPP's log of binary events: nothing is written to it here."""
    words.accept("all")
    words.maybe_number()
    return "0 of 131072 events in buffer, logger running"


COMMANDS = (
    Command("show classify tables", "show classify tables [verbose] [index <nn>]", classify_tables),
    Command("show event-logger", "Show event logger info", event_log),
)
