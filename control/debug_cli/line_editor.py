"""A line typed at a terminal, character by character: echo, corrections, history. Bytes in, echo and lines out."""

from __future__ import annotations

from collections.abc import Callable

HISTORY = 50
LONGEST = 4096
_UP, _DOWN = (b"\x1b[A", b"\x1bOA", b"\x10"), (b"\x1b[B", b"\x1bOB", b"\x0e")
_BELL = b"\a"


class EndOfInput(Exception):
    """Ctrl-D on an empty line."""


class LineEditor:
    """One session's line. ``complete(line)`` gives the words that may stand at its end."""

    def __init__(self, prompt: str, complete: Callable[[str], list[str]]) -> None:
        self._prompt, self._complete = prompt.encode(), complete
        self._line, self._escape = "", b""
        self._history: list[str] = []
        self._at = 0
        self._after_cr = False

    def feed(self, data: bytes) -> tuple[bytes, list[str]]:
        """What is to be echoed, and the lines that were ended.

        Raises:
            EndOfInput: the session is to end.
        """
        echo, lines = bytearray(), []
        for byte in data:
            char = bytes([byte])
            if self._escape or byte == 0x1B:
                echo += self._in_escape(char)
            elif char in b"\r\n\0":
                if byte == 0 or (char == b"\n" and self._after_cr):
                    self._after_cr = False
                    continue
                echo += b"\r\n"
                lines.append(self._line)
                self._remember()
            else:
                echo += self._character(char)
            self._after_cr = char == b"\r"
        return bytes(echo), lines

    def _remember(self) -> None:
        if self._line.strip() and self._line not in self._history[-1:]:
            self._history = [*self._history[-HISTORY + 1 :], self._line]
        self._line, self._at = "", len(self._history)

    def _in_escape(self, char: bytes) -> bytes:
        self._escape += char
        if self._escape in _UP + _DOWN:
            escape, self._escape = self._escape, b""
            return self._move(-1 if escape in _UP else 1)
        size = len(self._escape)
        ended = size > 2 and (char.isalpha() or char == b"~")
        if ended or size > 8 or (size == 2 and char not in b"[O"):
            self._escape = b""
        return b""

    def _character(self, char: bytes) -> bytes:
        if char in (b"\x7f", b"\b"):
            if not self._line:
                return b""
            self._line = self._line[:-1]
            return b"\b \b"
        if char == b"\x04":
            if not self._line:
                raise EndOfInput
            return b""
        if char == b"\x03":
            self._line = ""
            return b"^C\r\n" + self._prompt
        if char == b"\x15":
            return self._replace("")
        if char in _UP + _DOWN:
            return self._move(-1 if char in _UP else 1)
        if char == b"\t":
            return self._tab()
        if char == b"?":
            return self._help()
        if not 0x20 <= char[0] < 0x7F or len(self._line) >= LONGEST:
            return b"" if char[0] >= 0x80 else _BELL
        self._line += char.decode()
        return char

    def _move(self, step: int) -> bytes:
        self._at = min(max(0, self._at + step), len(self._history))
        return self._replace(self._history[self._at] if self._at < len(self._history) else "")

    def _replace(self, line: str) -> bytes:
        gone = b"\b \b" * len(self._line)
        self._line = line
        return gone + line.encode()

    def _tab(self) -> bytes:
        words = self._complete(self._line)
        begun = "" if not self._line or self._line[-1].isspace() else self._line.split()[-1]
        if len(words) == 1:
            added = words[0][len(begun) :] + " "
            self._line += added
            return added.encode()
        return self._help() if words else _BELL

    def _help(self) -> bytes:
        words = "  ".join(self._complete(self._line)) or "no sub-commands"
        return b"\r\n" + words.encode() + b"\r\n" + self._prompt + self._line.encode()
