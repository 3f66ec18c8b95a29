"""The handler of services: which of them an event concerns, and what its renderer is to do about it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from ipaddress import IPv4Address

from vectorplane.control.cluster.agent.event import AddPod, DeletePod, Event, StateChange
from vectorplane.control.cluster.agent.wanted import Wanted
from vectorplane.control.cluster.ipam.arithmetic import Ip
from vectorplane.control.cluster.ipam.node_id import NodeRecord
from vectorplane.control.cluster.ipam.pod import PodId
from vectorplane.control.cluster.model.base import ObjectId
from vectorplane.control.cluster.model.endpoints import Endpoints
from vectorplane.control.cluster.model.node import Node
from vectorplane.control.cluster.model.service import Service
from vectorplane.control.cluster.services.build import build, claims_of, tell_unbalanced
from vectorplane.control.cluster.services.claims import Claims
from vectorplane.control.cluster.services.nat44.renderer import Nat44Renderer
from vectorplane.control.cluster.services.node_addresses import NodeAddresses
from vectorplane.control.cluster.services.places import Places
from vectorplane.control.cluster.services.record import ServiceRecord
from vectorplane.control.cluster.services.renderer import Renderer
from vectorplane.control.cluster.state import ClusterState
from vectorplane.control.cluster.this_node import ThisNode

log = logging.getLogger(__name__)


class Services:
    """See the module. ``renderer``: makes one of this node and what it wants."""

    name = "services"

    def __init__(
        self,
        node: ThisNode,
        state: ClusterState,
        wanted: Wanted,
        renderer: Callable[[ThisNode, Wanted], Renderer] = Nat44Renderer,
    ) -> None:
        self._node, self._state = node, state
        self._renderer = renderer(node, wanted)
        self._places = Places(node, state)
        self._nodes = NodeAddresses(node, state)
        self._claims = Claims()
        self._records: dict[ObjectId, ServiceRecord] = {}
        self._backed: dict[IPv4Address, set[ObjectId]] = {}
        """By address the services that it is a backend of."""
        self._pods: dict[Ip, PodId] = {}
        """Pods of this node by address, as the renderer knows them."""

    def record(self, service: ObjectId) -> ServiceRecord | None:
        """A service as it was rendered."""
        return self._records.get(service)

    def resync(self) -> None:
        """All services, nodes and pods."""
        self._records.clear()
        self._backed.clear()
        self._pods.clear()
        self._claims.clear()
        self._renderer.reset()
        self._places.refresh()
        self._nodes = NodeAddresses(self._node, self._state)
        for number in sorted(self._nodes.refresh()[0]):
            self._put_node(number)
        for service in self._state.services.values():
            self._claims.put(service.id, claims_of(service))
            tell_unbalanced(service)
        for identity in self._state.services:
            self._render(identity)
        for pod in self._node.pods:
            self._put_pod(pod)

    def update(self, event: Event) -> str:
        """See `Handler`."""
        match event:
            case StateChange():
                return self._changed(event)
            case AddPod():
                self._put_pod(event.pod)
                return f"the link of pod {event.pod} translates"
            case DeletePod():
                self._drop_pod(event.pod)
                return f"the link of pod {event.pod} does not translate any more"
        return ""

    def revert(self, event: Event) -> None:
        """See `Handler`."""
        match event:
            case StateChange():
                self._changed(event)
            case AddPod() | DeletePod():
                if event.pod in self._node.pods:
                    self._put_pod(event.pod)
                else:
                    self._drop_pod(event.pod)

    def _changed(self, event: StateChange) -> str:
        services = {c.record.id for c in event.changes if c.kind in (Service, Endpoints)}
        for change in event.changes:
            if change.kind is Service:
                services |= self._claim(change.record.id)
        moved: set[int] = set()
        if any(c.kind in (Node, NodeRecord) for c in event.changes):
            own = self._places.refresh()
            moved, addresses = self._nodes.refresh()
            services |= self._served_at(own | addresses)
            services |= self._externally_at(own | addresses)
            for number in sorted(moved):
                self._put_node(number)
        touched = [s for s in sorted(services) if s in self._records or s in self._state.services]
        for identity in touched:
            self._render(identity)
        return _told(touched, moved)

    def _claim(self, identity: ObjectId) -> set[ObjectId]:
        """What it wants is different. Gives the other services that this may matter to."""
        service = self._state.services.get(identity)
        if service is not None:
            tell_unbalanced(service)
        return self._claims.put(identity, claims_of(service) if service is not None else ())

    def _served_at(self, addresses: frozenset[Ip]) -> set[ObjectId]:
        """Services with one of these as an endpoint. All endpoints are looked at: nodes' addresses are few, and
        seldom change."""
        if not addresses:
            return set()
        return {
            identity
            for identity, endpoints in self._state.endpoints.items()
            if any(address.ip in addresses for subset in endpoints.subsets for address in subset.addresses)
        }

    def _externally_at(self, addresses: frozenset[Ip]) -> set[ObjectId]:
        """Services with one of these as an external address."""
        if not addresses:
            return set()
        return {s for s, r in self._records.items() for e in r.entries if e.address in addresses}

    def _render(self, identity: ObjectId) -> None:
        service = self._state.services.get(identity)
        old = self._records.pop(identity, None)
        if service is None:
            self._renderer.drop_service(identity)
            self._back(identity, old.backends if old else frozenset(), frozenset())
            return
        new = build(service, self._state.endpoints.get(identity), self._places, self._nodes, self._claims)
        self._records[identity] = new
        if new != old:
            self._renderer.put_service(new)
            self._back(identity, old.backends if old else frozenset(), new.backends)

    def _back(self, identity: ObjectId, old: frozenset[IPv4Address], new: frozenset[IPv4Address]) -> None:
        """A service has other backends: pods become one, or are none any more."""
        for address in old - new:
            users = self._backed[address]
            users.discard(identity)
            if not users:
                del self._backed[address]
                self._put_pod_at(address)
        for address in new - old:
            users = self._backed.setdefault(address, set())
            users.add(identity)
            if len(users) == 1:
                self._put_pod_at(address)

    def _put_node(self, number: int) -> None:
        at = self._nodes.of(number)
        if at is None:
            self._renderer.drop_node(number)
        else:
            self._renderer.put_node(at)

    def _put_pod_at(self, address: IPv4Address) -> None:
        pod = self._pods.get(address)
        if pod is not None:
            self._put_pod(pod)

    def _put_pod(self, identity: PodId) -> None:
        pod = self._node.pods[identity]
        self._pods[pod.address] = identity
        self._renderer.put_pod(pod, pod.address in self._backed)

    def _drop_pod(self, identity: PodId) -> None:
        for address in [a for a, pod in self._pods.items() if pod == identity]:
            del self._pods[address]
        self._renderer.drop_pod(identity)


def _told(services: Iterable[ObjectId], nodes: Iterable[int]) -> str:
    parts = [*(f"service {s}" for s in services), *(f"node ports at node {n}" for n in sorted(nodes))]
    return ", ".join(parts)
