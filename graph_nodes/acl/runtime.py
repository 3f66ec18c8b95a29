"""Runtime data of the ACL nodes, which differ in nothing else: direction, path and family."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vectorplane.dataplane.abi import FRAME_SIZE
from vectorplane.dataplane.region import Region
from vectorplane.graph_nodes.acl.five_tuple import SCRATCH_SIZE
from vectorplane.graph_nodes.acl.session_cache import SessionCaches
from vectorplane.graph_nodes.acl.session_control import AclSessions
from vectorplane.graph_nodes.acl.tables import AclTables
from vectorplane.graph_nodes.acl.verdict_cache import VerdictCaches
from vectorplane.graph_nodes.forwarding import Forwarding

if TYPE_CHECKING:
    from vectorplane.dataplane.graph import Node
    from vectorplane.dataplane.plane import Dataplane

RUNTIME = np.dtype(
    [
        ("is_input", "i8"),
        ("is_l2", "i8"),
        ("arc", "i8"),
        ("matchers", "i8"),  # addresses by interface, 0: none
        ("sessions", "i8"),
        ("scratch", "i8"),
        ("verdicts", "i8"),
        ("remembered", "i8"),  # this worker's session cache
        ("switches", "i8"),
        ("counters", "i8"),  # of this worker, by ACL
        ("adjacencies", "i8"),
        ("without", "i8"),  # vectors to come that go without the session cache
    ]
)


class AclScratch:
    """Each worker's memory for one vector, shared by its nodes: only one runs at a time."""

    def __init__(self, plane: Dataplane) -> None:
        workers = plane.graph.workers
        size = SCRATCH_SIZE * FRAME_SIZE
        self._region = Region(size * workers, name="acl scratch")
        self.addresses = [self._region.address + size * k for k in range(workers)]

    def close(self) -> None:
        """Give the memory back."""
        self._region.close()


def bind(plane: Dataplane, node: Node) -> None:
    """Fill in a node's runtime data; what it does is in its name and on its arc."""
    name, arc = node.type.name, node.type.features[0].arc
    is_input = "-in-" in name
    tables = plane.shared(AclTables)
    data = node.data
    data["is_input"], data["is_l2"] = int(is_input), int(name.endswith("-l2"))
    data["arc"] = plane.arcs[arc].address
    data["matchers"] = tables.matcher_addresses[int(is_input)]
    data["sessions"] = plane.shared(AclSessions).address
    data["scratch"] = plane.shared(AclScratch).addresses
    data["remembered"] = plane.shared(SessionCaches).addresses
    data["verdicts"] = plane.shared(VerdictCaches).addresses
    data["switches"] = tables.switches_address
    data["counters"] = tables.counter_addresses
    data["adjacencies"] = plane.shared(Forwarding).adj_address
