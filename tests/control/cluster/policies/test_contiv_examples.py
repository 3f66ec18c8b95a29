"""Contiv-VPP's own examples of its ACL renderer, as far as the verdicts must be the same here.

Its addresses 10.10.0.0/16 are 10.1.0.0/16 here. How many lists there are is only compared where the design is alike.
"""

from __future__ import annotations

from ipaddress import ip_address

from tests.control.cluster.policies.build import block, pod, policy, port, select
from tests.control.cluster.policies.build import rule as allow
from tests.control.cluster.policies.two_nodes import TwoNodes
from vectorplane.backends.items import Acl

INTERNET = ip_address("8.8.8.8")
PODS_10 = "10.0.0.0/8"


def _cluster() -> TwoNodes:
    """pod1, pod2 and pod3 on node 1, pod6 on node 2."""
    cluster = TwoNodes()
    for name in ("pod1", "pod2", "pod3"):
        cluster.run(0, pod(f"x/{name}"))
    cluster.run(1, pod("x/pod6"))
    return cluster


def _lists(cluster: TwoNodes) -> int:
    return sum(isinstance(item, Acl) for item in cluster.drivers[0].items.values())


def test_one_pod_one_rule() -> None:
    cluster = _cluster()
    cluster.put(policy("x/p", select(pod="pod1"), ingress=(allow(block("10.1.0.0/16"), ports=(port(),)),)))
    pod1 = cluster.pod("x", "pod1")
    assert _lists(cluster) == 2
    assert cluster.connects(ip_address("10.1.50.1"), pod1, "TCP", 7)
    assert not cluster.connects(ip_address("10.1.50.1"), pod1, "UDP", 7)
    assert not cluster.connects(INTERNET, pod1, "TCP", 7)


def test_two_pods_with_the_same_rules_share_them() -> None:
    cluster = _cluster()
    both = select(("pod", "IN", "pod1", "pod2"))
    cluster.put(policy("x/p", both, ingress=(allow(block("10.1.0.0/16"), ports=(port(),)),)))
    assert _lists(cluster) == 2


def test_both_directions_of_two_pods() -> None:
    cluster = _cluster()
    pod1, pod3, pod6 = (cluster.pod("x", name) for name in ("pod1", "pod3", "pod6"))
    only1, only3 = select(pod="pod1"), select(pod="pod3")
    udp161 = allow(ports=(port(161, "UDP"),))
    to_pod1 = allow(block(f"{pod1.ip_address}/32"), ports=(port(0, "UDP"),))
    web = allow(block(PODS_10), ports=(port(80), port(443)))
    cluster.put(
        policy("x/pod1-out", only1, egress=(udp161,)),
        policy("x/pod3-out", only3, egress=(to_pod1, allow(ports=(port(22),)))),
        policy("x/pod3-in", only3, ingress=(web, allow(ports=(port(67, "UDP"),)))),
    )
    assert not cluster.connects(pod1, pod3, "UDP", 161)
    assert cluster.connects(pod1, pod6, "UDP", 161)
    assert not cluster.connects(pod1, pod6, "UDP", 162)
    assert cluster.connects(pod3, pod1, "TCP", 22)
    assert cluster.connects(INTERNET, pod3, "UDP", 67)
    assert not cluster.connects(INTERNET, pod3, "TCP", 80)
    dns = allow(block(PODS_10), ports=(port(53, "UDP"),))
    syslog = allow(block("192.168.0.0/16"), ports=(port(514, "UDP"),))
    cluster.put(
        policy("x/pod1-out", only1, egress=(udp161, allow(block("10.1.0.0/16"), ports=(port(80),)))),
        policy("x/pod1-in", only1, ingress=(dns, syslog)),
    )
    assert cluster.connects(pod1, pod3, "TCP", 80)
    assert cluster.connects(pod1, pod6, "TCP", 80)
    assert not cluster.connects(pod1, INTERNET, "TCP", 80)
    assert cluster.connects(pod3, pod1, "UDP", 53)
    for protocol, number in (("UDP", 161), ("UDP", 514), ("TCP", 22)):
        assert not cluster.connects(pod3, pod1, protocol, number)
    assert cluster.connects(ip_address("192.168.77.1"), pod1, "UDP", 514)
