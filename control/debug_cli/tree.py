"""The command tree: commands by the words of their path, each of which may be shortened while that is unambiguous.

As in VPP the longest path that fits wins and the rest of the line is the command's; where the next word belongs to no
longer path, the command so far gets it. A shortened word that fits several is an unknown one, unless it is one of them
in full.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vectorplane.control.debug_cli.errors import CliError
from vectorplane.control.debug_cli.words import Words

if TYPE_CHECKING:
    from vectorplane.control.debug_cli.cli import DebugCli

_NAME = re.compile(r"[A-Za-z0-9_-]*")


@dataclass(frozen=True)
class Command:
    """A command: path (`show interface`), a line of help, and what it does: takes the rest, gives what is printed."""

    path: str
    help: str
    run: Callable[[DebugCli, Words], str]


class Tree:
    """A node of the tree; the root has an empty path."""

    def __init__(self, path: str = "") -> None:
        self.path = path
        self.below: dict[str, Tree] = {}
        self.command: Command | None = None

    def add(self, commands: Iterable[Command]) -> None:
        """Put commands into the tree.

        Raises:
            ValueError: a path is there twice.
        """
        for command in commands:
            node = self
            for word in command.path.split():
                node = node.below.setdefault(word, Tree(f"{node.path} {word}".strip()))
            if node.command is not None:
                raise ValueError(f"debug CLI: two commands {command.path}")
            node.command = command

    def match(self, words: Words) -> Tree | None:
        """The one node below that the next word names; the word is read then."""
        words.skip()
        found = _NAME.match(words.text, words.at)
        word = found.group() if found else ""
        fits = [name for name in self.below if word and name.startswith(word)]
        if len(fits) > 1 and words.peek() == word:
            fits = [name for name in fits if name == word]
        if len(fits) != 1:
            return None
        words.at += len(word)
        return self.below[fits[0]]

    def commands(self) -> Iterator[Command]:
        """All commands from here on, by path."""
        if self.command is not None:
            yield self.command
        for name in sorted(self.below):
            yield from self.below[name].commands()

    def complete(self, line: str) -> list[str]:
        """The words that may stand where the line ends."""
        node, words = self, line.split()
        begun = words.pop() if words and not line[-1].isspace() else ""
        for word in words:
            child = node.match(Words(word))
            if child is None:
                return []
            node = child
        return sorted(name for name in node.below if name.startswith(begun))

    def children_help(self) -> str:
        """A line for each word that may come next."""
        rows = []
        for name in sorted(self.below):
            child = self.below[name]
            rows.append(f"  {name:<30} {child.command.help if child.command else f'{child.path} commands'}\n")
        return "".join(rows)

    def all_help(self) -> str:
        """A line for each command from here on."""
        return "".join(f"  {c.path:<40} {c.help}\n" for c in self.commands())

    def run(self, cli: DebugCli, words: Words) -> str:
        """Run the command that comes next in ``words`` and give what it prints.

        Raises:
            CliError: there is no such command, or it failed.
        """
        if words.accept("?"):
            return self.all_help()
        if self.below and words.accept("help"):
            return self._help(words)
        child = self.match(words)
        if child is None:
            if self.command is not None:
                return self._call(cli, words)
            raise CliError(_unknown(self.path, words))
        return child.run(cli, words)

    def _call(self, cli: DebugCli, words: Words) -> str:
        assert self.command is not None
        try:
            block = words.block()
            own = Words(block) if block is not None else words
            printed = self.command.run(cli, own)
            own.end()
            words.end()
        except CliError as error:
            raise CliError(f"{self.path}: {error.message}", error.printed, error.retval) from None
        except (KeyError, ValueError, OverflowError, OSError) as error:  # what the engine refuses, in its words
            message = error.args[0] if isinstance(error, KeyError) and error.args else error
            raise CliError(f"{self.path}: {message}") from error
        return printed

    def _help(self, words: Words) -> str:
        node, whole = self, words.done
        while not words.done:
            child = node.match(words)
            if child is None:
                raise CliError(_unknown(node.path, words))
            node = child
        if whole or node.command is None:
            return node.children_help()
        return f"{node.command.help}\n"


def _unknown(path: str, words: Words) -> str:
    return (f"{path}: " if path else "") + words.unknown().message
