"""Rules of ACLs and MACIP lists as they are typed: words in any order, a comma before each further rule."""

from __future__ import annotations

import re
from typing import Any, Generic, TypeVar

from vectorplane.backends.engine.acl.macip_rule import MacipRule
from vectorplane.backends.engine.acl.rule import AclRule
from vectorplane.backends.items_acl import MOST_TAG
from vectorplane.control.debug_cli.errors import CliError
from vectorplane.control.debug_cli.words import Words

Rule = TypeVar("Rule", AclRule, MacipRule)
TAG = "cli"
"""The tag of a list that was given none."""
_PORTS = re.compile(r"([0-9]{1,5})(?:-([0-9]{1,5}))?")
_COMMA = re.compile(r"(\btag\s+\S+)|,")


def spread(words: Words) -> Words:
    """The rest of a line with each comma as a word of its own; a tag keeps its own, as in VPP."""
    return Words(_COMMA.sub(lambda found: found.group(1) or " , ", words.take_rest()))


class RuleList(Generic[Rule]):
    """Rules that are being typed; there is none before its first word."""

    def __init__(self, first: Rule) -> None:
        self._first: Rule = first
        self.rules: list[Rule] = []

    def another(self, words: Words) -> None:
        """A comma was read."""
        if not self.rules:
            raise words.unknown("no rule before the comma in front of")
        self.rules.append(self._first)

    def change(self, **fields: Any) -> None:
        """Of the last rule."""
        if not self.rules:
            self.rules.append(self._first)
        self.rules[-1] = self.rules[-1]._replace(**fields)

    def action(self, words: Words) -> bool:
        """Read ``permit``, ``deny`` or ``action N``, if that comes next."""
        if words.accept("permit"):
            self.change(action=1)
        elif words.accept("deny"):
            self.change(action=0)
        elif words.accept("action"):
            self.change(action=words.take_number("expecting an action, got", high=255))
        else:
            return False
        return True


def take_prefix(words: Words) -> tuple[bool, int, int]:
    """Is it IPv6, its address without bits beyond the length, the length."""
    found = words.maybe_prefix()
    if found is None:
        raise words.unknown("expecting a prefix, got")
    return found.version == 6, int(found.network.network_address), found.network.prefixlen


def take_range(words: Words) -> tuple[int, int]:
    """``X`` or ``X-Y``."""
    found = _PORTS.fullmatch(words.peek())
    low, high = (int(found[1]), int(found[2] or found[1])) if found else (0, 1 << 16)
    if max(low, high) >= 1 << 16:
        raise words.unknown("expecting a port or a range of ports, got")
    words.take()
    return low, high


def take_tag(words: Words) -> str:
    """A tag that fits."""
    tag = words.take_word("expecting a tag, got")
    if len(tag.encode()) > MOST_TAG:
        raise CliError(f"failed: a tag of {len(tag.encode())} bytes, {MOST_TAG} are possible")
    return tag
