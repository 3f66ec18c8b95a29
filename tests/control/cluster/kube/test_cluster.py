"""The stand-in API and its controllers, one behaviour at a time."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.control.cluster.kube.known import FakeKubelet, cluster, containers, make, node, pod, service, workload
from vectorplane.control.cluster.kube.api.cluster import KubeCluster
from vectorplane.control.cluster.kube.api.error import KubeError
from vectorplane.control.cluster.kube.model.endpoints import Endpoints
from vectorplane.control.cluster.kube.model.nodes import Namespace, Node
from vectorplane.control.cluster.kube.model.pods import Pod
from vectorplane.control.cluster.kube.model.services import Service
from vectorplane.control.cluster.kube.model.workloads import DaemonSet, Deployment


def spread(made: KubeCluster) -> Counter[str]:
    return Counter(p.spec.nodeName for p in made.list_of(Pod))


def names(made: KubeCluster) -> list[str]:
    return [p.name for p in made.list_of(Pod)]


def test_answers_as_kubectl() -> None:
    made = cluster("a")
    assert made.apply(pod("web")) == "pod/web created"
    made.settle()
    assert made.apply(pod("web")) == "pod/web unchanged"
    assert made.apply(pod("web", labels={"x": "y"})) == "pod/web configured"
    assert made.apply(workload("Deployment", "d")) == "deployment.apps/d created"
    assert made.delete(Pod, "web") == 'pod "web" deleted'
    with pytest.raises(KubeError, match="Pod default/nobody: not found"):
        made.delete(Pod, "nobody")


def test_pods_go_where_the_fewest_are_ties_by_name() -> None:
    made = cluster("b", "a", "c")
    made.apply(pod("one", nodeName="a"))
    made.apply(pod("two"))
    made.settle()
    assert made.get(Pod, "two").spec.nodeName == "b"  # type: ignore[union-attr]
    made.apply(workload("Deployment", "d", 4))
    made.settle()
    assert spread(made) == {"a": 2, "b": 2, "c": 2}


def test_a_node_selector_waits_for_a_node() -> None:
    made = cluster("a")
    made.apply(pod("picky", nodeSelector={"disk": "ssd"}))
    made.settle()
    assert list(map(str, made.errors())) == ["Pod default/picky"]
    made.label(Node, "a", {"disk": "ssd"})
    made.settle()
    assert made.get(Pod, "picky").running and not made.errors()  # type: ignore[union-attr]


def test_a_kubelet_that_fails_is_asked_again() -> None:
    kubelet = FakeKubelet()
    made = cluster("a", kubelet=kubelet)
    kubelet.broken = {"a"}
    made.apply(pod("web"))
    made.settle()
    assert made.get(Pod, "web").status.phase == "Pending"  # type: ignore[union-attr]
    assert list(made.errors().values()) == ["a is broken"]
    kubelet.broken = set()
    made.settle()
    assert made.get(Pod, "web").running and not made.errors()  # type: ignore[union-attr]
    kubelet.broken = {"a"}
    made.delete(Pod, "web")
    made.settle()
    assert made.get(Pod, "web").deleting  # type: ignore[union-attr]
    with pytest.raises(KubeError, match="is being deleted"):
        made.apply(pod("web"))
    kubelet.broken = set()
    made.settle()
    assert made.get(Pod, "web") is None and not kubelet.running


def test_host_network_pods_need_no_kubelet() -> None:
    kubelet = FakeKubelet()
    made = cluster("a", kubelet=kubelet)
    made.apply(pod("agent", hostNetwork=True))
    made.settle()
    assert str(made.get(Pod, "agent").address) == "192.168.56.11" and not kubelet.running  # type: ignore[union-attr]
    made.apply(node("a", "192.168.56.99"))
    made.settle()
    status = made.get(Pod, "agent").status  # type: ignore[union-attr]
    assert str(status.podIP) == str(status.hostIP) == "192.168.56.99"


def test_a_deployment_scales_and_its_pods_come_back() -> None:
    made = cluster("a", "b")
    made.apply(workload("Deployment", "web", 3))
    made.settle()
    first = names(made)
    assert len(first) == 3 and all(n.startswith("web-") and len(n) == 9 for n in first)
    made.scale(Deployment, "web", 5)
    made.settle()
    assert set(first) < set(names(made)) and len(names(made)) == 5
    made.scale(Deployment, "web", 2)
    made.settle()
    assert len(names(made)) == 2 and set(names(made)) <= set(first)
    made.delete(Pod, names(made)[0])
    made.settle()
    assert len(names(made)) == 2 and len(set(names(made)) & set(first)) == 1
    made.delete(Deployment, "web")
    made.settle()
    assert names(made) == []


def test_the_same_requests_make_the_same_names() -> None:
    one, two = cluster("a"), cluster("a")
    for made in (one, two):
        made.apply(workload("Deployment", "web", 4))
        made.settle()
    assert names(one) == names(two)


def test_a_new_template_replaces_pods_and_there_are_never_too_few() -> None:
    made = cluster("a")
    made.apply(workload("Deployment", "web", 3))
    made.settle()
    old = set(names(made))
    made.apply(workload("Deployment", "web", 3, labels={"v": "2"}))
    while made.reconcile():
        assert sum(p.running for p in made.list_of(Pod)) >= 3
    assert len(names(made)) == 3 and not old & set(names(made))
    assert {p.labels["v"] for p in made.list_of(Pod)} == {"2"}


def test_recreate_has_no_old_pods_beside_new_ones() -> None:
    made = cluster("a")
    made.apply(workload("Deployment", "web", 2, strategy={"type": "Recreate"}))
    made.settle()
    made.apply(workload("Deployment", "web", 2, labels={"v": "2"}, strategy={"type": "Recreate"}))
    while made.reconcile():
        assert len({p.labels.get("v") for p in made.list_of(Pod)}) <= 1
    assert [p.labels["v"] for p in made.list_of(Pod)] == ["2", "2"]


def test_applying_without_replicas_keeps_the_scale() -> None:
    made = cluster("a")
    made.apply(workload("Deployment", "web", None))
    made.scale(Deployment, "web", 4)
    assert made.apply(workload("Deployment", "web", None)) == "deployment.apps/web unchanged"
    made.settle()
    assert len(names(made)) == 4


def test_a_stateful_set_has_numbers() -> None:
    made = cluster("a", "b")
    made.apply(workload("StatefulSet", "db", 3))
    made.settle()
    assert names(made) == ["db-0", "db-1", "db-2"]
    made.apply(workload("StatefulSet", "db", 2, labels={"v": "2"}))
    made.settle()
    assert names(made) == ["db-0", "db-1"] and {p.labels["v"] for p in made.list_of(Pod)} == {"2"}


def test_a_replica_set_leaves_its_pods_as_they_are() -> None:
    made = cluster("a")
    made.apply(workload("ReplicaSet", "rs", 2))
    made.settle()
    before = names(made)
    made.apply(workload("ReplicaSet", "rs", 2, labels={"v": "2"}))
    made.settle()
    assert names(made) == before


def test_a_daemon_set_is_on_every_node_that_it_is_for() -> None:
    made = cluster("a", "b")
    made.cordon("b")
    made.apply(workload("DaemonSet", "agent", None))
    made.settle()
    assert spread(made) == {"a": 1, "b": 1}
    made.drain("a")
    made.apply(node("c", "192.168.56.50"))
    made.settle()
    assert spread(made) == {"a": 1, "b": 1, "c": 1}
    made.delete(Node, "b")
    made.settle()
    assert spread(made) == {"a": 1, "c": 1}
    with pytest.raises(KubeError, match="as many pods as there are nodes"):
        made.scale(DaemonSet, "agent", 3)


def test_drain_moves_what_a_deployment_makes_and_ends_the_rest() -> None:
    made = cluster("a", "b")
    made.apply(workload("Deployment", "web", 4))
    made.apply(pod("bare", nodeName="a"))
    made.settle()
    told = made.drain("a")
    assert told[0] == "node/a cordoned" and "pod/bare evicted" in told
    made.settle()
    assert spread(made) == {"b": 4}
    assert made.cordon("a", on=False) == "node/a uncordoned"
    made.scale(Deployment, "web", 6)
    made.settle()
    assert spread(made) == {"a": 2, "b": 4}


def test_applying_a_cordoned_nodes_manifest_does_not_uncordon_it() -> None:
    made = cluster("a")
    made.cordon("a")
    assert made.apply(node("a", "192.168.56.11")) == "node/a unchanged"
    assert not made.get(Node, "a").schedulable  # type: ignore[union-attr]


def test_a_node_that_goes_takes_its_pods_along() -> None:
    kubelet = FakeKubelet()
    made = cluster("a", "b", kubelet=kubelet)
    made.apply(workload("Deployment", "web", 2))
    made.settle()
    kubelet.broken = {"a"}
    made.delete(Node, "a")
    made.settle()
    assert spread(made) == {"b": 2}


def test_a_namespace_goes_with_all_that_is_in_it() -> None:
    made = cluster("a")
    with pytest.raises(KubeError, match="there is no namespace shop"):
        made.apply(pod("web", "shop"))
    made.apply(make("Namespace", "shop"))
    made.apply(pod("web", "shop"))
    made.apply(service("web", {"a": "b"}, "shop"))
    made.settle()
    made.delete(Namespace, "shop")
    with pytest.raises(KubeError, match="namespace shop is being deleted"):
        made.apply(pod("more", "shop"))
    made.settle()
    assert made.get(Namespace, "shop") is None
    assert not [o for o in made.objects if o.namespace == "shop"]
    with pytest.raises(KubeError, match="can't be deleted"):
        made.delete(Namespace, "default")


def test_namespaces_and_nodes_have_their_labels() -> None:
    made = cluster("a")
    assert made.get(Namespace, "default").labels == {"kubernetes.io/metadata.name": "default"}  # type: ignore[union-attr]
    assert made.get(Node, "a").labels == {"kubernetes.io/hostname": "a"}  # type: ignore[union-attr]


def test_cluster_addresses() -> None:
    made = cluster("a")
    made.apply(service("one"))
    made.apply(service("two", clusterIP="10.96.0.4"))
    made.apply(service("three"))
    made.apply(service("four"))
    made.apply(service("headless", clusterIP="None"))

    def addresses() -> dict[str, str]:
        return {s.name: s.cluster_ip for s in made.list_of(Service)}

    expected = {"one": "10.96.0.2", "two": "10.96.0.4", "three": "10.96.0.3", "four": "10.96.0.5", "headless": "None"}
    assert addresses() == expected
    assert made.apply(service("one")) == "service/one unchanged"
    made.delete(Service, "one")
    made.apply(service("five"))
    assert addresses()["five"] == "10.96.0.2"
    for asked, reason in (
        ("10.96.0.4", "10.96.0.4 is taken by Service default/two"),
        ("10.96.0.1", "taken by Service default/kubernetes"),
        ("10.97.0.9", "no address for a service: they are in 10.96.0.0/24"),
        ("10.96.0.255", "no address for a service"),
    ):
        with pytest.raises(KubeError, match=reason):
            made.apply(service("more", clusterIP=asked))
    with pytest.raises(KubeError, match="can't be changed"):
        made.apply(service("two", clusterIP="10.96.0.9"))
    for i in range(300):
        try:
            made.apply(service(f"s{i}"))
        except KubeError as error:
            assert "no address of 10.96.0.0/24 is free" in str(error)
            break
    assert len(set(addresses().values())) == 254  # .2 to .254 and None


def test_node_ports() -> None:
    made = cluster("a")
    fixed = [{"port": 80, "nodePort": 30080}]
    made.apply(service("one", type="NodePort", ports=fixed))
    made.apply(service("two", type="NodePort"))

    def ports(name: str) -> list[int]:
        return [p.nodePort for p in made.get(Service, name).spec.ports]  # type: ignore[union-attr]

    assert ports("one") == [30080] and ports("two") == [30086]
    assert made.apply(service("two", type="NodePort")) == "service/two unchanged"
    with pytest.raises(KubeError, match=r"spec.ports\[0\].nodePort: 30080 is taken by Service default/one"):
        made.apply(service("three", type="NodePort", ports=fixed))
    both = [{"name": "t", "port": 53, "protocol": p, "nodePort": 30053} | {"name": p.lower()} for p in ("TCP", "UDP")]
    made.apply(service("dns", type="NodePort", ports=both))
    assert ports("dns") == [30053, 30053]
    made.apply(service("one"))
    assert ports("one") == [0]
    made.apply(service("three", type="NodePort", ports=fixed))


def test_load_balancers() -> None:
    made = cluster("a")
    made.apply(service("lb", type="LoadBalancer", loadBalancerIP="20.0.0.1"))
    found = made.get(Service, "lb")
    assert found is not None and [str(i.ip) for i in found.status.loadBalancer.ingress] == ["20.0.0.1"]
    assert found.spec.ports[0].nodePort
    made.apply(service("lb", type="LoadBalancer", loadBalancerIP="20.0.0.1", allocateLoadBalancerNodePorts=False))
    assert made.get(Service, "lb").spec.ports[0].nodePort == 0  # type: ignore[union-attr]


def test_endpoints_of_named_ports_are_in_subsets() -> None:
    made = cluster("a")
    for name, number in (("one", 80), ("two", 8080), ("three", 80)):
        made.apply(pod(name, labels={"app": "web"}, containers=containers(("http", number))))
    made.apply(pod("deaf", labels={"app": "web"}, containers=containers(("other", 1))))
    made.apply(service("web", {"app": "web"}))
    made.settle()
    found = made.get(Endpoints, "web")
    assert found is not None
    by_port = {s.ports[0].port: [a.targetRef.name for a in s.addresses if a.targetRef] for s in found.subsets}
    assert by_port == {80: ["one", "three"], 8080: ["two"]}


def test_readiness() -> None:
    made = cluster("a")
    made.apply(pod("one", labels={"app": "web"}))
    made.apply(service("web", {"app": "web"}))
    made.settle()
    made.set_ready("one", False)
    made.settle()
    [subset] = made.get(Endpoints, "web").subsets  # type: ignore[union-attr]
    assert not subset.addresses and len(subset.notReadyAddresses) == 1


def test_endpoints_without_a_selector_are_left_alone() -> None:
    made = cluster("a")
    subsets = [{"addresses": [{"ip": "1.2.3.4"}], "ports": [{"port": 80}]}]
    made.apply(service("out"))
    made.apply(make("Endpoints", "out", subsets=subsets))
    made.settle()
    assert str(made.get(Endpoints, "out").subsets[0].addresses[0].ip) == "1.2.3.4"  # type: ignore[union-attr]
    made.apply(service("out", {"app": "none"}))
    made.settle()
    assert made.get(Endpoints, "out").subsets == ()  # type: ignore[union-attr]
    made.delete(Service, "out")
    made.settle()
    assert made.get(Endpoints, "out") is None


def test_what_can_not_change() -> None:
    made = cluster("a")
    made.apply(pod("web"))
    made.settle()
    with pytest.raises(KubeError, match=r"Pod default/web: spec.hostNetwork: can't be changed"):
        made.apply(pod("web", hostNetwork=True))
    made.apply(workload("Deployment", "d"))
    other = make(
        "Deployment",
        "d",
        spec={
            "selector": {"matchLabels": {"b": "c"}},
            "template": {"metadata": {"labels": {"b": "c"}}, "spec": {"containers": containers()}},
        },
    )
    with pytest.raises(KubeError, match=r"spec.selector: can't be changed"):
        made.apply(other)
    with pytest.raises(KubeError, match=r"metadata.labels.x: expected a label's value"):
        made.label(Pod, "web", {"x": "not a value!"})


def test_a_pod_that_gets_other_labels_changes_services() -> None:
    made = cluster("a")
    made.apply(pod("one", labels={"app": "web", "all": "same"}))
    for name in ("web", "db"):
        made.apply(service(name, {"app": name, "all": "same"}))
    made.settle()

    def served(name: str) -> int:
        return sum(len(s.addresses) for s in made.get(Endpoints, name).subsets)  # type: ignore[union-attr]

    assert (served("web"), served("db")) == (1, 0)
    made.label(Pod, "one", {"app": "db"})
    made.settle()
    assert (served("web"), served("db")) == (0, 1)
    made.label(Pod, "one", {"app": None})
    made.settle()
    assert (served("web"), served("db")) == (0, 0)
