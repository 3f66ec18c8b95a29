"""Services as NAT44 items: a unit for each service, one more for each node that a node port is at, one for each pod."""

from __future__ import annotations

from vectorplane.backends.items import Item, NatInterface
from vectorplane.control.cluster.agent.wanted import Wanted
from vectorplane.control.cluster.ipam.pod import PodId
from vectorplane.control.cluster.model.base import ObjectId
from vectorplane.control.cluster.services.nat44.mappings import Mapping, external_addresses
from vectorplane.control.cluster.services.nat44.node import BOTH, OUTSIDE, node_items
from vectorplane.control.cluster.services.nat44.node_routes import routes_to
from vectorplane.control.cluster.services.nat44.unserved import cluster_routes, external_routes
from vectorplane.control.cluster.services.node_addresses import AtNode
from vectorplane.control.cluster.services.record import Entry, ServiceRecord
from vectorplane.control.cluster.this_node import LocalPod, ThisNode


class Nat44Renderer:
    """See `Renderer` for what the methods do."""

    def __init__(self, node: ThisNode, wanted: Wanted) -> None:
        self._node, self._wanted = node, wanted
        self._nodes: dict[int, AtNode] = {}
        self._node_ports: dict[ObjectId, ServiceRecord] = {}
        """The services that have some."""

    def reset(self) -> None:
        self._nodes.clear()
        self._node_ports.clear()
        self._wanted.put("services/node", node_items(self._node), "NAT of this node")
        self._wanted.put("services/unserved", cluster_routes(self._node), "cluster IPs that nothing serves")

    def put_service(self, service: ServiceRecord) -> None:
        mapped = self._mapped(service)
        items: list[Item | None] = [mapping.at(e.address) for e, mapping in mapped if e.address is not None]
        items += external_addresses(self._node, service)
        items += external_routes(self._node, service)
        self._wanted.put(_unit(service.id), filter(None, items), _text(service.id))
        if service.has_node_ports:
            self._node_ports[service.id] = service
            for at in self._nodes.values():
                self._put_ports(service.id, mapped, at)
        else:
            self._drop_ports(service.id)

    def drop_service(self, service: ObjectId) -> None:
        self._wanted.drop(_unit(service))
        self._drop_ports(service)

    def put_node(self, node: AtNode) -> None:
        self._wanted.put(_routes(node.number), routes_to(self._node, node), f"the way to node {node.number}")
        if not (node.mine or self._node.settings.remote_node_ports):
            return
        self._nodes[node.number] = node
        for service in self._node_ports.values():
            self._put_ports(service.id, self._mapped(service), node)

    def drop_node(self, number: int) -> None:
        self._nodes.pop(number, None)
        for service in self._node_ports:
            self._wanted.drop(_at(service, number))
        self._wanted.drop(_routes(number))

    def put_pod(self, pod: LocalPod, backing: bool) -> None:
        if self._node.settings.ipam.ip6:
            return
        item = NatInterface(pod.interface, BOTH if backing else OUTSIDE)
        self._wanted.put(_pod(pod.id), (item,), f"pod {pod.id} as a client{' and backend' * backing} of services")

    def drop_pod(self, pod: PodId) -> None:
        self._wanted.drop(_pod(pod))

    def _mapped(self, service: ServiceRecord) -> list[tuple[Entry, Mapping]]:
        return [(e, Mapping(self._node, e, service.affinity, str(service.id))) for e in service.entries]

    def _put_ports(self, service: ObjectId, mapped: list[tuple[Entry, Mapping]], at: AtNode) -> None:
        """The node ports of a service at one node."""
        items = [
            mapping.at(address)
            for entry, mapping in mapped
            if entry.address is None and (at.mine or not entry.only_local)
            for address in at.addresses
        ]
        self._wanted.put(_at(service, at.number), filter(None, items), _text(service))

    def _drop_ports(self, service: ObjectId) -> None:
        if self._node_ports.pop(service, None) is None:
            return
        for number in self._nodes:
            self._wanted.drop(_at(service, number))


def _unit(service: ObjectId) -> str:
    return f"services/{service}"


def _at(service: ObjectId, node: int) -> str:
    return f"services/{service} at node {node}"


def _routes(node: int) -> str:
    return f"services/routes to node {node}"


def _pod(pod: PodId) -> str:
    return f"services/pod {pod}"


def _text(service: ObjectId) -> str:
    return f"service {service}"
