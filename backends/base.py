"""The one protocol between the control plane and whatever moves the packets: our engine, or a VPP."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from vectorplane.backends.items import Item


class BackendError(Exception):
    """The backend refused an operation. ``retry``: it may work later without a change of ours (it is busy, or away)."""

    def __init__(self, text: str, *, code: int = 0, retry: bool = False) -> None:
        super().__init__(text)
        self.code, self.retry = code, retry


class CannotUpdate(BackendError):
    """This change needs the item to be deleted and created."""


class Disconnected(BackendError):
    """The backend is away; everything must be brought to it again when it is back."""

    def __init__(self, text: str) -> None:
        super().__init__(text, retry=True)


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing to do to a backend; ``old`` is what an update replaces."""

    verb: Literal["create", "update", "delete"]
    item: Item
    old: Item | None = None


class Backend(Protocol):
    """What every backend can do. All calls come from one thread, the control thread."""

    name: str
    """``sim`` or ``vpp:SOCKET``."""
    on_reconnect: Callable[[], None] | None
    """Called when a backend that was away is back, empty or not: resync at once."""
    on_event: Callable[[str, dict[str, Any]], None] | None
    """Called with what happened by itself: ("interface", {name, up, link}), ("neighbour", {...})."""

    def kinds(self) -> tuple[type[Item], ...]:
        """The kinds of items that it can hold."""
        ...

    def batch(self) -> AbstractContextManager[None]:
        """Around a number of operations: lets the backend stop packets, or pipeline, once for all of them."""
        ...

    def create(self, item: Item) -> None:
        """Bring an item that is not there.

        Raises:
            BackendError: it was refused; nothing of it is there.
        """
        ...

    def update(self, old: Item, new: Item) -> None:
        """Change an item in place (same key); raises as `create`, and the old one is still there then.

        Raises:
            CannotUpdate: this cannot change in place: it must be deleted and created.
        """
        ...

    def delete(self, item: Item) -> None:
        """Remove an item; raises as `create`."""
        ...

    def apply(self, operations: Sequence[Operation]) -> list[BackendError | None]:
        """Many operations, in this order; what became of each. One that fails does not stop those behind it.

        A backend behind a socket sends them without waiting for each answer: hand over as many at once as there are.
        An update that the kind cannot do in place is reported as a `CannotUpdate`.

        Raises:
            Disconnected: the backend went away; which of them were carried out is not known.
        """
        ...

    def canonical(self, item: Item) -> Item:
        """The item as `dump` gives it once it is there: what the backend cannot hold of it is left out.

        What should be is there when ``canonical(item)`` is in the dump.

        Raises:
            BackendError: the backend cannot hold such an item at all.
        """
        ...

    def fault(self, item: Item) -> str:
        """Why an item that is there does not work now, though nothing is wrong with it (the host took a device away).

        Empty: it works, as far as the backend can tell. Whoever took it may give it back: the backend waits for that.
        """
        ...

    def dump(self, kind: type[Item]) -> Iterable[Item]:
        """What is really there of a kind, whoever made it; what a backend always has (table 0, local0) is left out."""
        ...

    def counters(self) -> dict[str, Any]:
        """Interfaces (rx, tx, drops ... by name), errors (``node: text``), nodes (calls, vectors, clocks)."""
        ...

    def cli(self, line: str) -> str:
        """One line of the debug CLI.

        Raises:
            BackendError: the line failed.
        """
        ...

    def close(self) -> None:
        """Let go of it."""
        ...
