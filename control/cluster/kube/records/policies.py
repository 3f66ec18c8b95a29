"""Records of network policies."""

from __future__ import annotations

from typing import Literal

from vectorplane.control.cluster.kube.model.policies import NetworkPolicy, PolicyPeer, PolicyPort
from vectorplane.control.cluster.kube.model.selector import LabelSelector
from vectorplane.control.cluster.kube.records.simple import sorted_labels
from vectorplane.control.cluster.model import policy as model

_Operator = Literal["IN", "NOT_IN", "EXISTS", "DOES_NOT_EXIST"]
_OPERATORS: dict[str, _Operator] = {"In": "IN", "NotIn": "NOT_IN", "Exists": "EXISTS", "DoesNotExist": "DOES_NOT_EXIST"}
_TYPES = {
    frozenset({"Ingress"}): model.PolicyType.INGRESS,
    frozenset({"Egress"}): model.PolicyType.EGRESS,
    frozenset({"Ingress", "Egress"}): model.PolicyType.BOTH,
}


def policy_record(policy: NetworkPolicy) -> model.Policy:
    """The record of a policy. Its type is always told; rules of a direction that it does not isolate are left out."""
    spec = policy.spec
    ingress = spec.ingress if "Ingress" in spec.directions else ()
    egress = spec.egress if "Egress" in spec.directions else ()
    return model.Policy(
        name=policy.name,
        namespace=policy.namespace,
        pods=_selector(spec.podSelector),
        policy_type=_TYPES[spec.directions],
        ingress=tuple(_rule(rule.ports, rule.from_) for rule in ingress),
        egress=tuple(_rule(rule.ports, rule.to) for rule in egress),
    )


def _rule(ports: tuple[PolicyPort, ...], peers: tuple[PolicyPeer, ...]) -> model.PolicyRule:
    return model.PolicyRule(ports=tuple(map(_port, ports)), peers=tuple(map(_peer, peers)))


def _port(port: PolicyPort) -> model.PolicyPort:
    if isinstance(port.port, str):
        return model.PolicyPort(protocol=port.protocol, name=port.port)
    return model.PolicyPort(protocol=port.protocol, number=port.port or 0, end=port.endPort or 0)


def _peer(peer: PolicyPeer) -> model.Peer:
    if peer.ipBlock is not None:
        return model.Peer(ip_block=model.IpBlock(cidr=peer.ipBlock.cidr, excepts=peer.ipBlock.except_))
    pods, namespaces = peer.podSelector, peer.namespaceSelector
    return model.Peer(
        pods=None if pods is None else _selector(pods),
        namespaces=None if namespaces is None else _selector(namespaces),
    )


def _selector(selector: LabelSelector) -> model.Selector:
    return model.Selector(
        match_labels=sorted_labels(selector.matchLabels),
        match_expressions=tuple(
            model.Expression(key=r.key, operator=_OPERATORS[r.operator], values=r.values)
            for r in selector.matchExpressions
        ),
    )
