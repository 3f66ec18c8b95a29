"""Endpoints of services. The reflector writes them from Endpoints or, where there are none, from EndpointSlices."""

from __future__ import annotations

from vectorplane.control.cluster.ipam.pod import PodId
from vectorplane.control.cluster.model.base import Ip, ObjectId, Port, Record


class EndpointAddress(Record):
    """An address that serves. ``pod``: the pod that has it, as [namespace, name]; None: it is no pod's."""

    ip: Ip
    host_name: str = ""
    node_name: str = ""
    pod: PodId | None = None


class EndpointPort(Record):
    """A port that is served; ``name`` is that of the service's port."""

    name: str = ""
    port: Port
    protocol: str = "TCP"


class Subset(Record):
    """Addresses that serve the same ports."""

    addresses: tuple[EndpointAddress, ...] = ()
    not_ready_addresses: tuple[EndpointAddress, ...] = ()
    ports: tuple[EndpointPort, ...] = ()


class Endpoints(Record):
    """The endpoints of the service of the same namespace and name."""

    name: str
    namespace: str
    subsets: tuple[Subset, ...] = ()

    @property
    def id(self) -> ObjectId:
        """Its identity."""
        return ObjectId(self.namespace, self.name)
