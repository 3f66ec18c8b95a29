"""What is wrong with a configuration, told as FILE:LINE: FIELD: reason."""

from __future__ import annotations

from dataclasses import dataclass

Path = tuple[str | int, ...]
"""Where a field is: keys and list positions from the top, as ``("routes", 2, "via")``."""


_NUMBERED = ("tables", "sub_interfaces", "bridge_domains")
"""Mappings whose keys are numbers."""


def field_text(path: Path) -> str:
    """A path as people write it: ``routes[2].via``."""
    text = ""
    for step in path:
        if isinstance(step, int) and text and not text.endswith(_NUMBERED):
            text += f"[{step}]"
        else:
            text += f".{step}" if text else str(step)
    return text


@dataclass(frozen=True)
class Problem:
    """One mistake: the file's line (from 1), the field, and what was expected there."""

    line: int
    path: Path
    reason: str


def problem_text(file: str, p: Problem) -> str:
    """``FILE:LINE: FIELD: reason`` (without what does not apply)."""
    where = f"{file}:{p.line}" if p.line else file
    return ": ".join(part for part in (where, field_text(p.path), p.reason) if part)


class ConfigError(Exception):
    """A configuration that can't be used. ``problems``: every mistake found, by line; one line of text each."""

    def __init__(self, file: str, problems: list[Problem]) -> None:
        self.file = file
        self.problems = sorted(problems, key=lambda p: p.line)
        super().__init__("\n".join(self.lines()))

    def lines(self) -> list[str]:
        """``FILE:LINE: FIELD: reason`` for each problem (without what does not apply)."""
        return [problem_text(self.file, p) for p in self.problems]
