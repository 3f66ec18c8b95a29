"""A large cluster's records: 100 nodes, 10,000 pods, 1,000 services and as many policies, 50 namespaces of 20 apps."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Interface, ip_network

from vectorplane.control.cluster.ipam.arithmetic import Ip
from vectorplane.control.cluster.ipam.node_id import NodeRecord
from vectorplane.control.cluster.ipam.pools import Pools
from vectorplane.control.cluster.keys import key_of
from vectorplane.control.cluster.model.base import Record
from vectorplane.control.cluster.model.endpoints import EndpointAddress, EndpointPort, Endpoints, Subset
from vectorplane.control.cluster.model.namespace import Namespace
from vectorplane.control.cluster.model.node import INTERNAL_IP, Node, NodeAddress
from vectorplane.control.cluster.model.pod import Container, ContainerPort, Pod
from vectorplane.control.cluster.model.policy import (
    IpBlock,
    Peer,
    Policy,
    PolicyPort,
    PolicyRule,
    PolicyType,
    Selector,
)
from vectorplane.control.cluster.model.service import Service, ServicePort
from vectorplane.control.cluster.state import value_of
from vectorplane.control.cluster.store.store import Store
from vectorplane.control.cluster.store.transaction import Put, batches

NODES, PODS, SPACES, APPS = 100, 10_000, 50, 20
"""Each app of each namespace has a service, a policy and ten pods, on ten nodes."""
NODE_PORTS = 200
"""So many of the services have node ports."""
_CONTAINER = Container(name="server", ports=(ContainerPort(name="http", container_port=8080),))


def management(number: int) -> IPv4Address:
    """Where Kubernetes reaches the host of the node of that number."""
    return IPv4Address("10.20.0.0") + number


class LargeCluster:
    """``pods``: by the node's number, in the order of their addresses. ``pools``: where the addresses are from."""

    def __init__(self, pools: Pools) -> None:
        self.pods: dict[int, list[Pod]] = {n: [] for n in range(1, NODES + 1)}
        self._pools = pools
        self._served: dict[tuple[int, int], list[Pod]] = {}
        for i in range(PODS):
            space, app, node = i % SPACES, i // SPACES % APPS, (i // SPACES + i) % NODES + 1
            address = self.address(node, len(self.pods[node]))
            made = pod(f"ns{space}", f"pod{i}", app, address, management(node))
            self.pods[node].append(made)
            self._served.setdefault((space, app), []).append(made)

    def address(self, node: int, place: int) -> Ip:
        """The address of a node's pod, counted from 0."""
        return self._pools.pod_subnet(node).network.network_address + 2 + place

    def fill(self, store: Store) -> int:
        """Write all records. Says how many there are."""
        puts = [Put(key_of(record), value_of(record)) for record in self._records()]
        for batch in batches(puts):
            store.transaction((), batch)
        return len(puts)

    def _records(self) -> Iterator[Record | NodeRecord]:
        for n in range(1, NODES + 1):
            yield NodeRecord(id=n, name=f"node-{n}", ip_addresses=(IPv4Interface(f"192.168.16.{n}/24"),))
            yield Node(name=f"node-{n}", addresses=(NodeAddress(type=INTERNAL_IP, address=str(management(n))),))
        for space in range(SPACES):
            yield Namespace(name=f"ns{space}", labels={"team": f"team{space % 10}"})
            for app in range(APPS):
                yield policy(space, app)
                yield service(space, app)
                yield endpoints(space, app, self._served[space, app])
        for pods in self.pods.values():
            yield from pods


def pod(space: str, name: str, app: int, address: Ip | None, host: IPv4Address) -> Pod:
    """A pod of an app. ``address`` None: it has none yet."""
    labels = {"app": f"app{app}"}
    return Pod(
        name=name, namespace=space, labels=labels, ip_address=address, host_ip_address=host, containers=(_CONTAINER,)
    )


def service(space: int, app: int) -> Service:
    """Of an app; the first ones have node ports, too."""
    number = space * APPS + app
    exposed = number < NODE_PORTS
    port = ServicePort(name="http", port=80, target_port="http", node_port=30_000 + number if exposed else 0)
    return Service(
        name=f"app{app}",
        namespace=f"ns{space}",
        ports=(port,),
        selector={"app": f"app{app}"},
        cluster_ip=str(IPv4Address("10.96.0.0") + number + 2),
        type="NodePort" if exposed else "ClusterIP",
    )


def endpoints(space: int, app: int, pods: list[Pod]) -> Endpoints:
    """Of an app's service: these pods."""
    addresses = tuple(EndpointAddress(ip=p.ip_address, pod=p.id) for p in pods if p.ip_address is not None)
    subset = Subset(addresses=addresses, ports=(EndpointPort(name="http", port=8080),))
    return Endpoints(name=f"app{app}", namespace=f"ns{space}", subsets=(subset,))


def policy(space: int, app: int) -> Policy:
    """For the pods of an app. Five kinds take turns, of which three isolate pods for what they send, too."""
    other = Selector(match_labels={"app": f"app{(app + 1) % APPS}"})
    team = Selector(match_labels={"team": f"team{space % 10}"})
    http, dns = PolicyPort(name="http"), PolicyPort(protocol="UDP", number=53)
    everywhere = Peer(namespaces=Selector())
    abroad = Peer(ip_block=IpBlock(cidr=ip_network("0.0.0.0/0"), excepts=(ip_network("10.0.0.0/8"),)))
    ingress: tuple[PolicyRule, ...]
    egress: tuple[PolicyRule, ...] | None = None
    match app % 5:
        case 0:
            ingress = (PolicyRule(ports=(http,), peers=(Peer(pods=other),)),)
        case 1:
            ingress = (PolicyRule(peers=(Peer(namespaces=team),)),)
            egress = (PolicyRule(peers=(Peer(pods=other),)),)
        case 2:
            ingress = (PolicyRule(ports=(http,), peers=(Peer(namespaces=team, pods=other),)),)
            egress = (
                PolicyRule(ports=(http,), peers=(Peer(namespaces=team),)),
                PolicyRule(ports=(dns,), peers=(everywhere,)),
            )
        case 3:
            ingress = (PolicyRule(ports=(http,), peers=(everywhere,)),)
            egress = (PolicyRule(peers=(abroad, Peer(pods=Selector()))),)
        case _:
            ingress = ()
    return Policy(
        name=f"app{app}",
        namespace=f"ns{space}",
        pods=Selector(match_labels={"app": f"app{app}"}),
        policy_type=PolicyType.INGRESS if egress is None else PolicyType.BOTH,
        ingress=ingress,
        egress=egress or (),
    )
