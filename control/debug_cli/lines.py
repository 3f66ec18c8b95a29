"""Text cut into command lines: one a line, except that braces keep what is within them together."""

from __future__ import annotations

from collections.abc import Iterator

MOST = 1 << 20
"""Longest input, in characters."""


def command_lines(text: str) -> Iterator[str]:
    """The lines that are not empty. One that begins with ``#`` or the word ``comment`` is none."""
    line: list[str] = []
    depth = 0
    for raw in text.split("\n"):
        if not line and raw.lstrip().startswith("#"):
            continue
        line.append(raw)
        depth = max(0, depth + raw.count("{") - raw.count("}"))
        if depth == 0:
            yield from _whole(line)
            line = []
    yield from _whole(line)


def _whole(line: list[str]) -> Iterator[str]:
    text = "\n".join(line).strip()
    if text and text.split(None, 1)[0] != "comment":
        yield text


def script_lines(text: str) -> Iterator[str]:
    """The command lines of a file: from ``#`` to the end of a line is a comment, a backslash joins the next line."""
    joined = text.replace("\\\n", " ")
    return command_lines("\n".join(raw.partition("#")[0] for raw in joined.split("\n")))
