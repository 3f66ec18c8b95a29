"""A backend that only remembers, can be made to refuse keys, and can go away."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from vectorplane.backends.base import BackendError, Disconnected, Operation
from vectorplane.backends.items import Interface, InterfaceUp, Item, Route
from vectorplane.control.config_error import ConfigError, Problem
from vectorplane.control.scheduler import Change, Origin


class MemoryBackend:
    """Holds interfaces, whether they are up, and routes."""

    name = "memory"

    def __init__(self) -> None:
        self.held: dict[str, Item] = {}
        self.refused: set[str] = set()
        self.faults: dict[str, str] = {}
        self.away = False
        self.on_reconnect: Callable[[], None] | None = None
        self.on_event: Callable[[str, dict[str, Any]], None] | None = None
        self.lines: list[str] = []

    def kinds(self) -> tuple[type[Item], ...]:
        return (Interface, InterfaceUp, Route)

    def batch(self) -> AbstractContextManager[None]:
        return nullcontext()

    def _check(self, item: Item) -> None:
        if self.away:
            raise Disconnected("gone")
        if item.key in self.refused:
            raise BackendError(f"{item.key} is refused")

    def create(self, item: Item) -> None:
        self._check(item)
        self.held[item.key] = item

    def update(self, old: Item, new: Item) -> None:
        self.create(new)

    def delete(self, item: Item) -> None:
        self._check(item)
        del self.held[item.key]

    def apply(self, operations: Sequence[Operation]) -> list[BackendError | None]:
        results: list[BackendError | None] = []
        for operation in operations:
            try:
                (self.delete if operation.verb == "delete" else self.create)(operation.item)
                results.append(None)
            except Disconnected:
                raise
            except BackendError as error:
                results.append(error)
        return results

    def canonical(self, item: Item) -> Item:
        return item

    def fault(self, item: Item) -> str:
        return self.faults.get(item.key, "")

    def dump(self, kind: type[Item]) -> Iterable[Item]:
        if self.away:
            raise Disconnected("gone")
        return [item for item in self.held.values() if type(item) is kind]

    def counters(self) -> dict[str, Any]:
        return {"interfaces": [], "errors": {}, "nodes": []}

    def cli(self, line: str) -> str:
        self.lines.append(line)
        if line == "bad":
            raise BackendError("unknown input `bad'")
        return f"did {line}\n"

    def close(self) -> None:
        pass


def read(text: bytes, file: str) -> Change:
    """A configuration for tests: the name of an interface a line; one that begins with ! is a mistake."""
    change = Change("config", whole=True)
    for number, name in enumerate(text.decode().split("\n"), 1):
        if name.startswith("!"):
            raise ConfigError(file, [Problem(number, ("interfaces", name), "is a mistake")])
        if name:
            change.put(Interface(name, "loopback"), Origin(file, number, ("interfaces", name)))
            change.put(InterfaceUp(name), Origin(file, number, ("interfaces", name, "up")))
    return change
