"""The one protocol between the control plane and whatever moves the packets: our engine, or a VPP."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from typing import Any, Protocol

from vectorplane.backends.items import Item


class BackendError(Exception):
    """The backend refused an operation. ``retry``: it may work later without a change of ours (it is busy, or away)."""

    def __init__(self, text: str, *, code: int = 0, retry: bool = False) -> None:
        super().__init__(text)
        self.code, self.retry = code, retry


class Disconnected(BackendError):
    """The backend is away; everything must be brought to it again when it is back."""

    def __init__(self, text: str) -> None:
        super().__init__(text, retry=True)


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
            NotImplementedError: this kind cannot change in place: it must be deleted and created.
        """
        ...

    def delete(self, item: Item) -> None:
        """Remove an item; raises as `create`."""
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
