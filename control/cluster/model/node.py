"""Nodes, as Kubernetes knows them. What VPP's side of a node has is in its `NodeRecord` (ipam/node_id.py)."""

from __future__ import annotations

from pydantic import Field

from vectorplane.control.cluster.ipam.arithmetic import Ip as AnyIp
from vectorplane.control.cluster.model.base import Cidr, Labels, Record
from vectorplane.control.config_types import parse_address

HOSTNAME, EXTERNAL_IP, INTERNAL_IP, EXTERNAL_DNS, INTERNAL_DNS = 1, 2, 3, 4, 5


class NodeAddress(Record):
    """An address of a node; ``type`` is one of the numbers above."""

    type: int
    address: str


class Node(Record):
    """A node."""

    name: str
    pod_CIDR: Cidr | None = None
    provider_ID: str = ""
    addresses: tuple[NodeAddress, ...] = ()
    labels: Labels = Field(default_factory=dict)
    unschedulable: bool = False

    @property
    def id(self) -> str:
        """Its identity."""
        return self.name

    @property
    def management(self) -> tuple[AnyIp, ...]:
        """Its addresses in the management network: where Kubernetes reaches its host."""
        return tuple(parse_address(a.address) for a in self.addresses if a.type == INTERNAL_IP)
