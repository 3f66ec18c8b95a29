"""``show logging``, ``set logging ...``, ``clear logging``, ``test log``, ``vpplog``."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from vectorplane.control.debug_cli.errors import CliError
from vectorplane.control.debug_cli.tree import Command
from vectorplane.control.debug_cli.words import Words
from vectorplane.control.log import LEVELS, NOTICE

if TYPE_CHECKING:
    from vectorplane.control.debug_cli.cli import DebugCli


def _stamp(seconds: float) -> str:
    parts = time.localtime(seconds)
    return f"{time.strftime('%Y/%m/%d %H:%M:%S', parts)}:{int(seconds * 1000) % 1000:03d}"


def show_logging(cli: DebugCli, words: Words) -> str:
    """All entries, oldest first: time, level, class, text."""
    return "".join(f"{_stamp(e.time)} {LEVELS[e.level]:<10} {e.category:<14} {e.text}\n" for e in cli.log.entries())


def show_configuration(cli: DebugCli, words: Words) -> str:
    """Size of the buffer, default level, classes whose level was set."""
    lines = [f"{'Buffer Size:':<20} {cli.log.size} entries", "Defaults:", f"{'  Log Level:':<20} notice", ""]
    lines += [f"{'Class/Subclass':<22} {'Level':<14}".rstrip()]
    for name, level in sorted(cli.log.categories().items()):
        lines += [name, f"  {'default':<20} {LEVELS[level]}"]
    return "\n".join(lines)


def clear_logging(cli: DebugCli, words: Words) -> str:
    """Forget all entries."""
    cli.log.clear()
    return ""


def set_size(cli: DebugCli, words: Words) -> str:
    """How many entries are kept."""
    cli.log.resize(words.take_number("expected number of entries, got"))
    return ""


def set_unthrottle(cli: DebugCli, words: Words) -> str:
    """Seconds; kept, though nothing is throttled here."""
    cli.log.unthrottle_time = words.take_number("expected seconds, got")
    return ""


def _level(words: Words) -> int:
    if words.peek() not in LEVELS:
        raise words.unknown("unknown log level near beginning of")
    return LEVELS.index(words.take())


def set_class(cli: DebugCli, words: Words) -> str:
    """The level of a class; rates and the levels of syslog and kmsg are read and mean nothing here."""
    name = words.take_word("unknown log class")
    while not words.done:
        if words.accept("level"):
            cli.log.set_level(name, _level(words))
        elif words.accept("rate-limit"):
            words.take_number("expected messages a second, got")
        elif words.accept("syslog-level", "kmsg-level"):
            _level(words)
        else:
            raise words.unknown()
    return ""


def test_log(cli: DebugCli, words: Words) -> str:
    """Add an entry: level, class, subclass, text."""
    level = _level(words)
    name = words.take_word("unknown log class near beginning of")
    below = words.take_word("unknown log subclass near beginning of")
    cli.log.add(level, f"{name}/{below}", words.take_rest())
    return ""


def vpplog(cli: DebugCli, words: Words) -> str:
    """Add a notice of what was typed."""
    text = words.take_rest()
    if not text:
        raise CliError("nothing to log")
    cli.log.add(NOTICE, "cli", f"CLI: {text}")
    return ""


COMMANDS = (
    Command("show logging", "show logging", show_logging),
    Command("show logging configuration", "show logging configuration", show_configuration),
    Command("clear logging", "clear logging", clear_logging),
    Command("set logging size", "set logging size <entries>", set_size),
    Command("set logging unthrottle-time", "set logging unthrottle-time <seconds>", set_unthrottle),
    Command(
        "set logging class",
        "set logging class <class> [rate-limit <int>] [level <level>] [syslog-level <level>]",
        set_class,
    ),
    Command("test log", "test log <level> <class> <subclass> <message>", test_log),
    Command("vpplog", "vpplog <text>", vpplog),
)
