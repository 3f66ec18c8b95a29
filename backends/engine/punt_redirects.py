"""Punt redirects: packets that would go to the host, received on an interface or on any, are sent by paths instead."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from vectorplane.backends.engine.path_sets import PathSet
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
        self._sets: dict[int, PathSet] = {}

    def set(self, sw_if_index: int, paths: Iterable[Path]) -> None:
        """Redirect what is received on an interface (or `ALL`) to these paths; none: it is dropped.

        Raises:
            KeyError: no such interface, or a path leads to none.
        """
        engine, control = self._engine, self._engine.routes.control
        engine.interfaces[sw_if_index]
        given = tuple(paths)
        named = engine.routes.named(given or (Path(kind="drop"),))
        first = not self._paths
        self._drop_set(sw_if_index)
        self._paths[sw_if_index] = named if given else ()
        path_set = self._sets[sw_if_index] = control.path_sets.get(named)
        # a FIB of its own, so that the path set writes the load-balance when its paths change
        key = -1 - sw_if_index
        path_set.shared[key] = control.load_balances.add(path_set.words())
        path_set.bulk[key] = 1
        self._table.load_balances[sw_if_index] = path_set.shared[key]
        if first:
            engine.plane.arcs[ARC].enable(0, NAME)

    def remove(self, sw_if_index: int) -> None:
        """End a redirect; unknown ones are passed over, as in VPP."""
        if sw_if_index not in self._paths:
            return
        self._table.load_balances[sw_if_index] = 0
        self._drop_set(sw_if_index)
        del self._paths[sw_if_index]
        if not self._paths:
            self._engine.plane.arcs[ARC].enable(0, NAME, False)

    def get(self, sw_if_index: int) -> tuple[Path, ...] | None:
        """The paths of an interface's redirect; None: it has none."""
        return self._paths.get(sw_if_index)

    def dump(self) -> list[tuple[int, tuple[Path, ...]]]:
        """(receiving interface, paths) of all, by interface."""
        return sorted(self._paths.items())

    def _drop_set(self, sw_if_index: int) -> None:
        path_set = self._sets.pop(sw_if_index, None)
        if path_set is not None:
            self._engine.routes.control.bulk_gone(path_set, -1 - sw_if_index, 1)
