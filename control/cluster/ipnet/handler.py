"""The handler of a node's connectivity: what the node itself has, a unit for each other node, and one for each pod."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator

from vectorplane.backends.items import Item
from vectorplane.control.cluster.agent.event import AddPod, DeletePod, Event, StateChange
from vectorplane.control.cluster.agent.wanted import Wanted
from vectorplane.control.cluster.ipam.error import IpamError
from vectorplane.control.cluster.ipam.node_id import NodeRecord
from vectorplane.control.cluster.ipam.pod import PodId
from vectorplane.control.cluster.ipnet.host_link import host_link
from vectorplane.control.cluster.ipnet.nic import default_route, main_address, nics
from vectorplane.control.cluster.ipnet.overlay import overlay
from vectorplane.control.cluster.ipnet.peer import Way, peer_items, remote_pod_items, way
from vectorplane.control.cluster.ipnet.placement import Placement
from vectorplane.control.cluster.ipnet.pod_link import pod_items
from vectorplane.control.cluster.ipnet.vrfs import between, tables
from vectorplane.control.cluster.model.node import Node
from vectorplane.control.cluster.model.pod import Pod
from vectorplane.control.cluster.peers import Peer, peer
from vectorplane.control.cluster.state import Changed, ClusterState
from vectorplane.control.cluster.this_node import ThisNode

log = logging.getLogger(__name__)

NODE = "ipnet/node"


class Ipnet:
    """Connects the node, as Contiv-VPP's ipnet plugin does for IPv4, with VXLAN or without an overlay.

    Raises:
        IpamError: the cluster is of IPv6, or the node's id is out of range.
    """

    name = "ipnet"

    def __init__(self, node: ThisNode, state: ClusterState, wanted: Wanted) -> None:
        if node.settings.ipam.ip6:
            raise IpamError("pod_subnet_cidr", "is of IPv6, but nodes are connected by IPv4 only")
        self.problems: dict[str, str] = {}
        """By unit, why what should be connected is not."""
        self._ways: dict[int, Way] = {}
        """To the nodes that are connected."""
        self._node, self._state, self._wanted = node, state, wanted
        self._placement = Placement(state, node.ipam.external)

    def resync(self) -> None:
        """Everything from what the state and the node are now. Raises IpamError: the node's id is out of range."""
        node = self._node
        self._wanted.put(NODE, node_items(node), f"node {node.name}")
        self._put_peers()
        for pod in sorted(node.pods):
            self._put_pod(pod)
        if node.ipam.external:
            for pod in sorted(self._state.pods):
                self._put_remote_pod(pod)

    def update(self, event: Event) -> str:
        """What is different by an event, and only that."""
        if isinstance(event, AddPod):
            self._put_pod(event.pod)
            return f"connected pod {event.pod}"
        if isinstance(event, DeletePod):
            self._drop(_pod_unit(event.pod))
            return f"disconnected pod {event.pod}"
        return self._records(event.changes) if isinstance(event, StateChange) else ""

    def revert(self, event: Event) -> None:
        """What is kept beside the units is worked out anew. Putting them as they were changes nothing."""
        if isinstance(event, StateChange):
            self._put_peers()

    # --- units

    def _records(self, changes: Iterable[Changed]) -> str:
        """Records of the store changed."""
        numbers: set[int] = set()
        pods: set[PodId] = set()
        for change in changes:
            if change.kind not in (NodeRecord, Node, Pod):
                continue
            if change.kind is Pod and not self._node.ipam.external:
                continue  # the pods of a node are all in its subnet
            self._placement.note(change)
            pods.update(self._pods_of(change))
            numbers.update(self._numbers_of(change))
        for number in sorted(numbers):
            self._put_peer(number)
        for pod in sorted(pods):
            self._put_remote_pod(pod)
        told = [*(f"node {number}" for number in sorted(numbers)), *(f"pod {pod}" for pod in sorted(pods))]
        return f"looked at {', '.join(told)}" if told else ""

    def _numbers_of(self, change: Changed) -> list[int]:
        """The ids of the nodes that a record is about."""
        if change.kind is NodeRecord:
            return [change.record.id]
        return self._placement.ids(change.record.name) if change.kind is Node else []

    def _pods_of(self, change: Changed) -> Iterator[PodId]:
        """With external IPAM, the pods that a record is about."""
        if not self._node.ipam.external:
            return
        if change.kind is Pod:
            yield change.record.id
            return
        for name in {record.name for record in (change.old, change.new) if record is not None}:
            for node in (self._state.nodes.get(name), change.old, change.new):
                if isinstance(node, Node) and node.name == name:
                    for host in node.management:
                        yield from self._placement.pods_at(host)

    def _put_peers(self) -> None:
        """All nodes, and what is kept beside their units."""
        node = self._node
        self.problems.clear()
        self._ways.clear()
        self._placement = Placement(self._state, node.ipam.external)
        if main_address(node) is None:
            self.problems[NODE] = f"nic: node {node.name} has no address yet, so nothing leads to other nodes"
            log.warning("%s", self.problems[NODE])
        for number in sorted(self._state.node_records):
            self._put_peer(number)

    def _put_peer(self, number: int) -> None:
        other = self._peer(number)
        self._ways.pop(number, None)
        if other is None:
            self._drop(f"ipnet/peer/{number}")
        elif self._put(f"ipnet/peer/{number}", lambda: peer_items(self._node, other), f"node {other.name}"):
            self._ways[number] = way(self._node, other)

    def _put_pod(self, pod: PodId) -> None:
        local = self._node.pods.get(pod)
        if local is None:
            self._drop(_pod_unit(pod))
        else:
            self._put(_pod_unit(pod), lambda: pod_items(self._node, local), f"pod {pod}")

    def _put_remote_pod(self, pod: PodId) -> None:
        unit = f"ipnet/remote-pod/{pod}"
        record = self._state.pods.get(pod)
        if record is None or record.ip_address is None or record.host_ip_address is None or record.host_network:
            self._drop(unit)
            return
        address = record.ip_address
        at = self._placement.ids_at(record.host_ip_address)
        by = next((self._ways[number] for number in at if number in self._ways), None)
        if by is None:
            self._drop(unit)
        else:
            self._put(unit, lambda: remote_pod_items(self._node, by, address), f"pod {pod} on node {by.name}")

    def _peer(self, number: int) -> Peer | None:
        """The node of that id, if it is another one than this, and enough is known of both."""
        found = peer(self._state, number)
        if found is None or found.name == self._node.name or number == self._node.id:
            return None
        return found if found.reachable and main_address(self._node) is not None else None

    def _put(self, unit: str, make: Callable[[], Iterable[Item]], text: str) -> bool:
        """What nothing can lead to has no items, and a reason why; then false."""
        try:
            items = tuple(make())
        except IpamError as error:
            if self.problems.get(unit) != str(error):
                log.error("%s is not connected: %s", text, error)
            self.problems[unit] = str(error)
            self._wanted.drop(unit)
            return False
        self.problems.pop(unit, None)
        self._wanted.put(unit, items, text)
        return True

    def _drop(self, unit: str) -> None:
        self.problems.pop(unit, None)
        self._wanted.drop(unit)


def node_items(node: ThisNode) -> Iterator[Item]:
    """All that does not depend on other nodes and pods. Raises IpamError: the node's id is out of range."""
    yield from tables(node)
    yield from nics(node)
    yield from default_route(node)
    yield from host_link(node)
    yield from between(node)
    if node.overlay:
        yield from overlay(node)


def _pod_unit(pod: PodId) -> str:
    return f"ipnet/pod/{pod}"
