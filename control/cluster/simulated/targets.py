"""Names for the ends of a conversation: who sends, and to which address and port."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address
from typing import TYPE_CHECKING

from vectorplane.control.cluster.ipam.pod import PodId
from vectorplane.control.cluster.kube.model.pods import Pod
from vectorplane.control.cluster.kube.model.services import HEADLESS, Service
from vectorplane.control.cluster.simulated.cluster import OUTSIDE
from vectorplane.control.cluster.simulated.cluster_node import ClusterNode, Sender

if TYPE_CHECKING:
    from vectorplane.control.cluster.simulated.cluster import Cluster

PROTOCOLS = ("tcp", "udp", "sctp", "icmp")


class TargetError(Exception):
    """There is nobody of that name, or it does not say enough; the text says what is missing."""


@dataclass(frozen=True)
class Source:
    """Who sends. ``namespace``: where names are looked for that it uses without one; empty: it is no pod.

    node, interface: where it is, and its link there; of all but the outside.
    """

    label: str
    host: Sender
    namespace: str = ""
    node: ClusterNode | None = None
    interface: str = ""


@dataclass(frozen=True)
class Target:
    """Who is asked. ``port`` 0: none; ``what``: a pod, a service ... for people."""

    label: str
    address: IPv4Address
    port: int
    protocol: str


def source(cluster: Cluster, text: str, namespace: str) -> Source:
    """A pod (``NAME`` or ``NAMESPACE/NAME``, ``pod/...``), ``node/NAME`` (its host), or ``outside``.

    Raises:
        TargetError: there is none of that name, or it does not run.
    """
    kind, name = _kind(text)
    if kind == "" and name == OUTSIDE:
        return Source(OUTSIDE, cluster.outside)
    if kind == "node":
        node = cluster.nodes.get(name)
        own = None if node is None or node.down else node.sender(None)
        if node is None or own is None:
            raise TargetError(node.down if node is not None and node.down else _none("node", name, cluster.nodes))
        return Source(f"node/{name}", own[0], "", node, own[1])
    if kind not in ("", "pod"):
        raise TargetError(f"{text}: packets are sent by pods, by node/NAME, or from {OUTSIDE}")
    identity = _identity(name, namespace)
    pod = cluster.kube.get(Pod, identity.name, identity.namespace)
    if pod is None:
        raise TargetError(f"there is no pod {identity}")
    if pod.spec.hostNetwork:
        raise TargetError(f"pod {identity} is in its host's network: name node/{pod.spec.nodeName}")
    place = cluster.nodes.get(pod.spec.nodeName or "")
    if place is not None and place.down:
        raise TargetError(f"pod {identity} does not run: {place.down}")
    found = None if place is None else place.sender(identity)
    if found is not None:
        return Source(f"pod {identity}", found[0], identity.namespace, place, found[1])
    why = cluster.kube.errors().get(pod.ref, "it has not been started")
    raise TargetError(f"pod {identity} does not run: {why}")


def target(cluster: Cluster, text: str, namespace: str, protocol: str) -> Target:
    """``TO[:PORT]``: a pod, a service (``svc/NAME``), ``node/NAME``, ``outside`` or an address.

    A service without a port: its only one. Other names without a port: ping, unless ``protocol`` says otherwise.

    Raises:
        TargetError: there is none of that name, or the port is missing or unknown.
    """
    if protocol and protocol not in PROTOCOLS:
        raise TargetError(f"protocol {protocol}: expected one of {', '.join(PROTOCOLS)}")
    who, _, port = text.partition(":")
    kind, name = _kind(who)
    if kind == "" and name == OUTSIDE:
        return _plain(OUTSIDE, cluster.outside.addresses[0].ip, port, protocol)
    if kind == "node":
        known = cluster.nodes.get(name)
        address = None if known is None else known.address
        if not isinstance(address, IPv4Address):
            raise TargetError(_none("node", name, cluster.nodes))
        return _plain(f"node/{name}", address, port, protocol)
    if kind == "":
        try:
            return _plain(name, IPv4Address(name), port, protocol)
        except AddressValueError:
            pass
    return _object(cluster, kind, _identity(name, namespace), port, protocol)


def _object(cluster: Cluster, kind: str, identity: PodId, port: str, protocol: str) -> Target:
    pod = cluster.kube.get(Pod, identity.name, identity.namespace) if kind in ("", "pod") else None
    service = cluster.kube.get(Service, identity.name, identity.namespace) if kind in ("", "svc", "service") else None
    if pod is not None and service is not None:
        raise TargetError(f"{identity} is a pod and a service: say pod/{identity.name} or svc/{identity.name}")
    if pod is not None:
        if not isinstance(pod.address, IPv4Address):
            raise TargetError(f"pod {identity} has no address: {cluster.kube.errors().get(pod.ref, 'it does not run')}")
        wanted = (protocol or "tcp").upper()
        number = pod.port_named(port, wanted) if port and not port.isdecimal() else None
        return _plain(f"pod {identity}", pod.address, port if number is None else str(number), protocol)
    if service is None:
        what = {"": "pod or service", "svc": "service"}.get(kind, kind)
        raise TargetError(f"there is no {what} {identity}")
    return _service(service, identity, port, protocol)


def _service(service: Service, identity: PodId, port: str, protocol: str) -> Target:
    if service.cluster_ip in ("", HEADLESS):
        raise TargetError(f"service {identity} has no address of its own: ask a pod of it")
    fitting = [p for p in service.spec.ports if not protocol or p.protocol.lower() == protocol]
    if port:
        fitting = [p for p in fitting if port in (p.name, str(p.port))]
    if not fitting and port.isdecimal():
        return _plain(f"service {identity}", IPv4Address(service.cluster_ip), port, protocol)  # to see that it is none
    if len(fitting) != 1 and not (fitting and port):
        known = ", ".join(f"{p.port}/{p.protocol}" for p in service.spec.ports)
        raise TargetError(f"service {identity}: say which port ({known})")
    found = fitting[0]
    return Target(f"service {identity}", IPv4Address(service.cluster_ip), found.port, found.protocol.lower())


def _plain(label: str, address: IPv4Address, port: str, protocol: str) -> Target:
    if not port:
        if protocol not in ("", "icmp"):
            raise TargetError(f"{label}: {protocol} needs a port: {label}:PORT")
        return Target(label, address, 0, "icmp")
    if not port.isdecimal() or not 1 <= int(port) <= 65535:
        raise TargetError(f"{label}: there is no port {port}")
    if protocol == "icmp":
        raise TargetError(f"{label}: ICMP has no ports")
    return Target(label, address, int(port), protocol or "tcp")


def _kind(text: str) -> tuple[str, str]:
    """``pod/...``, ``svc/...``, ``node/...`` and the rest; anything else before the slash is a namespace."""
    kind, slash, name = text.partition("/")
    return (kind, name) if slash and kind in ("pod", "svc", "service", "node") else ("", text)


def _identity(name: str, namespace: str) -> PodId:
    space, slash, rest = name.partition("/")
    return PodId(space, rest) if slash else PodId(namespace, name)


def _none(kind: str, name: str, known: Iterable[str]) -> str:
    return f"there is no {kind} {name}; known: {', '.join(known) or 'none'}"
