"""The rest of a command line, taken word by word. What does not fit is named, in VPP's words.

`take_...` want a certain kind of word and raise; `maybe_...` give None and leave the line alone when the next word is
of another kind, which suits commands whose parts may come in any order.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv4Interface, IPv6Address, IPv6Interface, ip_address

from vectorplane.control.debug_cli.errors import CliError

Address = IPv4Address | IPv6Address
Prefix = IPv4Interface | IPv6Interface
"""An address with a length; bits beyond the length are kept."""

_SHOWN = 30
"""A complaint quotes so much of the rest of the line."""
_NUMBER = re.compile(r"[0-9]{1,20}")
_MAC = re.compile(r"([0-9a-fA-F]{1,2}:){5}[0-9a-fA-F]{1,2}|([0-9a-fA-F]{4}\.){2}[0-9a-fA-F]{4}")


class Words:
    """A line, and how far it has been read."""

    def __init__(self, text: str, at: int = 0) -> None:
        self.text, self.at = text, at

    def skip(self) -> None:
        """Go to the next word."""
        while self.at < len(self.text) and self.text[self.at].isspace():
            self.at += 1

    @property
    def done(self) -> bool:
        """Is there no further word?"""
        self.skip()
        return self.at >= len(self.text)

    @property
    def rest(self) -> str:
        """All that was not read."""
        return self.text[self.at :]

    def peek(self) -> str:
        """The next word; empty at the end."""
        self.skip()
        parts = self.rest.split(None, 1)
        return parts[0] if parts else ""

    def take(self) -> str:
        """Read the next word; empty at the end."""
        word = self.peek()
        self.at += len(word)
        return word

    def accept(self, *phrases: str) -> bool:
        """Read the next words if they are one of these (`"lookup in table"`)."""
        self.skip()
        for phrase in phrases:
            at = self.at
            for wanted in phrase.split():
                if self.take() != wanted:
                    break
            else:
                return True
            self.at = at
        return False

    def unknown(self, complaint: str = "unknown input") -> CliError:
        """The error that quotes what comes next: ``unknown input `foo'``."""
        self.skip()
        rest = self.rest
        shown = rest[:_SHOWN] if len(rest) > _SHOWN else rest.rstrip()
        for char, escape in (("\r", "\\r"), ("\n", "\\n"), ("\t", "\\t")):
            shown = shown.replace(char, escape)
        return CliError(f"{complaint} `{shown}{'...' if len(rest) > _SHOWN else ''}'")

    def end(self) -> None:
        """Nothing may be left."""
        if not self.done:
            raise self.unknown()

    def take_word(self, complaint: str) -> str:
        """A word of any kind."""
        if self.done:
            raise self.unknown(complaint)
        return self.take()

    def take_rest(self) -> str:
        """All the rest, without spaces around it."""
        text = self.rest.strip()
        self.at = len(self.text)
        return text

    def maybe_number(self, low: int = 0, high: int = (1 << 32) - 1) -> int | None:
        """A decimal number within these bounds."""
        word = self.peek()
        if not _NUMBER.fullmatch(word) or not low <= int(word) <= high:
            return None
        self.take()
        return int(word)

    def take_number(self, complaint: str, low: int = 0, high: int = (1 << 32) - 1) -> int:
        """A decimal number within these bounds."""
        value = self.maybe_number(low, high)
        if value is None:
            raise self.unknown(complaint)
        return value

    def take_real(self, complaint: str) -> float:
        """A number that may have a fraction or an exponent (at most 1e15)."""
        word = self.peek()
        if not re.fullmatch(r"-?[0-9]{1,15}(\.[0-9]{0,15})?([eE]\+?[0-9]{1,2})?", word) or abs(float(word)) > 1e15:
            raise self.unknown(complaint)
        self.take()
        return float(word)

    def maybe_address(self) -> Address | None:
        """An IPv4 or IPv6 address."""
        try:
            address = ip_address(self.peek())
        except ValueError:
            return None
        self.take()
        return address

    def maybe_prefix(self) -> Prefix | None:
        """An address with ``/LENGTH``."""
        address, slash, length = self.peek().partition("/")
        if not slash or not _NUMBER.fullmatch(length):
            return None
        try:
            made = ip_address(address)
            prefix = (IPv4Interface if made.version == 4 else IPv6Interface)((str(made), int(length)))
        except ValueError:
            return None
        self.take()
        return prefix

    def maybe_mac(self) -> bytes | None:
        """``02:fe:00:00:00:01`` or ``02fe.0000.0001``."""
        word = self.peek()
        if not _MAC.fullmatch(word):
            return None
        self.take()
        if ":" in word:
            return bytes(int(part, 16) for part in word.split(":"))
        return bytes.fromhex(word.replace(".", ""))

    def take_mac(self, complaint: str = "expected mac address") -> bytes:
        """A MAC address."""
        mac = self.maybe_mac()
        if mac is None:
            raise self.unknown(complaint)
        return mac

    def block(self) -> str | None:
        """What is within ``{ ... }``, if that comes next; braces may be nested.

        Raises:
            CliError: a brace is not closed.
        """
        self.skip()
        if not self.rest.startswith("{"):
            return None
        depth = 0
        for at in range(self.at, len(self.text)):
            depth += {"{": 1, "}": -1}.get(self.text[at], 0)
            if depth == 0:
                inner, self.at = self.text[self.at + 1 : at], at + 1
                return inner
        raise self.unknown("unbalanced braces in")
