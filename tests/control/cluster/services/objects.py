"""Short ways to services, endpoints and nodes."""

from __future__ import annotations

from typing import Any

from vectorplane.control.cluster.ipam.node_id import NodeRecord
from vectorplane.control.cluster.model.endpoints import Endpoints
from vectorplane.control.cluster.model.node import INTERNAL_IP, Node
from vectorplane.control.cluster.model.service import Service


def service(name: str, ip: str, *ports: str, namespace: str = "default", **more: Any) -> Service:
    """``ports``: ``NAME:PORT/PROTOCOL[@NODE_PORT]``."""
    made = []
    for text in ports:
        text, _, node_port = text.partition("@")
        text, _, proto = text.partition("/")
        label, _, number = text.rpartition(":")
        made.append({"name": label, "port": int(number), "protocol": proto or "TCP", "node_port": int(node_port or 0)})
    return Service.model_validate({"name": name, "namespace": namespace, "cluster_ip": ip, "ports": made, **more})


def endpoints(name: str, addresses: str, *ports: str, namespace: str = "default", subsets: Any = ()) -> Endpoints:
    """``addresses``: apart by blanks; ``ports``: ``NAME:PORT/PROTOCOL``; ``subsets``: more of these two."""
    made = []
    for ips, numbers in ((addresses, ports), *subsets):
        listed = []
        for text in numbers:
            text, _, proto = text.partition("/")
            label, _, number = text.rpartition(":")
            listed.append({"name": label, "port": int(number), "protocol": proto or "TCP"})
        made.append({"addresses": [{"ip": ip} for ip in ips.split()], "ports": listed})
    return Endpoints.model_validate({"name": name, "namespace": namespace, "subsets": made})


def vpp_node(number: int, name: str, *addresses: str) -> NodeRecord:
    """VPP's side of a node."""
    return NodeRecord.model_validate({"id": number, "name": name, "ip_addresses": list(addresses)})


def kube_node(name: str, *addresses: str) -> Node:
    """Kubernetes' side of a node."""
    return Node.model_validate(
        {"name": name, "addresses": [{"type": INTERNAL_IP, "address": address} for address in addresses]}
    )
