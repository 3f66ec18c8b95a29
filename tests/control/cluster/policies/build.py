"""Records for tests, in few words."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

from vectorplane.control.cluster.model.endpoints import EndpointAddress, EndpointPort, Endpoints, Subset
from vectorplane.control.cluster.model.namespace import Namespace
from vectorplane.control.cluster.model.pod import Container, ContainerPort, Pod
from vectorplane.control.cluster.model.policy import (
    Expression,
    IpBlock,
    Peer,
    Policy,
    PolicyPort,
    PolicyRule,
    PolicyType,
    Selector,
)
from vectorplane.control.cluster.model.service import Service, ServicePort

SERVED = tuple(
    ContainerPort(name=f"serve-{port}-{protocol.lower()}", container_port=port, protocol=protocol)
    for port in (80, 81)
    for protocol in ("TCP", "UDP", "SCTP")
)


def select(*expressions: tuple[str, ...], **labels: str) -> Selector:
    """By labels, and by (key, operator, values...)."""
    return Selector(
        match_labels=labels,
        match_expressions=tuple(Expression(key=e[0], operator=e[1], values=e[2:]) for e in expressions),
    )


def pods(*expressions: tuple[str, ...], **labels: str) -> Peer:
    """Pods of the policy's namespace."""
    return Peer(pods=select(*expressions, **labels))


def namespaces(*expressions: tuple[str, ...], **labels: str) -> Peer:
    """All pods of namespaces."""
    return Peer(namespaces=select(*expressions, **labels))


def both(namespace: Selector, pod: Selector) -> Peer:
    """Those pods in those namespaces."""
    return Peer(namespaces=namespace, pods=pod)


def block(cidr: str, *excepts: str) -> Peer:
    """Addresses."""
    return Peer(ip_block=IpBlock(cidr=ip_network(cidr), excepts=tuple(map(ip_network, excepts))))


def port(number: int | str = 0, protocol: str = "TCP", end: int = 0) -> PolicyPort:
    """By number or name."""
    if isinstance(number, str):
        return PolicyPort(protocol=protocol, name=number)
    return PolicyPort(protocol=protocol, number=number, end=end)


def rule(*peers: Peer, ports: tuple[PolicyPort, ...] = ()) -> PolicyRule:
    """What is allowed."""
    return PolicyRule(peers=peers, ports=ports)


def policy(
    where: str,
    of: Selector | None = None,
    ingress: tuple[PolicyRule, ...] | None = None,
    egress: tuple[PolicyRule, ...] | None = None,
) -> Policy:
    """At ``namespace/name``. A direction that is None is not of the policy's types."""
    namespace, name = where.split("/")
    kind = PolicyType.BOTH if ingress is not None and egress is not None else PolicyType.EGRESS
    return Policy(
        namespace=namespace,
        name=name,
        pods=of or Selector(),
        policy_type=kind if egress is not None else PolicyType.INGRESS,
        ingress=ingress or (),
        egress=egress or (),
    )


def pod(
    where: str,
    ip: str | None = None,
    labels: dict[str, str] | None = None,
    ports: tuple[ContainerPort, ...] = SERVED,
    host: str | None = None,
) -> Pod:
    """At ``namespace/name``."""
    namespace, name = where.split("/")
    return Pod(
        namespace=namespace,
        name=name,
        labels={"pod": name} if labels is None else labels,
        ip_address=ip_address(ip) if ip else None,
        host_ip_address=ip_address(host) if host else None,
        containers=(Container(name="server", ports=ports),),
    )


def namespace(name: str, **labels: str) -> Namespace:
    """With the label ns, if no others are given."""
    return Namespace(name=name, labels=labels or {"ns": name})


def service(where: str, cluster_ip: str, ports: tuple[ServicePort, ...], **more: object) -> Service:
    """At ``namespace/name``."""
    space, name = where.split("/")
    return Service.model_validate({"namespace": space, "name": name, "cluster_ip": cluster_ip, "ports": ports, **more})


def endpoints(where: str, served: dict[str, tuple[int, str]], *addresses: str) -> Endpoints:
    """``served``: by the name of the service's port the number and protocol."""
    space, name = where.split("/")
    ports = tuple(EndpointPort(name=n, port=p, protocol=of) for n, (p, of) in served.items())
    subset = Subset(addresses=tuple(EndpointAddress(ip=ip_address(a)) for a in addresses), ports=ports)
    return Endpoints(namespace=space, name=name, subsets=(subset,))
