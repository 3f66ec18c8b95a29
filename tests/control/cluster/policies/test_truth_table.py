"""The truth table: what it says, what the documentation's rules say, and what the ACLs of two nodes do, are one."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from tests.control.cluster.policies.build import namespace, pod, policy
from tests.control.cluster.policies.truth_table import CASES, PODS, Case, Step
from tests.control.cluster.policies.two_nodes import TwoNodes
from tests.naive.network_policy import allowed
from vectorplane.control.cluster.model.base import ObjectId


def nine_pods() -> tuple[TwoNodes, dict[str, str]]:
    """a and c on the first node, b on the second."""
    cluster = TwoNodes()
    cluster.put(*map(namespace, "xyz"))
    found = {f"{n}/{p}": str(cluster.run(p == "b", pod(f"{n}/{p}"))) for n, p in PODS}
    return cluster, found


def _take(cluster: TwoNodes, step: Step, addresses: dict[str, str]) -> None:
    for key, labels in step.labels:
        if "/" in key:
            cluster.put(cluster.pod(*key.split("/")).model_copy(update={"labels": labels}))
        else:
            cluster.put(namespace(key, **labels))
    cluster.put(*step.policies(addresses))
    state = cluster.drivers[0].state
    for key in step.delete:
        cluster.delete(state.policies[ObjectId(*key.split("/"))])


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_case(case: Case) -> None:
    cluster, addresses = nine_pods()
    for step in case.steps:
        _take(cluster, step, addresses)
        cluster.check()
        lists, oracle = cluster.lists, cluster.oracle
        for check in step.checks:
            for source in PODS:
                for destination in PODS:
                    one, other = cluster.pod(*source), cluster.pod(*destination)
                    what = f"{source} > {destination} {check.protocol} {check.port}"
                    expected = check.allowed(source, destination)
                    assert allowed(oracle, one, other, check.protocol, check.port) == expected, f"documentation: {what}"
                    assert cluster.connects(one, other, check.protocol, check.port, lists=lists) == expected, what


def test_the_node_and_its_pods_always_talk() -> None:
    cluster, _ = nine_pods()
    cluster.put(policy("x/deny", ingress=(), egress=()))
    here, there = cluster.node_addresses(0), cluster.node_addresses(1)
    for address in here | there | {ip_address("198.51.100.1")}:
        for one, other in ((address, cluster.pod("x", "a")), (cluster.pod("x", "a"), address)):
            expected = address in here
            assert allowed(cluster.oracle, one, other, "TCP", 10250) == expected
            assert cluster.connects(one, other, "TCP", 10250) == expected
