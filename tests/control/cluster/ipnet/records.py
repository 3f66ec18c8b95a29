"""Records of nodes and pods, for tests."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_address, ip_interface

from vectorplane.control.cluster.ipam.node_id import NodeRecord
from vectorplane.control.cluster.model.node import INTERNAL_IP, Node, NodeAddress
from vectorplane.control.cluster.model.pod import Pod


def vpp(number: int, *addresses: str, name: str | None = None) -> NodeRecord:
    """VPP's side of a node; by default with the address that belongs to its number."""
    given = addresses or (f"192.168.16.{number}/24",)
    return NodeRecord(id=number, name=name or f"node-{number}", ip_addresses=tuple(map(ip_interface, given)))


def kubernetes(number: int, *addresses: str, name: str | None = None) -> Node:
    """Kubernetes' side of a node; by default 10.20.0.NUMBER."""
    given: Iterable[str] = addresses or (f"10.20.0.{number}",)
    return Node(
        name=name or f"node-{number}",
        addresses=tuple(NodeAddress(type=INTERNAL_IP, address=address) for address in given),
    )


def pod(name: str, address: str | None, host: str | None) -> Pod:
    """A pod in the namespace default."""
    return Pod(
        name=name,
        namespace="default",
        ip_address=ip_address(address) if address else None,
        host_ip_address=ip_address(host) if host else None,
    )
