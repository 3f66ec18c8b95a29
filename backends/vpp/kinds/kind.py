"""What every kind does."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from vectorplane.backends.base import BackendError, CannotUpdate
from vectorplane.backends.items import Item

if TYPE_CHECKING:
    from vectorplane.backends.vpp.link import Link

T = TypeVar("T")
Message = tuple[str, "Mapping[str, Any] | bytes"]
"""Name, and fields or all of it."""
Steps = Generator[Message, Any, None]
"""The messages of an operation, one after the other; each reply is what its ``yield`` gives."""


class Kind(Generic[T]):
    """One kind of item over a connection. What it does is generators of messages, so that many can be under way."""

    item: ClassVar[type[Item]]
    title: ClassVar[str]
    """What it is, for people (plural)."""
    messages: ClassVar[tuple[tuple[str, ...], ...]] = ()
    """What it needs: one of each group."""
    optional: ClassVar[tuple[tuple[str, tuple[tuple[str, ...], ...]], ...]] = ()
    """What else it can do when VPP has the messages for it: what that is, and what it needs as in ``messages``."""
    single: ClassVar[bool] = True
    """Each operation is one message, so that nobody needs to wait for its reply."""

    def __init__(self, link: Link) -> None:
        self.link = link

    def create(self, item: T) -> Steps:
        """Bring it."""
        raise NotImplementedError

    def update(self, old: T, new: T) -> Steps:
        """Change it in place; without an own method a kind has to be deleted and created."""
        raise CannotUpdate(f"{self.title}: nothing can be changed in place")

    def delete(self, item: T) -> Steps:
        """Remove it."""
        raise NotImplementedError

    def dump(self) -> Iterable[T]:
        """What is there."""
        raise NotImplementedError

    def canonical(self, item: T) -> T:
        """The item as `dump` gives it."""
        return item

    def index(self, name: str) -> int:
        """VPP's number of an interface. Raises `BackendError` when there is none."""
        return self.link.interfaces[name].index

    def usable(self) -> None:
        """Raises `BackendError`: this VPP can't do it."""
        self.require(self.title, self.messages)

    def require(self, title: str, messages: tuple[tuple[str, ...], ...]) -> None:
        """Raises `BackendError`: this VPP can't do that, for lack of one of each group of messages."""
        wrong = self.link.compatibility.unusable
        for group in messages:
            if all(name in wrong for name in group):
                raise BackendError(f"this VPP can't do {title}: {'; '.join(wrong[name] for name in group)}")
