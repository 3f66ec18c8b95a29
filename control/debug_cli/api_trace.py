"""``api trace``: VPP can record the messages of its API. Nothing is recorded here, and `save` writes an empty file."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from vectorplane.control.debug_cli.errors import CliError
from vectorplane.control.debug_cli.tree import Command
from vectorplane.control.debug_cli.words import Words

if TYPE_CHECKING:
    from vectorplane.control.debug_cli.cli import DebugCli

_FOLDER = "/tmp"
"""Where VPP writes it, whatever the temporary folder of the process is."""


def api_trace(cli: DebugCli, words: Words) -> str:
    """``save FILE`` makes the file (``save-json`` one with an empty list); switching on and off changes nothing."""
    while not words.done:
        if words.accept("on", "enable", "off", "free", "tx on", "rx on", "tx off", "rx off"):
            if words.accept("nitems"):
                words.take_number("expected number of items, got")
        elif words.accept("status"):
            return "API trace is not recorded"
        elif words.peek() in ("save", "save-json"):
            as_json = words.take() == "save-json"
            return _save(words.take_word("expected file name, got"), b"[]\n" if as_json else b"")
        else:
            raise words.unknown()
    return ""


def _save(name: str, data: bytes) -> str:
    if ".." in name or "/" in name or "\0" in name:
        return f"illegal characters in filename '{name}'"
    path = os.path.join(_FOLDER, name)
    try:
        with open(path, "xb") as file:
            file.write(data)
    except FileExistsError:
        return f"file exists: {path}"
    except OSError as error:
        raise CliError(f"Couldn't create {path}: {error.strerror}") from None
    return f"API trace saved to {path}"


COMMANDS = (Command("api trace", "api trace [on | off | status | free | save <file> | save-json <file>]", api_trace),)
