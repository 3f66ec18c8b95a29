"""Network policies as Kubernetes' documentation words them: one connection, all policies looked at one by one.

Records of the cluster are read as plain data; nothing of the program's own logic is used.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address
from typing import Any

Ip = IPv4Address | IPv6Address


@dataclass
class Cluster:
    """Pods, namespaces and policies are records. ``nodes``: the addresses of each node.

    ``node_of``: the node of a pod, by namespace and name; a pod that is not there has no node of its own.
    """

    pods: Sequence[Any] = ()
    namespaces: Sequence[Any] = ()
    policies: Sequence[Any] = ()
    nodes: dict[str, set[Ip]] = field(default_factory=dict)
    node_of: dict[tuple[str, str], str] = field(default_factory=dict)

    def pod_at(self, ip: Ip) -> Any | None:
        """The pod of an address, None if it is nobody's or a host's."""
        return next((p for p in self.pods if p.ip_address == ip and not p.host_network), None)

    def pod(self, namespace: str, name: str) -> Any:
        """A pod by its name."""
        return next(p for p in self.pods if (p.namespace, p.name) == (namespace, name))

    def own_node(self, pod: Any) -> set[Ip]:
        """The addresses of a pod's node."""
        return self.nodes.get(self.node_of.get((pod.namespace, pod.name), ""), set())


def allowed(cluster: Cluster, source: Any, destination: Any, protocol: str, port: int) -> bool:
    """May it connect? Both are a pod's record or an address. ``protocol``: TCP, UDP, SCTP, or another one's name."""
    source_pod, source_ip = _end(cluster, source)
    pod, ip = _end(cluster, destination)
    if source_pod is not None and pod is not None and source_pod.id == pod.id:
        return True  # a pod cannot block access to itself
    if pod is not None and source_ip in cluster.own_node(pod):
        return True  # traffic from the node where a pod is running is always allowed
    if source_pod is not None and ip in cluster.own_node(source_pod):
        return True  # and to it
    sends = source_pod is None or _one_side(cluster, source_pod, "egress", pod, ip, protocol, port, pod)
    return sends and (pod is None or _one_side(cluster, pod, "ingress", source_pod, source_ip, protocol, port, pod))


def _end(cluster: Cluster, given: Any) -> tuple[Any | None, Ip]:
    if isinstance(given, IPv4Address | IPv6Address):
        return cluster.pod_at(given), given
    return (None if given.host_network else given), given.ip_address


def _one_side(
    cluster: Cluster, subject: Any, direction: str, peer: Any, ip: Ip, protocol: str, port: int, served_by: Any
) -> bool:
    isolated = False
    for policy in cluster.policies:
        if policy.namespace != subject.namespace or not selects(policy.pods, subject.labels):
            continue
        if direction not in types(policy):
            continue
        isolated = True
        for rule in policy.ingress if direction == "ingress" else policy.egress:
            if _peers(cluster, policy, rule.peers, peer, ip) and _ports(rule.ports, served_by, protocol, port):
                return True
    return not isolated


def types(policy: Any) -> set[str]:
    """The policy types; if none are given, ingress always and egress if there are egress rules."""
    match int(policy.policy_type):
        case 0:
            return {"ingress", "egress"} if policy.egress else {"ingress"}
        case 1:
            return {"ingress"}
        case 2:
            return {"egress"}
    return {"ingress", "egress"}


def _peers(cluster: Cluster, policy: Any, peers: Sequence[Any], pod: Any, ip: Ip) -> bool:
    if not peers:
        return True
    for peer in peers:
        if peer.ip_block is not None:
            if _within(ip, peer.ip_block.cidr) and not any(_within(ip, e) for e in peer.ip_block.excepts):
                return True
            continue
        if pod is None:
            continue
        if peer.namespaces is None:
            there = pod.namespace == policy.namespace
        else:
            labels = next((n.labels for n in cluster.namespaces if n.name == pod.namespace), {})
            there = selects(peer.namespaces, {"kubernetes.io/metadata.name": pod.namespace, **labels})
        if there and (peer.pods is None or selects(peer.pods, pod.labels)):
            return True
    return False


def _within(ip: Ip, network: Any) -> bool:
    return ip.version == network.version and ip in network


def _ports(ports: Sequence[Any], served_by: Any, protocol: str, port: int) -> bool:
    if not ports:
        return True
    for one in ports:
        if one.protocol != protocol:
            continue
        if one.name:
            containers = [] if served_by is None else served_by.containers
            named = [p for c in containers for p in c.ports if p.name == one.name and p.protocol == protocol]
            if any(p.container_port == port for p in named):
                return True
        elif one.number == 0 or one.number <= port <= (one.end or one.number):
            return True
    return False


def selects(selector: Any, labels: dict[str, str]) -> bool:
    """A label selector: all labels and all expressions; an empty one selects everything."""
    for key, value in selector.match_labels.items():
        if labels.get(key) != value:
            return False
    for expression in selector.match_expressions:
        value = labels.get(expression.key)
        if expression.operator == "IN":
            holds = value in expression.values if value is not None else False
        elif expression.operator == "NOT_IN":
            holds = value is None or value not in expression.values
        elif expression.operator == "EXISTS":
            holds = value is not None
        else:
            holds = value is None
        if not holds:
            return False
    return True
