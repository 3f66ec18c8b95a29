"""The engine as a backend of the control plane."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

from vectorplane.backends.base import BackendError, Operation
from vectorplane.backends.engine.devices import DeviceMaker
from vectorplane.backends.engine.interfaces import DELETED, mac_text
from vectorplane.backends.engine.kinds import KINDS
from vectorplane.backends.engine.kinds.kind import Kind, Told
from vectorplane.backends.engine.neighbour_store import Neighbour, NeighbourLimit, StaticNeighbour
from vectorplane.backends.engine.report import report
from vectorplane.backends.items import Interface, Item
from vectorplane.pcap.errors import CaptureError

if TYPE_CHECKING:
    from vectorplane.backends.engine.device import Device
    from vectorplane.backends.engine.engine import Engine


class EngineBackend:
    """``make_device`` makes the device of an interface (default: a `DeviceMaker`); ``cli`` runs debug CLI lines.

    Whoever gives it the engine closes the engine.
    """

    name = "sim"

    def __init__(
        self,
        engine: Engine,
        make_device: Callable[[Interface], Device] | None = None,
        cli: Callable[[str], str] | None = None,
    ) -> None:
        self.engine = engine
        self.on_reconnect: Callable[[], None] | None = None
        """Never called: an engine is never away."""
        self.on_event: Callable[[str, dict[str, Any]], None] | None = None
        """Called in the packet thread, or within an operation."""
        self._cli = cli
        self._told = Told(engine, make_device or DeviceMaker())
        self._kinds: dict[type[Item], Kind[Any]] = {kind.item: kind(self._told) for kind in KINDS}
        engine.interfaces.on_change.append(self._interface)
        engine.neighbours.on_change.append(self._neighbour)
        engine.neighbours6.on_change.append(self._neighbour)

    def kinds(self) -> tuple[type[Item], ...]:
        """All kinds that there are."""
        return tuple(self._kinds)

    def batch(self) -> AbstractContextManager[None]:
        """The workers stand between two vectors meanwhile."""
        return self.engine.paused()

    def create(self, item: Item) -> None:
        """Bring an item."""
        with self._named("create", item), self.engine.paused():
            self._kind(item).create(item)

    def update(self, old: Item, new: Item) -> None:
        """Change an item in place."""
        with self._named("update", new), self.engine.paused():
            self._kind(new).update(old, new)

    def delete(self, item: Item) -> None:
        """Remove an item."""
        with self._named("delete", item), self.engine.paused():
            self._kind(item).delete(item)

    def apply(self, operations: Sequence[Operation]) -> list[BackendError | None]:
        """Many operations, in order, with the engine stopped once."""
        results: list[BackendError | None] = []
        with self.engine.paused():
            for operation in operations:
                try:
                    if operation.verb == "create":
                        self.create(operation.item)
                    elif operation.verb == "delete":
                        self.delete(operation.item)
                    else:
                        assert operation.old is not None
                        self.update(operation.old, operation.item)
                    results.append(None)
                except BackendError as error:
                    results.append(error)
        return results

    def canonical(self, item: Item) -> Item:
        """The item as `dump` gives it."""
        made: Item = self._kind(item).canonical(item)
        return made

    def fault(self, item: Item) -> str:
        """What an interface's device misses; no other thread changes the interfaces that there are."""
        index = self.engine.plane.interfaces.by_name.get(item.name) if isinstance(item, Interface) else None
        return "" if index is None else self.engine.interfaces[index].device.fault or ""

    def dump(self, kind: type[Item]) -> Iterable[Item]:
        """What the engine holds of a kind."""
        with self.engine.paused():
            return list(self._kinds[kind].dump()) if kind in self._kinds else []

    def counters(self) -> dict[str, Any]:
        """Of interfaces, errors and nodes."""
        with self.engine.paused():
            made = report(self.engine.plane)
        return {"interfaces": made.interfaces, "errors": {**made.drops, **made.consumed}, "nodes": made.nodes}

    def cli(self, line: str) -> str:
        """One line of the debug CLI."""
        if self._cli is None:
            raise BackendError("this engine has no debug CLI")
        return self._cli(line)

    def close(self) -> None:
        """Let go of the engine."""
        self.engine.interfaces.on_change.remove(self._interface)
        self.engine.neighbours.on_change.remove(self._neighbour)
        self.engine.neighbours6.on_change.remove(self._neighbour)

    # --- inner works

    def _kind(self, item: Item) -> Kind[Any]:
        if type(item) not in self._kinds:
            raise BackendError(f"the engine can't hold a {item.kind}")
        return self._kinds[type(item)]

    @contextmanager
    def _named(self, verb: str, item: Item) -> Iterator[None]:
        """Turn what the engine raises into a `BackendError` that names the item."""
        try:
            yield
        except BackendError as error:
            raise type(error)(f"{verb} {item.key}: {error}", code=error.code, retry=error.retry) from error
        except (NeighbourLimit, StaticNeighbour, CaptureError, *_REFUSALS) as error:
            text = error.args[0] if isinstance(error, KeyError) and error.args else error
            raise BackendError(f"{verb} {item.key}: {text}") from error

    def _interface(self, sw_if_index: int, what: str) -> None:
        interfaces = self.engine.interfaces
        name = interfaces[sw_if_index].name
        if what == DELETED:
            self._told.forget(name)
        if self.on_event is not None:
            fields = {
                "name": name,
                "up": interfaces.is_up(sw_if_index),
                "link": interfaces.link_is_up(sw_if_index),
                "deleted": what == DELETED,
            }
            self.on_event("interface", fields)

    def _neighbour(self, neighbour: Neighbour, added: bool) -> None:
        if self.on_event is not None:
            fields = {
                "interface": self.engine.interfaces.by_index[neighbour.sw_if_index].name,
                "address": str(ip_address(neighbour.address.to_bytes(16 if neighbour.version == 6 else 4, "big"))),
                "mac": mac_text(neighbour.mac),
                "removed": not added,
            }
            self.on_event("neighbour", fields)


_REFUSALS = (ValueError, KeyError, OverflowError, OSError, MemoryError)
"""What the engine's methods raise when they refuse something."""
