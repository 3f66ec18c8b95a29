"""A cluster of two nodes, whose pods send to each other through the lists that both nodes want."""

from __future__ import annotations

from ipaddress import ip_address, ip_interface
from typing import Any

from tests.control.cluster.driver import Driver
from tests.control.cluster.policies.acls import NodeLists, packet
from tests.naive.network_policy import Cluster
from vectorplane.control.cluster import names
from vectorplane.control.cluster.agent.event import AddPod, DeletePod
from vectorplane.control.cluster.ipam.arithmetic import Ip
from vectorplane.control.cluster.ipam.node_id import NodeRecord
from vectorplane.control.cluster.ipam.pod import PodId
from vectorplane.control.cluster.model.node import INTERNAL_IP, Node, NodeAddress
from vectorplane.control.cluster.model.pod import Pod
from vectorplane.control.cluster.policies.handler import Policies
from vectorplane.control.cluster.settings import ClusterSettings

HOSTS = ("10.20.0.1", "10.20.0.2")
VPPS = ("192.168.16.1", "192.168.16.2")


class TwoNodes:
    """Every record goes to both. Pods come with `run`."""

    def __init__(self, settings: ClusterSettings | None = None) -> None:
        settings = settings or ClusterSettings(remote_node_ports=True)  # so that those of both nodes are asked
        self.drivers = [
            Driver(
                Policies, node_id=i + 1, name=f"node-{i + 1}", address=f"{VPPS[i]}/24", host_addresses=[HOSTS[i]],
                settings=settings,
            )
            for i in range(2)
        ]  # fmt: skip
        self.where: dict[PodId, int] = {}
        self._lists: list[NodeLists] | None = None
        for i in range(2):
            address = NodeAddress(type=INTERNAL_IP, address=HOSTS[i])
            self.put(Node(name=f"node-{i + 1}", addresses=(address,)))
            self.put(NodeRecord(id=i + 1, name=f"node-{i + 1}", ip_addresses=(ip_interface(f"{VPPS[i]}/24"),)))

    def put(self, *records: Any) -> None:
        """They come or change."""
        self._lists = None
        for driver in self.drivers:
            driver.put(*records)

    def delete(self, *records: Any) -> None:
        """They go."""
        self._lists = None
        for driver in self.drivers:
            driver.delete(*records)

    def run(self, node: int, record: Pod) -> Ip:
        """A pod starts on a node (0 or 1), and its record comes, with its address."""
        self._lists = None
        local = self.drivers[node].add_pod(record.namespace, record.name)
        self.where[record.id] = node
        self.put(record.model_copy(update={"ip_address": local.address, "host_ip_address": ip_address(HOSTS[node])}))
        return local.address

    def stop(self, pod: PodId) -> None:
        """It ends."""
        self._lists = None
        self.drivers[self.where.pop(pod)].delete_pod(*pod)
        self.delete(self.pod(*pod))

    def revert_delete(self, pod: PodId) -> None:
        """Its link is to go away, and that fails; then again with a link that is to come."""
        driver = self.drivers[self.where[pod]]
        link = driver.node.pods[pod]
        for event in (DeletePod(pod), AddPod(pod, link.container)):
            driver.wanted.begin()
            driver.handler.update(event)
            driver.wanted.undo()
            driver.handler.revert(event)

    def pod(self, namespace: str, name: str) -> Pod:
        """Its record."""
        return self.drivers[0].state.pods[PodId(namespace, name)]

    def check(self) -> None:
        """Both nodes want what they would after a resync."""
        for driver in self.drivers:
            driver.check()

    @property
    def oracle(self) -> Cluster:
        """The same for tests/naive/network_policy.py."""
        state = self.drivers[0].state
        addresses = {f"node-{i + 1}": self.node_addresses(i) for i in range(2)}
        node_of = {(p.namespace, p.name): f"node-{i + 1}" for p, i in self.where.items()}
        return Cluster(
            list(state.pods.values()),
            list(state.namespaces.values()),
            list(state.policies.values()),
            addresses,
            node_of,
        )

    def node_addresses(self, node: int) -> set[Ip]:
        """All that a node has, but what only VPP uses in its pods' subnet."""
        pools = self.drivers[node].node.ipam.pools
        number = node + 1
        return {
            ip_address(HOSTS[node]), ip_address(VPPS[node]), pools.host_link_linux(number).ip,
            pools.host_link_vpp(number).ip, pools.vxlan_address(number).ip,
        }  # fmt: skip

    @property
    def lists(self) -> list[NodeLists]:
        """Of both nodes, without sessions; they are remembered until something changes."""
        return [NodeLists(d.items.values()) for d in self.drivers]

    def connects(
        self,
        source: Pod | Ip,
        destination: Pod | Ip,
        protocol: str,
        port: int,
        via: tuple[Ip, int] | None = None,
        lists: list[NodeLists] | None = None,
    ) -> bool:
        """Does a request arrive? Then the answer has to come back, too.

        ``via``: the address and port of a service that the sender used; what arrives has been translated by then.
        """
        lists = lists or self.lists
        source_ip, from_node = self._end(source)
        destination_ip, to_node = self._end(destination)
        if source_ip == destination_ip and via is None:
            return True
        path, back = [], []
        if isinstance(source, Pod):
            assert from_node is not None
            link = self.drivers[from_node].node.pods[source.id].interface
            to, number = via or (destination_ip, port)
            path.append((from_node, link, True, packet(source_ip, to, protocol, number)))
            back.append((from_node, link, False, packet(to, source_ip, protocol, number, True)))
            if source_ip == destination_ip:
                source_ip = self.drivers[from_node].node.ipam.pod_subnet.nat_loopback
        there, again = packet(source_ip, destination_ip, protocol, port), packet(
            destination_ip, source_ip, protocol, port, True
        )  # fmt: skip
        if from_node is not None and to_node is not None and from_node != to_node:
            path += [(from_node, names.BVI, False, there), (to_node, names.BVI, True, there)]
            back += [(from_node, names.BVI, True, again), (to_node, names.BVI, False, again)]
        if isinstance(destination, Pod):
            assert to_node is not None
            link = self.drivers[to_node].node.pods[destination.id].interface
            path.append((to_node, link, False, there))
            back.append((to_node, link, True, again))
        arrived = all(lists[node].passes(link, is_input, seen) for node, link, is_input, seen in path)
        if arrived:
            for node, link, is_input, seen in back[::-1]:
                assert lists[node].passes(link, is_input, seen), f"no answer passes {link}"
        return arrived

    def _end(self, given: Pod | Ip) -> tuple[Ip, int | None]:
        if isinstance(given, Pod):
            assert given.ip_address is not None
            return given.ip_address, self.where[given.id]
        return given, next((i for i in range(2) if given in self.node_addresses(i)), None)
