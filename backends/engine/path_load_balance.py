"""Paths that something else than a route forwards by: a load-balance of their own, which follows their changes."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

from vectorplane.backends.engine.route_paths import Path

if TYPE_CHECKING:
    from vectorplane.backends.engine.engine import Engine

_KEYS = count(1)


class PathLoadBalance:
    """A load-balance of paths (tables named, as `Routes.named` gives them).

    Raises:
        KeyError: a path leads to an interface or table that is not there.
    """

    def __init__(self, engine: Engine, paths: tuple[Path, ...]) -> None:
        self._control = engine.routes.control
        self.path_set = self._control.path_sets.get(paths)
        # a FIB of its own, so that the path set writes the load-balance when its paths change
        self._key = -next(_KEYS)
        self.index = self._control.load_balances.add(self.path_set.words())
        self.path_set.shared[self._key] = self.index
        self.path_set.bulk[self._key] = 1

    def close(self) -> None:
        """Give it back."""
        self._control.bulk_gone(self.path_set, self._key, 1)
