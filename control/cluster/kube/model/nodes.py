"""Nodes and namespaces."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import model_validator

from vectorplane.control.cluster.kube.model.base import Items, KubeModel, KubeObject
from vectorplane.control.cluster.kube.model.names import label_problem
from vectorplane.control.cluster.model.base import Cidr, Ip
from vectorplane.control.config_types import parse_address

HOSTNAME_LABEL = "kubernetes.io/hostname"
NAMESPACE_LABEL = "kubernetes.io/metadata.name"


class Namespace(KubeObject):
    """A namespace. It has its name as a label, too."""

    KIND: ClassVar[str] = "Namespace"
    RESOURCE: ClassVar[str] = "namespace"
    NAMESPACED: ClassVar[bool] = False

    @classmethod
    def name_problem(cls, name: str) -> str:
        """It is an RFC 1123 label."""
        return label_problem(name)


class NodeSpec(KubeModel):
    """``unschedulable`` None: as it is."""

    podCIDR: Cidr | None = None
    providerID: str = ""
    unschedulable: bool | None = None


class NodeAddress(KubeModel):
    """An address of a node's host."""

    type: Literal["Hostname", "InternalIP", "ExternalIP", "InternalDNS", "ExternalDNS"]
    address: str

    @model_validator(mode="after")
    def _is_one(self) -> NodeAddress:
        if self.type in ("InternalIP", "ExternalIP"):
            try:
                parse_address(self.address)
            except ValueError:
                raise ValueError(f"address: expected an IP address, got {self.address!r}") from None
        return self


class NodeStatus(KubeModel):
    """What the node's kubelet tells; here the manifest does."""

    addresses: Items[NodeAddress] = ()


class Node(KubeObject):
    """A node."""

    KIND: ClassVar[str] = "Node"
    RESOURCE: ClassVar[str] = "node"
    NAMESPACED: ClassVar[bool] = False

    spec: NodeSpec = NodeSpec()
    status: NodeStatus = NodeStatus()

    @property
    def schedulable(self) -> bool:
        """May new pods be put there?"""
        return not self.spec.unschedulable

    @property
    def management(self) -> Ip | None:
        """Its host's address: that of pods in the host's network."""
        for address in self.status.addresses:
            if address.type == "InternalIP":
                return parse_address(address.address)
        return None
