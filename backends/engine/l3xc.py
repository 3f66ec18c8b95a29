"""L3 cross-connects: all that an interface receives is sent by the same paths, whatever its destination. IPv4 only."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from vectorplane.backends.engine.interface import DELETED
from vectorplane.backends.engine.path_load_balance import PathLoadBalance
from vectorplane.backends.engine.route_paths import Path
from vectorplane.graph_nodes.l3xc import NAME, L3xcTable

if TYPE_CHECKING:
    from vectorplane.backends.engine.engine import Engine

ARC = "ip4-unicast"


class L3CrossConnects:
    """The L3 cross-connects of an engine, by receiving interface."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._paths: dict[int, tuple[Path, ...]] = {}
        self._ways: dict[int, PathLoadBalance] = {}
        engine.interfaces.on_change.append(self._interface_changed)

    def update(self, sw_if_index: int, paths: Iterable[Path]) -> None:
        """Cross-connect an interface, or give its cross-connect other paths.

        Raises:
            KeyError: no such interface, or a path leads to none.
            ValueError: no paths.
        """
        engine = self._engine
        engine.interfaces[sw_if_index]
        named = engine.routes.named(tuple(paths))
        if not named:
            raise ValueError("a cross-connect needs a path")
        before = self._ways.get(sw_if_index)
        way = self._ways[sw_if_index] = PathLoadBalance(engine, named)
        self._paths[sw_if_index] = named
        engine.plane.shared(L3xcTable).load_balances[sw_if_index] = way.index
        if before is None:
            engine.plane.arcs[ARC].enable(sw_if_index, NAME)
        else:
            before.close()

    def remove(self, sw_if_index: int) -> None:
        """Route what the interface receives again. Raises `KeyError`: it has no cross-connect."""
        if sw_if_index not in self._paths:
            raise KeyError(f"interface {sw_if_index} has no L3 cross-connect")
        self._engine.plane.arcs[ARC].enable(sw_if_index, NAME, False)
        self._ways.pop(sw_if_index).close()
        del self._paths[sw_if_index]

    def way(self, sw_if_index: int) -> PathLoadBalance:
        """What an interface's packets are sent by. Raises `KeyError`."""
        return self._ways[sw_if_index]

    def dump(self) -> list[tuple[int, tuple[Path, ...]]]:
        """(receiving interface, paths) of all, by interface."""
        return sorted(self._paths.items())

    def _interface_changed(self, sw_if_index: int, what: str) -> None:
        if what == DELETED and sw_if_index in self._paths:
            self.remove(sw_if_index)
