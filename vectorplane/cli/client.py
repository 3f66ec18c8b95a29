"""Asks a running instance, for commands: who gets no good answer ends the program, saying why."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NoReturn

from vectorplane.cli.errors import say
from vectorplane.control.management_client import Client, NoInstance, Refused


def ask(path: Path | None, method: str, **params: Any) -> Any:
    """One request: ends the program, saying why, when there is no good answer."""
    try:
        with Client(path) as client:
            return client.call(method, **params)
    except NoInstance as error:
        _end([str(error)])
    except Refused as error:
        _end(error.lines)


def _end(lines: list[str]) -> NoReturn:
    for line in lines:
        say(line)
    raise SystemExit(2)
