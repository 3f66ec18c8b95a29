"""Who reaches whom: all against all, as data, as text and as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

REACHED, REFUSED, BLOCKED, ITSELF = "reached", "refused", "blocked", "itself"
MARKS = {REACHED: "✓", REFUSED: "r", BLOCKED: "✗", ITSELF: "·"}
"""REFUSED: the packet arrived, and the answer was that nobody listens at the port."""
_COLOURS = {REACHED: "#2e9e5b", REFUSED: "#d9a400", BLOCKED: "#c9372c", ITSELF: "#e4e4e4"}
_CELL, _FONT = 22, 12
_CHARACTER = 7
"""Width of a character of the font, about."""


@dataclass(frozen=True)
class Matrix:
    """``cells[i][j]``: what became of a try from ``names[i]`` to ``names[j]``."""

    title: str
    names: tuple[str, ...]
    cells: tuple[tuple[str, ...], ...]

    def json(self) -> dict[str, object]:
        """As data."""
        return {"title": self.title, "names": list(self.names), "cells": [list(row) for row in self.cells]}

    def text(self) -> str:
        """A table for a terminal: a row for each sender, a column for each receiver, named by the row's number."""
        width = max((len(name) for name in self.names), default=0)
        digits = len(str(len(self.names)))
        head = " " * (digits + 1 + width) + "".join(f" {i:>{digits}}" for i in range(1, len(self.names) + 1))
        rows = [
            f"{i:>{digits}} {name:<{width}}" + "".join(f" {MARKS[cell]:>{digits}}" for cell in row)
            for i, (name, row) in enumerate(zip(self.names, self.cells, strict=True), 1)
        ]
        legend = "✓ reached   ✗ blocked   r refused by the receiver: nobody listens   · itself"
        return "\n".join([self.title, head, *rows, legend])

    def svg(self) -> str:
        """A picture: senders from top to bottom, receivers from left to right."""
        left = 12 + _CHARACTER * max((len(name) for name in self.names), default=0)
        top = left + 24
        width, height = left + _CELL * len(self.names) + 12, top + _CELL * len(self.names) + 34
        parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
            f'font-family="monospace" font-size="{_FONT}">',
            f'<rect width="{width}" height="{height}" fill="white"/>',
            f'<text x="8" y="18" font-weight="bold">{escape(self.title)}</text>',
        ]
        for i, name in enumerate(self.names):
            at = top + _CELL * i + 15
            parts.append(f'<text x="{left - 6}" y="{at}" text-anchor="end">{escape(name)}</text>')
            x = left + _CELL * i + 15
            parts.append(f'<text transform="translate({x},{top - 6}) rotate(-90)">{escape(name)}</text>')
        for i, row in enumerate(self.cells):
            parts += [self._cell(left, top, i, j, cell) for j, cell in enumerate(row)]
        parts.append(_legend(left, height - 12))
        return "\n".join([*parts, "</svg>\n"])

    def _cell(self, left: int, top: int, i: int, j: int, cell: str) -> str:
        tip = escape(f"{self.names[i]} to {self.names[j]}: {cell}")
        return (
            f'<rect x="{left + _CELL * j}" y="{top + _CELL * i}" width="{_CELL - 2}" height="{_CELL - 2}" rx="3" '
            f'fill="{_COLOURS[cell]}"><title>{tip}</title></rect>'
        )


def _legend(left: int, y: int) -> str:
    shown: Sequence[str] = (REACHED, BLOCKED, REFUSED)
    return "".join(
        f'<rect x="{left + 90 * k}" y="{y - 11}" width="12" height="12" rx="3" fill="{_COLOURS[cell]}"/>'
        f'<text x="{left + 90 * k + 17}" y="{y}">{cell}</text>'
        for k, cell in enumerate(shown)
    )
