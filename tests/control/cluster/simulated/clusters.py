"""Makes clusters of simulated nodes for tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from vectorplane.backends.engine.report import report
from vectorplane.control.cluster.kube.manifests.read import load, parse
from vectorplane.control.cluster.load import parse_settings
from vectorplane.control.cluster.settings import ClusterSettings
from vectorplane.control.cluster.simulated.cluster import Cluster
from vectorplane.control.cluster.simulated.default_settings import DEFAULT_SETTINGS
from vectorplane.control.cluster.simulated.methods import Methods
from vectorplane.control.cluster.store.embedded import open_store
from vectorplane.control.cluster.store.store import Store

EXAMPLE = Path(__file__).parents[4] / "examples" / "cluster"


@contextmanager
def cluster(
    *paths: Path,
    text: str = "",
    nodes: int = 0,
    settings: ClusterSettings | None = None,
    store: Store | None = None,
    captures: Path | None = None,
    processes: bool = False,
) -> Iterator[Cluster]:
    """A cluster with what manifests in files or a text say, and at least so many nodes."""
    used = settings or parse_settings(DEFAULT_SETTINGS)
    made = Cluster(used, store or open_store(None), captures=captures, processes=processes)
    try:
        objects = [m.object for m in load(map(str, paths)).manifests] if paths else []
        objects += [m.object for m in parse(text, "test.yaml").manifests] if text else []
        refused = [str(a.error) for a in made.apply(objects) if a.error is not None]
        assert not refused, refused
        made.add_nodes(nodes)
        yield made
    finally:
        made.close()


def ask(made: Cluster, method: str, **given: Any) -> Any:
    """What the command of that name answers."""
    usual = {"namespace": "default"} if given.keys() & {"source", "pod"} else {}
    return Methods(made, lambda: None).all()[method](usual | given)


def balanced(made: Cluster) -> None:
    """Every packet is accounted for, on every node: in + generated = out + drops + consumed."""
    made.advance(2)
    for node in made.nodes.values():
        found = report(node.engine.plane)
        came = found.packets_in + found.generated
        went = found.packets_out + sum(found.drops.values()) + sum(found.consumed.values())
        assert came == went, (node.name, found)
