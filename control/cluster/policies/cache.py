"""All that policies have to know of the cluster, with the indices that find it."""

from __future__ import annotations

from collections.abc import Iterable

from vectorplane.control.cluster.ipam.pod import PodId
from vectorplane.control.cluster.model.base import ObjectId
from vectorplane.control.cluster.policies.fronts import Fronts, fronts
from vectorplane.control.cluster.policies.nets import Net, net
from vectorplane.control.cluster.policies.own_node import Nodes
from vectorplane.control.cluster.policies.pods import Pods, Seen, seen
from vectorplane.control.cluster.policies.policies import PolicyIndex
from vectorplane.control.cluster.policies.profile import Lookup, Profile
from vectorplane.control.cluster.policies.profiles import Profiles
from vectorplane.control.cluster.policies.selections import Selections
from vectorplane.control.cluster.state import ClusterState
from vectorplane.control.cluster.this_node import ThisNode


class Cache:
    """Follows the state. Each method looks at one thing anew and gives the profiles that look different after it."""

    def __init__(self, node: ThisNode, state: ClusterState) -> None:
        self._node = node
        self._state = state
        self.pods = Pods()
        self.selections = Selections(self.pods)
        self.policies = PolicyIndex(self.selections, None if node.ipam.external else net(node.ipam.pools.pods.whole))
        self.profiles = Profiles()
        self.fronts = Fronts()
        self.nodes = Nodes(node, state)

    @property
    def lookup(self) -> Lookup:
        """What profiles are worked out from."""
        return self.pods, self.fronts, self.nodes

    def pod(self, pod: PodId, connected: bool) -> tuple[Seen | None, set[Profile]]:
        """A pod. ``connected``: it has a link on this node (if it is one of its pods)."""
        local = self._node.pods.get(pod) if connected else None
        new = seen(pod, self._state.pods.get(pod), local)
        old = self.pods.put(pod, new)
        changed: set[Profile] = set()
        if old != new:
            for selection, touched in self.selections.pod(pod, new):
                for profile in self.profiles.looking_at(selection):
                    profile.touch(touched, self.fronts)
                    changed.add(profile)
        return new, changed

    def namespace(self, name: str) -> set[Profile]:
        """A namespace."""
        record = self._state.namespaces.get(name)
        changed = set()
        for selection, touched in self.selections.namespace(name, None if record is None else record.labels):
            for profile in self.profiles.looking_at(selection):
                profile.touch(touched, self.fronts)
                changed.add(profile)
        return changed

    def services(self, services: Iterable[ObjectId]) -> tuple[set[Net], set[Profile]]:
        """Services or their endpoints. Gives also the addresses of backends that came or went."""
        served: set[Net] = set()
        matters: set[ObjectId] = set()
        for service in services:
            record, endpoints = self._state.services.get(service), self._state.endpoints.get(service)
            both = record is not None and endpoints is not None
            new = fronts(record, endpoints, self.nodes.node_ports) if both else ()  # type: ignore[arg-type]
            served |= self.fronts.backends(service)
            matters |= self.fronts.put(service, new)
        if not matters:
            return set(), set()
        return self._matter(matters, served)

    def _matter(self, services: set[ObjectId], served: set[Net]) -> tuple[set[Net], set[Profile]]:
        served = served.union(*(self.fronts.backends(s) for s in services))
        return served, {p for p in self.profiles if services and p.touch_services(services, self.lookup)}

    def node(self) -> tuple[set[Net], set[Profile]]:
        """Nodes, any of them. Gives also the addresses of backends for which services may come out differently."""
        old, self.nodes = self.nodes, Nodes(self._node, self._state)
        served: set[Net] = set()
        changed: set[Profile] = set()
        if not self.nodes.like(old):
            changed = set(self.profiles)
            for profile in changed:
                profile.touch_nodes()
        if self.nodes.node_ports != old.node_ports:
            with_node_ports = [s for s, r in self._state.services.items() if any(port.node_port for port in r.ports)]
            served, more = self.services(with_node_ports)
            changed |= more
        beyond = set[ObjectId]().union(*(self.fronts.concerning(host) for host in self.nodes.hosts ^ old.hosts))
        served, more = self._matter(beyond, served)
        return served, changed | more
