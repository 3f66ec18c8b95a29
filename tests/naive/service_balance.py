"""Who may answer a connection to a service, and whom the backend sees, straight from Kubernetes' documentation.

"Service", "Virtual IPs and Service Proxies" and "Service Internal Traffic Policy": an address and port of a service
leads to its ready endpoints, any of them, or those of the node alone where the traffic policy is Local, and to none
where there are none. Who comes from outside with policy Cluster is hidden behind the node; else the client is seen.
What this implementation adds: a client that is its own backend is seen as the node's NAT loopback, as is one that is
hidden (by the node's host, and what is outside, as the node); what is outside sees nodes only; and of several
services that want one address and port the first by namespace and name has it.

No code is shared with the handler: services are looked through one after the other for each question.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network

from vectorplane.control.cluster.model.endpoints import Endpoints
from vectorplane.control.cluster.model.service import Service

Pair = tuple[str, int]
POOLS = IPv4Network("10.1.0.0/16"), IPv4Network("172.30.0.0/16")
"""Where pods and hosts have their addresses."""


@dataclass(frozen=True)
class NaiveNode:
    """A node: the addresses that node ports are at (VPP's and its host's), its pods' network, its NAT loopback, and
    further addresses of its own."""

    name: str
    addresses: tuple[str, ...]
    pods: str
    loopback: str
    others: tuple[str, ...] = ()
    card: str = ""
    """The address that it sends to the outside with; empty: the first of its addresses."""

    @property
    def shown(self) -> str:
        """Whom the outside sees."""
        return self.card or self.addresses[0]

    def has(self, address: str) -> bool:
        """Is it of a pod of this node, or the node's own?"""
        return address in self.addresses + self.others or IPv4Address(address) in IPv4Network(self.pods)


@dataclass(frozen=True)
class Answer:
    """Backends that may get a connection, each with the source address that it sees. Empty: nobody gets it."""

    seen_by: Mapping[Pair, str]
    affinity: int = 0


class NaiveServices:
    """The services of a cluster. ``remote_node_ports``: a node serves node ports of all nodes' addresses."""

    def __init__(
        self,
        services: Iterable[Service],
        endpoints: Iterable[Endpoints],
        nodes: Iterable[NaiveNode],
        remote_node_ports: bool = False,
    ) -> None:
        self.services = sorted(services, key=lambda s: (s.namespace, s.name))
        self.endpoints = {(e.namespace, e.name): e for e in endpoints}
        self.nodes = list(nodes)
        self.remote_node_ports = remote_node_ports

    def connect(self, node: NaiveNode, client: str, destination: str, port: int, proto: str) -> Answer | None:
        """A client sends to an address, and its packet comes to this node first. None: that is no service's there.

        ``proto``: TCP or UDP, which alone are balanced.
        """
        for service in self.services:
            for served in service.ports:
                inside = _inside(service, destination)
                if (served.protocol, served.port) == (proto, port) and (inside or _outside(service, destination)):
                    return self._answer(node, client, service, served.name, inside)
        for service in self.services:
            for served in service.ports:
                if (served.protocol, served.node_port) == (proto, port):
                    here = self._is_node_port(node, service, destination)
                    return self._answer(node, client, service, served.name, False) if here else None
        return None

    def _in_cluster(self, ip: str) -> bool:
        """May it be a pod, a node, or a node's host?"""
        return any(ip in n.addresses + n.others for n in self.nodes) or any(IPv4Address(ip) in pool for pool in POOLS)

    def _hidden(self, node: NaiveNode, ip: str) -> str:
        """Whom a backend sees in place of a client: the node itself, if it is of its main table."""
        here = ip in node.addresses + node.others
        return node.shown if here or not self._in_cluster(ip) else node.loopback

    def _is_node_port(self, node: NaiveNode, service: Service, destination: str) -> bool:
        if destination in node.addresses:
            return True
        if not self.remote_node_ports or service.external_traffic_policy == "Local":
            return False
        return any(destination in other.addresses for other in self.nodes)

    def _answer(self, node: NaiveNode, client: str, service: Service, name: str, inside: bool) -> Answer:
        policy = service.internal_traffic_policy if inside else service.external_traffic_policy
        found: dict[Pair, str] = {}
        endpoints = self.endpoints.get((service.namespace, service.name))
        for subset in endpoints.subsets if endpoints is not None else ():
            for served in subset.ports:
                for address in subset.addresses:
                    ip = str(address.ip)
                    if served.name != name or (policy == "Local" and not node.has(ip)):
                        continue
                    hidden = (not inside and policy == "Cluster") or ip == client
                    found[ip, served.port] = self._hidden(node, ip) if hidden else client
        if found and not any(self._in_cluster(ip) for ip, _ in found):
            found = dict.fromkeys(found, node.shown)
        sticky = service.session_affinity == "ClientIP"
        return Answer(found, (service.session_affinity_timeout or 10800) if sticky else 0)


def _inside(service: Service, address: str) -> bool:
    return address == service.cluster_ip or address in service.cluster_ips


def _outside(service: Service, address: str) -> bool:
    listed = [*service.external_ips, *(service.lb_ingress_ips if service.type == "LoadBalancer" else ())]
    return address in map(str, listed)
