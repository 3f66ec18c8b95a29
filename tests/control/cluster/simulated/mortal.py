"""A cluster whose agents, nodes and store may die at any of their operations, and come back."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from tests.control.cluster.agent.faulty import Fuse, FusedStore, Killed
from vectorplane.control.cluster.agent.errors import AgentError
from vectorplane.control.cluster.load import parse_settings
from vectorplane.control.cluster.simulated import cluster as cluster_module
from vectorplane.control.cluster.simulated.cluster import Cluster
from vectorplane.control.cluster.simulated.default_settings import DEFAULT_SETTINGS
from vectorplane.control.cluster.simulated.node import SimNode
from vectorplane.control.cluster.store.embedded import EmbeddedStore
from vectorplane.control.cluster.store.errors import StoreFailed
from vectorplane.control.cluster.store.journal import Journal

_GROWTH = 20_000
"""Bytes: journals are rewritten now and then."""


class MortalStore:
    """A store in a folder, as everybody else sees it. Dead, it answers nothing; then it is opened anew from its files.

    What it leaves behind is a copy of the folder at the moment of its death: nothing is closed or written any more.
    """

    def __init__(self, folder: Path) -> None:
        lives = [int(life.name) for life in folder.iterdir()]
        self._folder, self._life = folder, max(lives, default=0)
        self.fuse, self.dead = Fuse(), False
        self._open()

    def _open(self) -> None:
        self._store = EmbeddedStore(Journal(self._folder / str(self._life), sync=False, growth=_GROWTH))

    def die(self) -> None:
        """It is gone, and all that followed it is told nothing but that."""
        self.dead, self.fuse.left, self.fuse.burnt = True, None, False
        shutil.copytree(self._folder / str(self._life), self._folder / str(self._life + 1))
        self._store.close()
        shutil.rmtree(self._folder / str(self._life))
        self._life += 1

    def revive(self) -> None:
        """It is back."""
        self._open()
        self.dead = False

    def __getattr__(self, name: str) -> Any:
        def call(*args: Any) -> Any:
            if self.dead:
                raise StoreFailed("no answer")
            try:
                return self.fuse.around(lambda: getattr(self._store, name)(*args))
            except Killed:
                self.die()
                raise StoreFailed("the connection broke") from None

        return call


class MortalNode(SimNode):
    """Its agent dies when its fuse burns: alone, or (`whole`) with the engine and all that it holds."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.fuse, self.whole, self.deaths = Fuse(), False, 0
        self.operations = 0
        """What the dataplane was told to change."""
        self.cluster: Cluster | None = None
        self._plain = self._store

    def _make_agent(self) -> None:
        self.fuse.burnt = False
        self._store = FusedStore(self._plain, self.fuse)  # type: ignore[assignment]
        backend: Any = self.backend
        for name in ("create", "update", "delete"):
            setattr(backend, name, self._fused(getattr(type(backend), name), backend))
        super()._make_agent()
        agent: Any = self.agent
        step = agent.step

        def step_or_die() -> bool:
            try:
                done: bool = step()
                return done
            except Killed:
                self.deaths += 1
                agent._over(AgentError(f"the agent of {self.name} was killed"))
                raise AgentError(f"the agent of {self.name} was killed") from None

        agent.step = step_or_die

    def _fused(self, method: Any, backend: Any) -> Any:
        def call(*args: Any) -> Any:
            self.operations += 1
            return self.fuse.around(lambda: method(backend, *args))

        return call

    def restart_agent(self) -> None:
        """Whoever watches over the agent starts it again."""
        if not self.whole:
            return super().restart_agent()
        self.whole = False
        assert self.cluster is not None
        self.cluster._cables.forget(self.name)
        self.kill()
        self.start(self.cluster.now)


@contextmanager
def mortal(folder: Path) -> Iterator[Cluster]:
    """An empty cluster of these."""
    store = MortalStore(folder)
    with patch.object(cluster_module, "SimNode", MortalNode):
        made = Cluster(parse_settings(DEFAULT_SETTINGS), store)  # type: ignore[arg-type]
        try:
            yield made
        finally:
            made.close()


def nodes_of(made: Cluster) -> list[MortalNode]:
    """Its nodes."""
    found = []
    for node in made.nodes.values():
        assert isinstance(node, MortalNode)
        node.cluster = made
        found.append(node)
    return found


def light(fuse: Fuse, rng: random.Random, most: int) -> None:
    """It burns at one of the next operations, before it is done or after."""
    fuse.light(rng.randint(1, most), rng.random() < 0.5)
