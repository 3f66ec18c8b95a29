"""What policies cost in a large cluster. The limits are generous; the figures are in docs/decisions/policies.md."""

from __future__ import annotations

import time
from collections.abc import Callable
from ipaddress import ip_address, ip_interface

import pytest

from tests.control.cluster.driver import Driver
from tests.control.cluster.policies.build import (
    block,
    both,
    endpoints,
    namespace,
    namespaces,
    pod,
    pods,
    policy,
    port,
    select,
    service,
)
from tests.control.cluster.policies.build import rule as allow
from vectorplane.control.cluster.ipam.node_id import NodeRecord
from vectorplane.control.cluster.ipam.pod import PodId
from vectorplane.control.cluster.model.base import ObjectId
from vectorplane.control.cluster.model.node import INTERNAL_IP, Node, NodeAddress
from vectorplane.control.cluster.model.policy import Policy
from vectorplane.control.cluster.model.service import ServicePort
from vectorplane.control.cluster.policies.handler import Policies
from vectorplane.control.cluster.this_node import LocalPod

NODES, PODS, SERVICES, SPACES, APPS = 100, 10_000, 1_000, 50, 20
"""1,000 policies: one for each app of each namespace."""


def _policy(space: int, app: int) -> Policy:
    """Ten kinds, taking turns."""
    of, other = select(app=f"app{app}"), f"app{(app + 1) % APPS}"
    ingress = [
        (allow(pods(app=other), ports=(port(80),)),),
        (allow(namespaces(team=f"team{space % 10}")),),
        (allow(both(select(team=f"team{space % 10}"), select(app=other)), ports=(port("http"),)),),
        (allow(namespaces(), ports=(port(80),)),),
        (),
    ][app % 5]
    egress = [
        None,
        (allow(pods(app=other)),),
        (allow(namespaces(team=f"team{space % 10}"), ports=(port(80),)), allow(namespaces(), ports=(port(53, "UDP"),))),
        (allow(block("0.0.0.0/0", "10.0.0.0/8")), allow(pods())),
        None,
    ][app % 5]
    return policy(f"ns{space}/app{app}", of, ingress=ingress, egress=egress)


def _large() -> Driver:
    driver = Driver(Policies)
    state, pools = driver.state, driver.node.ipam.pools
    for n in range(1, NODES + 1):
        address = NodeAddress(type=INTERNAL_IP, address=f"10.200.0.{n}")
        state.put_record(NodeRecord(id=n, name=f"node-{n}", ip_addresses=(ip_interface(f"192.168.16.{n}/24"),)))
        state.put_record(Node(name=f"node-{n}", addresses=(address,)))
    for n in range(SPACES):
        state.put_record(namespace(f"ns{n}", team=f"team{n % 10}"))
    served: dict[tuple[int, int], list[str]] = {}
    taken = [0] * NODES
    for i in range(PODS):
        space, app, on = i % SPACES, i // SPACES % APPS, (i // SPACES + i) % NODES
        at = str(pools.pod_subnet(on + 1).network.network_address + 2 + taken[on])
        taken[on] += 1
        served.setdefault((space, app), []).append(at)
        state.put_record(pod(f"ns{space}/pod{i}", at, {"app": f"app{app}"}))
        if on == 0:
            identity = PodId(f"ns{space}", f"pod{i}")
            driver.node.pods[identity] = LocalPod(identity, f"pod{i}", ip_address(at))
    for space in range(SPACES):
        for app in range(APPS):
            state.put_record(_policy(space, app))
            where, number = f"ns{space}/app{app}", space * APPS + app
            ports = (ServicePort(name="http", port=80, node_port=30000 + number if number < 20 else 0),)
            state.put_record(service(where, f"10.96.{number // 250}.{number % 250 + 1}", ports))
            state.put_record(endpoints(where, {"http": (80, "TCP")}, *served[space, app]))
    return driver


def _seconds(what: Callable[[], object]) -> float:
    """Of the processor's time, so that neighbours on the machine do not count."""
    start = time.process_time()
    what()
    return time.process_time() - start


@pytest.mark.slow
def test_scale() -> None:
    driver = _large()
    took = {"resync": _seconds(driver.resync)}
    state = driver.state
    local = next(p for p in driver.node.pods if state.pods[p].labels["app"] == "app1")
    where = ObjectId(local.namespace, "app1")
    others = [p for p in state.pods.values() if p.namespace == local.namespace and p.id not in driver.node.pods]
    peer = next(p for p in others if p.labels["app"] == "app2")
    took["remote pod's labels"] = _seconds(lambda: driver.put(peer.model_copy(update={"labels": {"app": "app3"}})))
    took["remote pod goes"] = _seconds(lambda: driver.delete(peer))
    took["remote pod comes"] = _seconds(lambda: driver.put(peer))
    link = driver.node.pods[local]
    took["local pod goes"] = _seconds(lambda: driver.delete_pod(*local))
    took["local pod comes"] = _seconds(lambda: driver.add_pod(*local, str(link.address)))
    changed = state.policies[where].model_copy(update={"ingress": (allow(pods()),)})
    took["policy"] = _seconds(lambda: driver.put(changed))
    took["policy goes"] = _seconds(lambda: driver.delete(changed))
    served = state.endpoints[ObjectId(local.namespace, "app2")].subsets[0]
    fewer = served.model_copy(update={"addresses": served.addresses[1:]})
    took["endpoints"] = _seconds(
        lambda: driver.put(state.endpoints[ObjectId(local.namespace, "app2")].model_copy(update={"subsets": (fewer,)}))
    )
    took["namespace's labels"] = _seconds(lambda: driver.put(namespace("ns7", team="team2")))
    took["node comes"] = _seconds(
        lambda: driver.put(
            Node(name="node-x", addresses=(NodeAddress(type=INTERNAL_IP, address="10.200.1.1"),)),
            NodeRecord(id=200, name="node-x", ip_addresses=(ip_interface("192.168.17.1/16"),)),
        )
    )
    rules = [len(i.rules) for i in driver.items.values() if hasattr(i, "rules")]
    print(f"{len(rules)} lists, {sum(rules)} rules, longest {max(rules)}")
    for what, seconds in took.items():
        print(f"{what}: {seconds * 1e3:.2f} ms")
    driver.check()
    assert took["resync"] < 4
    for what in took.keys() - {"resync", "node comes"}:
        assert took[what] < 0.06, what
