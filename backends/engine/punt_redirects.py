"""Punt redirects: packets that would go to the host, received on an interface or on any, are sent by paths instead."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from vectorplane.backends.engine.path_load_balance import PathLoadBalance
from vectorplane.backends.engine.route_paths import Path
from vectorplane.graph_nodes.ip4_punt import ARC, NAME, PuntTable

if TYPE_CHECKING:
    from vectorplane.backends.engine.engine import Engine

ALL = 0
"""The receiving interface that stands for all without a redirect of their own (local0, as in VPP)."""


class PuntRedirects:
    """The IPv4 redirects of an engine, by receiving interface."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._table = engine.plane.shared(PuntTable)
        self._paths: dict[int, tuple[Path, ...]] = {}
        self._ways: dict[int, PathLoadBalance] = {}

    def set(self, sw_if_index: int, paths: Iterable[Path]) -> None:
        """Redirect what is received on an interface (or `ALL`) to these paths; none: it is dropped.

        Raises:
            KeyError: no such interface, or a path leads to none.
        """
        engine = self._engine
        engine.interfaces[sw_if_index]
        given = tuple(paths)
        named = engine.routes.named(given or (Path(kind="drop"),))
        first = not self._paths
        self._end(sw_if_index)
        self._paths[sw_if_index] = named if given else ()
        way = self._ways[sw_if_index] = PathLoadBalance(engine, named)
        self._table.load_balances[sw_if_index] = way.index
        if first:
            engine.plane.arcs[ARC].enable(0, NAME)

    def remove(self, sw_if_index: int) -> None:
        """End a redirect; unknown ones are passed over, as in VPP."""
        if sw_if_index not in self._paths:
            return
        self._table.load_balances[sw_if_index] = 0
        self._end(sw_if_index)
        del self._paths[sw_if_index]
        if not self._paths:
            self._engine.plane.arcs[ARC].enable(0, NAME, False)

    def get(self, sw_if_index: int) -> tuple[Path, ...] | None:
        """The paths of an interface's redirect; None: it has none."""
        return self._paths.get(sw_if_index)

    def dump(self) -> list[tuple[int, tuple[Path, ...]]]:
        """(receiving interface, paths) of all, by interface."""
        return sorted(self._paths.items())

    def _end(self, sw_if_index: int) -> None:
        way = self._ways.pop(sw_if_index, None)
        if way is not None:
            way.close()
