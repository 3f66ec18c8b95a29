"""Kubernetes objects for tests, from the records that the truth table is written in."""

from __future__ import annotations

from typing import Any

from tests.control.cluster.kube.known import make
from vectorplane.control.cluster.model import policy as model
from vectorplane.control.cluster.model.policy import PolicyType

PROTOCOLS = ("TCP", "UDP", "SCTP")
PORTS = (80, 81)
_OPERATORS = {"IN": "In", "NOT_IN": "NotIn", "EXISTS": "Exists", "DOES_NOT_EXIST": "DoesNotExist"}
_TYPES = {
    PolicyType.DEFAULT: [],
    PolicyType.INGRESS: ["Ingress"],
    PolicyType.EGRESS: ["Egress"],
    PolicyType.BOTH: ["Ingress", "Egress"],
}
SERVED = tuple({"name": f"serve-{n}-{p.lower()}", "containerPort": n, "protocol": p} for n in PORTS for p in PROTOCOLS)


def pod(where: str, node: str, labels: dict[str, str], ports: tuple[dict[str, Any], ...] = SERVED) -> Any:
    """At ``namespace/name``, on that node."""
    namespace, name = where.split("/")
    spec = {"nodeName": node, "containers": [{"name": "server", "ports": list(ports)}]}
    return make("Pod", name, namespace, labels=labels, spec=spec)


def namespace(name: str, labels: dict[str, str]) -> Any:
    """With these labels."""
    return make("Namespace", name, labels=labels)


def policy(record: model.Policy) -> Any:
    """The policy that has this record."""
    spec = {
        "podSelector": _selector(record.pods),
        "policyTypes": _TYPES[record.policy_type],
        "ingress": [{"ports": list(map(_port, r.ports)), "from": list(map(_peer, r.peers))} for r in record.ingress],
        "egress": [{"ports": list(map(_port, r.ports)), "to": list(map(_peer, r.peers))} for r in record.egress],
    }
    return make("NetworkPolicy", record.name, record.namespace, spec=spec)


def _selector(selector: model.Selector) -> dict[str, Any]:
    expressions = [
        {"key": e.key, "operator": _OPERATORS[e.operator], "values": list(e.values)} for e in selector.match_expressions
    ]
    return {"matchLabels": dict(selector.match_labels), "matchExpressions": expressions}


def _port(port: model.PolicyPort) -> dict[str, Any]:
    found: dict[str, Any] = {"protocol": port.protocol}
    if port.name or port.number:
        found["port"] = port.name or port.number
    return found | ({"endPort": port.end} if port.end else {})


def _peer(peer: model.Peer) -> dict[str, Any]:
    if peer.ip_block is not None:
        return {"ipBlock": {"cidr": str(peer.ip_block.cidr), "except": list(map(str, peer.ip_block.excepts))}}
    found = {}
    if peer.pods is not None:
        found["podSelector"] = _selector(peer.pods)
    if peer.namespaces is not None:
        found["namespaceSelector"] = _selector(peer.namespaces)
    return found
