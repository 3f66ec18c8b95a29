"""The commands that ask a running instance: plan, apply, dump, diff, explain, history, show, trace."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from vectorplane.cli.client import ask
from vectorplane.cli.errors import fail


def _print(answer: Any, as_json: bool, text: str) -> None:
    print(json.dumps(answer) if as_json else text.rstrip("\n"))


def _configuration(path: Path | None) -> dict[str, str]:
    """The parameters that hand over a configuration. Raises OSError; ends the program for what is no text."""
    if path is None:
        return {}
    try:
        return {"text": path.read_text(encoding="utf-8"), "file": str(path.absolute())}
    except UnicodeDecodeError as error:
        fail(f"{path}: not UTF-8: byte {error.start}", 2)


def plan(config: Path | None, socket: Path | None, as_json: bool) -> None:
    """What applying a configuration would do."""
    answer = ask(socket, "plan", **_configuration(config))
    _print(answer, as_json, answer["text"])


def apply(config: Path | None, socket: Path | None, as_json: bool) -> None:
    """Apply one; exit status 1 when not all of it is there then."""
    answer = ask(socket, "apply", **_configuration(config))
    _print(answer, as_json, answer["text"])
    if answer["outcome"] != "applied":
        sys.exit(1)


def dump(kind: str | None, socket: Path | None, as_json: bool) -> None:
    """What the backend really holds."""
    rows = ask(socket, "dump", kind=kind)
    _print(rows, as_json, "\n".join(row["text"] for row in rows))


def diff(socket: Path | None, as_json: bool) -> None:
    """Where the backend is not as it should be; exit status 1 when there is anything."""
    rows = ask(socket, "diff")
    if rows or as_json:
        _print(rows, as_json, "\n".join(row["text"] for row in rows))
    if rows:
        sys.exit(1)


def explain(key: str, socket: Path | None, as_json: bool) -> None:
    """Why an item is in the state it is in."""
    answer = ask(socket, "explain", key=key)
    _print(answer, as_json, answer["text"])


def history(number: int | None, socket: Path | None, as_json: bool) -> None:
    """The last transactions, or one in detail."""
    rows = ask(socket, "history", number=number)
    _print(rows, as_json, "\n".join(row["text"] for row in rows))


def items(prefix: str, socket: Path | None, as_json: bool) -> None:
    """Every item with its state."""
    rows = ask(socket, "items", prefix=prefix)
    if as_json:
        print(json.dumps(rows))
        return
    from vectorplane.cli.tables import console, table

    made = table("Items", "Key", "State", "Source", "Item", "Reason", left=5)
    for row in rows:
        made.add_row(*(str(row[k] or "") for k in ("key", "state", "source", "text", "reason")))
    console().print(made)


def status(socket: Path | None, as_json: bool) -> None:
    """Backend, configuration, numbers of items by state."""
    answer = ask(socket, "status")
    lines = [
        f"backend      {answer['backend']}",
        f"process      {answer['pid']}, up for {answer['seconds']:.0f} s",
        f"config       {answer['config']}",
        f"in force     {answer['applied']}",
        f"items        {', '.join(f'{n} {state}' for state, n in sorted(answer['items'].items())) or 'none'}",
        f"transactions {answer['transactions']}",
        *(f"mistake      {line}" for line in answer["mistakes"]),
    ]
    _print(answer, as_json, "\n".join(lines))


def counters(socket: Path | None) -> None:
    """All counters as JSON."""
    print(json.dumps(ask(socket, "counters")))


def line(words: str, socket: Path | None) -> None:
    """One line of the debug CLI, its output as it is."""
    print(ask(socket, "cli", line=words), end="")
