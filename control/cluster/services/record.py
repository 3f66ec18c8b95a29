"""A service as a renderer sees it: at which addresses and ports it is, and which backends stand behind each."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from ipaddress import IPv4Address

from vectorplane.control.cluster.model.base import ObjectId

TCP, UDP = 6, 17
PROTOCOLS = {"TCP": TCP, "UDP": UDP}
"""Those that are balanced. SCTP is one of Kubernetes' protocols, but not of NAT44's."""


class Purpose(Enum):
    """What an address of a service is for."""

    CLUSTER = "cluster IP"
    EXTERNAL = "external IP"
    """One of ``externalIPs``, or of the load balancer's ingress."""
    NODE_PORT = "node port"


@dataclass(frozen=True, slots=True, order=True)
class Backend:
    """What serves. ``local``: it is a pod of this node, or this node itself; ``on_host``: it is the latter.

    outside: it is neither a pod of the cluster nor a node.
    """

    address: IPv4Address
    port: int
    local: bool = False
    on_host: bool = False
    outside: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """One port of a service at one of its addresses.

    address: None for a node port, which is at the addresses of nodes.
    only_local: clients get backends of this node alone (a traffic policy Local); ``backends`` are only these then.
        Such a node port is this node's own affair: at other nodes' addresses they answer with their own.
    hides_client: backends see an address of this node instead of the client's, so that their replies come back here.
    on_node: the external address is that of a node.
    not_at: addresses of nodes where another service has this port.
    """

    purpose: Purpose
    address: IPv4Address | None
    proto: int
    port: int
    backends: tuple[Backend, ...]
    only_local: bool = False
    hides_client: bool = False
    on_node: bool = False
    not_at: frozenset[IPv4Address] = frozenset()


@dataclass(frozen=True, slots=True)
class ServiceRecord:
    """A service. ``affinity``: seconds that a client keeps its backend; 0: not at all."""

    id: ObjectId
    entries: tuple[Entry, ...] = ()
    affinity: int = 0

    @property
    def has_node_ports(self) -> bool:
        """Is it at the addresses of nodes?"""
        return any(entry.purpose is Purpose.NODE_PORT for entry in self.entries)

    @property
    def backends(self) -> frozenset[IPv4Address]:
        """The addresses of all its backends."""
        return frozenset(backend.address for entry in self.entries for backend in entry.backends)
