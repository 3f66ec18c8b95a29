"""Objects to records, by the defaults of Kubernetes' API."""

from __future__ import annotations

import pytest

from tests.control.cluster.kube.known import containers, make, pod, service
from vectorplane.control.cluster.kube.model.pods import PodStatus
from vectorplane.control.cluster.kube.records.endpoints import endpoints_record, slices_record
from vectorplane.control.cluster.kube.records.policies import policy_record
from vectorplane.control.cluster.kube.records.simple import node_record, pod_record, service_record
from vectorplane.control.cluster.model.policy import PolicyType

RULE = [{"ports": [{"port": 80}]}]


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({}, PolicyType.INGRESS),
        ({"ingress": RULE}, PolicyType.INGRESS),
        ({"egress": RULE}, PolicyType.BOTH),
        ({"policyTypes": [], "egress": RULE}, PolicyType.BOTH),
        ({"policyTypes": ["Ingress"], "egress": RULE}, PolicyType.INGRESS),
        ({"policyTypes": ["Egress"], "ingress": RULE}, PolicyType.EGRESS),
        ({"policyTypes": ["Egress", "Ingress"]}, PolicyType.BOTH),
    ],
)
def test_policy_types(spec: dict[str, object], expected: PolicyType) -> None:
    record = policy_record(make("NetworkPolicy", "p", spec=spec))
    assert record.policy_type == expected
    # rules of a direction that it does not isolate say nothing
    assert bool(record.ingress) == ("ingress" in spec and record.is_ingress)
    assert bool(record.egress) == ("egress" in spec and record.is_egress)


def test_a_policy() -> None:
    peer = {
        "podSelector": {"matchExpressions": [{"key": "tier", "operator": "NotIn", "values": ["db"]}]},
        "namespaceSelector": {},
    }
    ports = [{"port": "http"}, {"protocol": "SCTP"}, {"protocol": "UDP", "port": 1000, "endPort": 2000}]
    spec = {"podSelector": {"matchLabels": {"a": "b"}}, "ingress": [{"from": [peer], "ports": ports}]}
    [rule] = policy_record(make("NetworkPolicy", "p", spec=spec)).ingress
    told = [(p.protocol, p.name, p.number, p.end) for p in rule.ports]
    assert told == [("TCP", "http", 0, 0), ("SCTP", "", 0, 0), ("UDP", "", 1000, 2000)]
    [found] = rule.peers
    assert found.pods is not None and found.namespaces is not None and found.namespaces.selects({})
    assert found.pods.selects({}) and found.pods.selects({"tier": "web"}) and not found.pods.selects({"tier": "db"})


def test_a_service_has_the_defaults_of_the_api() -> None:
    record = service_record(make("Service", "s", spec={"ports": [{"port": 80}], "sessionAffinity": "ClientIP"}))
    assert (record.type, record.ports[0].protocol, record.ports[0].target_port) == ("ClusterIP", "TCP", "80")
    assert record.session_affinity_timeout == 10800
    assert (record.external_traffic_policy, record.internal_traffic_policy) == ("Cluster", "Cluster")
    assert service_record(service("s")).session_affinity_timeout == 0


def test_load_balancer_addresses_are_of_load_balancers() -> None:
    status = {"loadBalancer": {"ingress": [{"ip": "20.0.0.1"}, {"hostname": "lb.example.org"}]}}
    for kind, expected in (("LoadBalancer", ["20.0.0.1"]), ("NodePort", [])):
        made = make("Service", "s", spec={"type": kind, "ports": [{"port": 80}]}, status=status)
        assert list(map(str, service_record(made).lb_ingress_ips)) == expected


def test_a_pod() -> None:
    made = pod("web", labels={"b": "2", "a": "1"}, containers=containers(("http", 80)))
    assert pod_record(made).ip_address is None and list(pod_record(made).labels) == ["a", "b"]
    status = PodStatus.model_validate({"phase": "Running", "podIP": "10.1.1.2", "hostIP": "10.1.1.2"})
    record = pod_record(made.with_status(status))
    assert record.host_network and record.ports[0].name == "http"
    over = status.model_copy(update={"phase": "Succeeded"})
    assert pod_record(made.with_status(over)).ip_address is None


def test_a_node() -> None:
    addresses = [{"type": "Hostname", "address": "n"}, {"type": "InternalIP", "address": "1.2.3.4"}]
    record = node_record(make("Node", "n", spec={"podCIDR": "10.1.1.0/24"}, status={"addresses": addresses}))
    assert list(map(str, record.management)) == ["1.2.3.4"] and str(record.pod_CIDR) == "10.1.1.0/24"


def test_slices_are_put_together() -> None:
    def part(name: str, *endpoints: dict[str, object], kind: str = "IPv4") -> object:
        return make("EndpointSlice", name, addressType=kind, endpoints=list(endpoints), ports=[{"port": 80}])

    one = {"addresses": ["10.0.0.1", "10.0.0.9"], "targetRef": {"kind": "Pod", "name": "p"}}
    two = {"addresses": ["10.0.0.2"], "conditions": {"ready": False}}
    slices = [part("b", two), part("a", one), part("c", {"addresses": ["x.example.org"]}, kind="FQDN")]
    record = slices_record("default", "s", slices)  # type: ignore[arg-type]
    assert record is not None
    assert [[str(a.ip) for a in s.addresses] for s in record.subsets] == [["10.0.0.1"], []]
    assert [str(a.ip) for a in record.subsets[1].not_ready_addresses] == ["10.0.0.2"]
    assert record.subsets[0].addresses[0].pod == ("default", "p")
    assert slices_record("default", "s", slices[2:]) is None  # type: ignore[arg-type]


def test_endpoints_of_pods_are_in_their_own_namespace_if_none_is_said() -> None:
    addresses = [{"ip": "10.0.0.1", "targetRef": {"kind": "Pod", "name": "p"}}]
    made = make("Endpoints", "s", "shop", subsets=[{"addresses": addresses, "ports": [{"port": 1}]}])
    assert endpoints_record(made).subsets[0].addresses[0].pod == ("shop", "p")
