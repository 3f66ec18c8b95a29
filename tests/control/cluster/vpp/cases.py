"""What a test works with: a node on an engine and on a VPP, and packets for both."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.control.cluster.simulated.clusters import cluster
from tests.control.cluster.vpp.below import SOCKET, WHY_NOT, OurServer, other_vpp
from tests.control.cluster.vpp.flows import Flow
from tests.control.cluster.vpp.manifests import EVERYTHING, NODES
from tests.control.cluster.vpp.planes import VppPlane, engine_plane
from tests.control.cluster.vpp.traffic import Traffic, compare
from tests.control.cluster.vpp.twins import Twins
from vectorplane.control.cluster.settings import ClusterSettings

OURS, OTHER = "ours", "other"
VPPS = [OURS, OTHER]


@dataclass
class Case:
    """The two nodes, what plays through them, and our server if it is ours."""

    twins: Twins
    one: Traffic
    other: Traffic
    server: OurServer | None

    def play(self, *flows: Flow) -> list[Counter[str]]:
        """On both: where they came out."""
        both = compare(self.one, self.other, flows)
        return [Counter(outcome.place for outcome in each) for each in zip(*both, strict=True)]


@contextmanager
def a_case(which: str, folder: Path, settings: ClusterSettings | None = None) -> Iterator[Case]:
    """On one of `VPPS`, with all that `manifests` says. Skips the test if the environment names no other VPP."""
    if which == OTHER and not SOCKET:
        pytest.skip(WHY_NOT)
    with ExitStack() as stack:
        made = stack.enter_context(cluster(text=EVERYTHING, nodes=NODES, settings=settings))
        engine = stack.enter_context(engine_plane())
        server = None
        if which == OURS:
            server = OurServer(folder)
            stack.callback(server.stop)
            plane = VppPlane(server.socket, server.api_dir, folder)
        else:
            plane = stack.enter_context(other_vpp(folder))
        twins = Twins(made, engine, plane)
        case = Case(twins, Traffic(twins.engine), Traffic(twins.vpp), server)
        case.one.introduce()
        case.other.introduce()
        yield case
