"""Reading VPP's start-up configuration: words and blocks in braces, as VPP's `unformat` takes them.

A keyword is matched by what the text begins with, not by whole words: VPP reads `per-node-counters onupdate-interval 1`
as two settings, and its own test framework writes that. A block's text runs to its closing brace, whatever is in it;
a backslash takes the meaning from the character behind it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_SPACE = " \t\r\n"
_NUMBER = re.compile(r"\d{1,18}")
_FLOAT = re.compile(r"\d{1,18}(?:\.\d*)?(?:[eE][-+]?\d{1,3})?|\.\d+")
_SIZE = re.compile(r"(\d{1,18})([kKmMgG]?)")
_SHIFT = {"": 0, "k": 10, "m": 20, "g": 30}
_SHOWN = 40


class StartupError(Exception):
    """A start-up configuration that can't be used; the text says where (file and line, if any) and what."""


@dataclass(frozen=True)
class Source:
    """The whole text and where it came from; ``file`` is None for the words of a command line."""

    text: str
    file: str | None = None

    def error(self, at: int, reason: str) -> StartupError:
        """An error at an offset of the text."""
        where = f"{self.file}:{self.text.count(chr(10), 0, at) + 1}: " if self.file else ""
        return StartupError(where + reason)


class Cursor:
    """A place in a part of a source: ``name`` (the section) is put in front of errors."""

    def __init__(self, source: Source, at: int, end: int, name: str = "") -> None:
        self.source, self.at, self.end, self.name = source, at, end, name

    def skip_space(self) -> None:
        """Go to the next character that is no white space."""
        text = self.source.text
        while self.at < self.end and text[self.at] in _SPACE:
            self.at += 1

    def more(self) -> bool:
        """Is there anything left but white space?"""
        self.skip_space()
        return self.at < self.end

    def error(self, reason: str, at: int | None = None) -> StartupError:
        """An error here, named after the section."""
        return self.source.error(self.at if at is None else at, f"{self.name}: {reason}" if self.name else reason)

    def unknown(self) -> StartupError:
        """VPP's words for what it does not understand, with the text from here on."""
        self.skip_space()
        rest = " ".join(self.source.text[self.at : self.end].split())
        shown = rest if len(rest) <= _SHOWN else rest[:_SHOWN] + "..."
        return self.error(f"unknown input `{shown}'")

    def take(self, keyword: str) -> bool:
        """Step over ``keyword`` if the text begins with it; a space in it stands for any white space."""
        self.skip_space()
        found = re.compile(r"\s*".join(map(re.escape, keyword.split()))).match(self.source.text, self.at, self.end)
        if found is None:
            return False
        self.at = found.end()
        return True

    def word(self) -> str | None:
        """The next word, or the text of the next block; None at the end.

        Raises:
            StartupError: a brace that is never closed, or that closes nothing.
        """
        part = self.part()
        if part is None:
            return None
        return re.sub(r"\\(.?)", r"\1", self.source.text[part.at : part.end], flags=re.DOTALL)

    def need(self, keyword: str) -> str:
        """The word behind a keyword. Raises StartupError when there is none."""
        word = self.word()
        if not word:
            raise self.error(f"expected a value behind {keyword}")
        return word

    def _take_re(self, pattern: re.Pattern[str], keyword: str, wanted: str) -> re.Match[str]:
        self.skip_space()
        found = pattern.match(self.source.text, self.at, self.end)
        if found is None:
            raise self.error(f"expected {wanted} behind {keyword}")
        self.at = found.end()
        return found

    def number(self, keyword: str) -> int:
        """The unsigned number behind a keyword."""
        return int(self._take_re(_NUMBER, keyword, "a number")[0])

    def real(self, keyword: str) -> float:
        """The number, perhaps with a fraction, behind a keyword."""
        return float(self._take_re(_FLOAT, keyword, "a number")[0])

    def size(self, keyword: str) -> int:
        """The size (`64M`, `1g`, `4096`) behind a keyword, in bytes."""
        found = self._take_re(_SIZE, keyword, "a size such as 64M")
        return int(found[1]) << _SHIFT[found[2].lower()]

    def part(self, name: str = "") -> Cursor | None:
        """A cursor over the next word, or over the text between the braces of the next block; None at the end."""
        self.skip_space()
        text, start = self.source.text, self.at
        if start >= self.end:
            return None
        block = text[start] == "{"
        depth, at = 0, start
        while at < self.end:
            c = text[at]
            if c == "\\":
                at += 1
            elif c == "{":
                depth += 1
            elif c == "}":
                depth -= 1
                if depth < 0:
                    raise self.error("a } without its {", at)
                if block and depth == 0:
                    self.at = at + 1
                    return Cursor(self.source, start + 1, at, name or self.name)
            elif c in _SPACE and not block:
                break
            at += 1
        if depth > 0:
            raise self.error("a { without its }", start)
        self.at = min(at, self.end)
        return Cursor(self.source, start, self.at, name or self.name)

    def block(self, keyword: str) -> Cursor:
        """The block behind a keyword. Raises StartupError when there is none."""
        self.skip_space()
        if self.at >= self.end or self.source.text[self.at] != "{":
            raise self.error(f"expected {{ ... }} behind {keyword}")
        part = self.part()
        assert part is not None
        return part
