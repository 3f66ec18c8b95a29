"""``exec FILE``, ``echo``, ``quit``, ``api trace``, ``show files`` and what else belongs to the session."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from vectorplane.control.debug_cli.errors import CliError, Quit
from vectorplane.control.debug_cli.lines import MOST, script_lines
from vectorplane.control.debug_cli.tree import Command
from vectorplane.control.debug_cli.words import Words

if TYPE_CHECKING:
    from vectorplane.control.debug_cli.cli import DebugCli

_DEPTH = 8
"""Files that may execute each other."""


def execute(cli: DebugCli, words: Words) -> str:
    """Run the lines of a file; the first one that fails ends it."""
    path = words.take_word("expecting file name, got")
    if cli.depth >= _DEPTH:
        raise CliError(f"files execute each other more than {_DEPTH} deep")
    text = _read(path)
    cli.depth += 1
    try:
        return cli.run_lines(script_lines(text))
    except CliError as error:
        raise CliError(f"CLI line error: {error.message}", error.printed, error.retval) from None
    finally:
        cli.depth -= 1


def _read(path: str) -> str:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError) as error:
        raise CliError(f"failed to open `{path}': {getattr(error, 'strerror', None) or error}") from None
    try:
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode):
            raise CliError(f"not a regular file `{path}'")
        if not status.st_size:
            raise CliError(f"empty file `{path}'")
        if status.st_size > MOST:
            raise CliError(f"`{path}' is larger than {MOST} bytes")
        return os.read(fd, MOST).decode()
    except UnicodeDecodeError:
        raise CliError(f"`{path}' is not a text file") from None
    finally:
        os.close(fd)


def echo(cli: DebugCli, words: Words) -> str:
    """Print what was typed."""
    return words.take_rest()


def quit_session(cli: DebugCli, words: Words) -> str:
    """End the session (not the program)."""
    raise Quit


def show_cli_sessions(cli: DebugCli, words: Words) -> str:
    """How many sessions the CLI's socket has."""
    return f"{cli.sessions} sessions"


COMMANDS = (
    Command("exec", "exec <filename>", execute),
    Command("echo", "echo <rest-of-line>", echo),
    Command("quit", "Exit CLI", quit_session),
    Command("exit", "Exit CLI", quit_session),
    Command("q", "Exit CLI", quit_session),
    Command("show cli-sessions", "Show current CLI sessions", show_cli_sessions),
)
