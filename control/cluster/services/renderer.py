"""What brings services to a dataplane. NAT44 is one way; another has to do the same of these methods."""

from __future__ import annotations

from typing import Protocol

from vectorplane.control.cluster.ipam.pod import PodId
from vectorplane.control.cluster.model.base import ObjectId
from vectorplane.control.cluster.services.node_addresses import AtNode
from vectorplane.control.cluster.services.record import ServiceRecord
from vectorplane.control.cluster.this_node import LocalPod


class Renderer(Protocol):
    """Gets what is new or different, puts items into the agent's `Wanted`, and decides nothing about services.

    What is put again replaces what was put before; what is dropped need not be there. A record of a service comes
    with all its entries, those without backends, too.
    """

    def reset(self) -> None:
        """There are no services, nodes and pods; only what the node has all the same."""
        ...

    def put_service(self, service: ServiceRecord) -> None:
        """A service is so."""
        ...

    def drop_service(self, service: ObjectId) -> None:
        """It is gone."""
        ...

    def put_node(self, node: AtNode) -> None:
        """Node ports are at these addresses of a node, which may be this one."""
        ...

    def drop_node(self, number: int) -> None:
        """They are at none of it."""
        ...

    def put_pod(self, pod: LocalPod, backing: bool) -> None:
        """A pod of this node, and whether it is a backend of a service."""
        ...

    def drop_pod(self, pod: PodId) -> None:
        """It is gone."""
        ...
