"""What the documentation's evaluator is to know of a simulated cluster: the store's records, and addresses."""

from __future__ import annotations

from typing import Any

from tests.naive.network_policy import Cluster as Naive
from vectorplane.control.cluster.ipam.check import pools_of
from vectorplane.control.cluster.simulated.cluster import Cluster
from vectorplane.control.cluster.state import ClusterState


def oracle(cluster: Cluster, *, sctp: bool = False) -> Naive:
    """Of the cluster as it is. ``sctp``: as far as SCTP goes, which VPP's access lists do not know the ports of."""
    state = ClusterState()
    state.load(cluster.store.list("").entries)
    pools = pools_of(cluster.settings.ipam)
    addresses = {}
    for name, node in cluster.nodes.items():
        assert node.agent.node is not None
        number = node.agent.node.id
        own = (pools.node_address(number), pools.host_link_linux(number), pools.host_link_vpp(number))
        addresses[name] = {node.management, pools.vxlan_address(number).ip, *(one.ip for one in own)}
    where = {
        (pod.namespace, pod.name): name for name, node in cluster.nodes.items() for pod in node.containers.sandboxes
    }
    policies = list(state.policies.values())
    return Naive(
        list(state.pods.values()),
        list(state.namespaces.values()),
        [_without_sctp_ports(policy) for policy in policies] if sctp else policies,
        addresses,
        where,
    )


def _without_sctp_ports(policy: Any) -> Any:
    """VPP takes ports from TCP and UDP only (acl plugin, `acl_fill_5tuple_l4_and_pkt_data`): those of SCTP are 0 there.

    So a rule about a port of SCTP fits no packet, and one without a port all of SCTP. Rules with no port left
    say nothing.
    """
    return policy.model_copy(update={way: _rules(getattr(policy, way)) for way in ("ingress", "egress")})


def _rules(rules: tuple[Any, ...]) -> tuple[Any, ...]:
    found = []
    for rule in rules:
        ports = tuple(p for p in rule.ports if p.protocol != "SCTP" or not (p.number or p.name))
        if ports or not rule.ports:
            found.append(rule.model_copy(update={"ports": ports}))
    return tuple(found)
