"""What every kind does."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar

from vectorplane.backends.base import BackendError, CannotUpdate
from vectorplane.backends.engine.device import Device
from vectorplane.backends.items import Interface, Item

if TYPE_CHECKING:
    from vectorplane.backends.engine.engine import Engine
    from vectorplane.backends.engine.interfaces import Interface as EngineInterface

T = TypeVar("T")


class Told:
    """What the kinds share: the engine, how devices are made, and what an engine does not remember."""

    def __init__(self, engine: Engine, make_device: Callable[[Interface], Device]) -> None:
        self.engine, self.make_device = engine, make_device
        self.interfaces: dict[str, tuple[int, Interface]] = {}
        """By name: the sw_if_index and the item of each interface that was made from one."""
        self.keys: set[str] = set()
        """Keys of items that were told even though they are what the engine would do anyway."""

    def forget(self, name: str) -> None:
        """An interface is gone, whoever removed it."""
        self.interfaces.pop(name, None)
        self.keys = {key for key in self.keys if not key.startswith(f"interface/{name}/")}


class Kind(Generic[T]):
    """One kind of item of an engine."""

    item: ClassVar[type[Item]]

    def __init__(self, told: Told) -> None:
        self.told = told
        self.engine = told.engine

    def create(self, item: T) -> None:
        """Bring it."""
        raise NotImplementedError

    def update(self, old: T, new: T) -> None:
        """Change it in place; without an own method a kind has to be deleted and created."""
        raise CannotUpdate("it cannot be changed in place")

    def delete(self, item: T) -> None:
        """Remove it."""
        raise NotImplementedError

    def dump(self) -> Iterable[T]:
        """What is there."""
        raise NotImplementedError

    def canonical(self, item: T) -> T:
        """The item as `dump` gives it."""
        return item

    def index(self, name: str) -> int:
        """The engine's number of an interface. Raises `BackendError` when there is none."""
        try:
            return self.engine.interfaces[name].sw_if_index
        except KeyError:
            raise BackendError(f"there is no interface {name}") from None

    def name(self, sw_if_index: int) -> str:
        """Name of an interface; "": it has none that items may use."""
        interface = self.engine.interfaces.by_index.get(sw_if_index)
        return "" if interface is None or interface.name == "local0" else interface.name

    def each(self) -> Iterator[EngineInterface]:
        """All interfaces but local0, by number."""
        for _, interface in sorted(self.engine.interfaces.by_index.items()):
            if interface.name != "local0":
                yield interface
