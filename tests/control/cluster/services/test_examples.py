"""The worked examples of Contiv-VPP's own tests of services."""

from __future__ import annotations

from ipaddress import IPv4Address
from typing import Any

from tests.control.cluster.driver import NIC, Driver
from tests.control.cluster.services.objects import endpoints, kube_node, service, vpp_node
from vectorplane.backends.items import (
    NatAddress,
    NatIdentity,
    NatInterface,
    NatService,
)
from vectorplane.control.cluster.services.handler import Services
from vectorplane.control.cluster.settings import ClusterSettings

MASTER = {"address": "192.168.16.10/24", "gateway": "192.168.16.1", "name": "master"}
EVERYWHERE = ClusterSettings(remote_node_ports=True)

SERVICE1 = service("service1", "10.96.0.1", "http:80", external_ips=["20.20.20.20"])
ENDPOINTS1 = endpoints("service1", "10.1.1.3 10.1.1.4", "http:8080")
BOTH1 = service("service1", "10.96.0.1", "http:80", "https:443@30443", external_ips=["20.20.20.20"])
BOTH_ENDPOINTS1 = endpoints("service1", "10.1.1.3 10.1.1.4", "http:8080", "https:8443")
SERVICE2 = service("service2", "10.96.0.10", "dns-tcp:53/TCP", "dns-udp:53/UDP", namespace="kube-system")
ENDPOINTS2 = endpoints(
    "service2", "10.1.1.3", "dns-tcp:10053/TCP", "dns-udp:10053/UDP", namespace="kube-system",
    subsets=[("10.2.1.1", ("dns-tcp:53/TCP", "dns-udp:53/UDP"))],
)  # fmt: skip


def master(**more: Any) -> Driver:
    driver = Driver(Services, **{**MASTER, **more})
    driver.add_pod("default", "pod1", "10.1.1.3")
    driver.add_pod("default", "pod2", "10.1.1.4")
    return driver


def of(driver: Driver, kind: Any) -> list[Any]:
    return [item for item in driver.items.values() if isinstance(item, kind)]


def mappings(driver: Driver) -> list[Any]:
    return of(driver, NatService)


def roles(driver: Driver) -> dict[str, str]:
    return {item.interface: item.role for item in of(driver, NatInterface)}


def test_no_service() -> None:
    driver = Driver(Services, **MASTER)
    ip = IPv4Address("192.168.16.10")
    pools = of(driver, NatAddress)
    assert pools[:2] == [NatAddress(IPv4Address("10.1.1.254"), twice_nat=True), NatAddress(ip)]
    assert pools[2:] == [NatAddress(ip, 0, twice_nat=True)]  # ours: see docs/decisions/services.md
    assert roles(driver) == {NIC: "output", "vxlanBVI": "both", "tap-vpp2": "both"}
    assert {(i.address, i.proto, i.port, i.table) for i in of(driver, NatIdentity)} == {
        (ip, 17, 4789, 0),
        (ip, 0, 0, 0),
        (ip, 0, 0, 1),
    }
    assert driver.items["nat44"].forwarding  # type: ignore[union-attr]
    assert mappings(driver) == []


def test_endpoints_make_mappings() -> None:
    driver = master()
    driver.put(SERVICE1)
    taps = [pod.interface for pod in driver.node.pods.values()]
    assert mappings(driver) == []
    assert {roles(driver)[tap] for tap in taps} == {"outside"}
    driver.put(ENDPOINTS1)
    found = {str(m.external): m for m in mappings(driver)}
    assert found.keys() == {"10.96.0.1", "20.20.20.20"}
    assert found["20.20.20.20"].twice == "twice-nat"
    assert found["10.96.0.1"].twice == "self-twice-nat"
    assert {(str(b.address), b.port, b.table) for b in found["10.96.0.1"].backends} == {
        ("10.1.1.3", 8080, 1),
        ("10.1.1.4", 8080, 1),
    }
    assert {roles(driver)[tap] for tap in taps} == {"both"}
    driver.check()
    driver.delete(ENDPOINTS1)
    assert mappings(driver) == []
    assert {roles(driver)[tap] for tap in taps} == {"outside"}
    driver.check()


def test_node_ports_follow_nodes() -> None:
    driver = master(settings=EVERYWHERE)
    driver.put(BOTH1, BOTH_ENDPOINTS1, SERVICE2, ENDPOINTS2)
    counts = [len(mappings(driver))]
    me = vpp_node(1, "master", "192.168.16.10/24"), kube_node("master", "172.30.1.1")
    worker = vpp_node(2, "worker", "192.168.16.20/24")
    for change in (
        lambda: driver.put(*me),
        lambda: driver.put(worker, kube_node("worker", "172.30.1.2")),
        lambda: driver.put(kube_node("worker")),
        lambda: driver.delete(worker, kube_node("worker")),
    ):
        change()
        driver.check()
        counts.append(len(mappings(driver)))
    assert counts == [6, 8, 10, 9, 8]


def test_one_of_two_services_is_left() -> None:
    driver = master()
    driver.put(vpp_node(1, "master", "192.168.16.10/24"), kube_node("master", "172.30.1.1"))
    driver.put(SERVICE2, ENDPOINTS2)
    assert len(mappings(driver)) == 2
    driver.put(BOTH1, BOTH_ENDPOINTS1)
    driver.delete(SERVICE2)
    assert len(mappings(driver)) == 6
    driver.check()


def test_weights() -> None:
    driver = master(settings=ClusterSettings(service_local_endpoint_weight=2))
    driver.put(SERVICE2, ENDPOINTS2)
    for mapping in mappings(driver):
        assert {(str(b.address), b.port): b.probability for b in mapping.backends} == {
            ("10.1.1.3", 10053): 2,
            ("10.2.1.1", 53): 1,
        }


def test_external_traffic_policy_local() -> None:
    """The cluster IP keeps all backends: there the documentation counts, and Contiv-VPP's does not."""
    driver = master()
    driver.put(
        service("service1", "10.96.0.1", "http:80", external_ips=["20.20.20.20"], external_traffic_policy="Local"),
        endpoints("service1", "10.1.1.3 10.1.1.4 10.1.2.5", "http:8080"),
    )
    found = {str(m.external): m for m in mappings(driver)}
    assert {str(b.address) for b in found["20.20.20.20"].backends} == {"10.1.1.3", "10.1.1.4"}
    assert found["20.20.20.20"].twice == "self-twice-nat"
    assert len(found["10.96.0.1"].backends) == 3


def test_no_gateway() -> None:
    driver = Driver(Services, **{**MASTER, "gateway": None})
    assert roles(driver)[NIC] == "outside"
    assert [a for a in of(driver, NatAddress) if not a.twice_nat] == []
    assert of(driver, NatIdentity) == []


def test_no_overlay() -> None:
    driver = Driver(Services, **MASTER, settings=ClusterSettings(transport="noOverlay"))
    assert roles(driver) == {NIC: "both", "tap-vpp2": "both"}
    assert [a for a in of(driver, NatAddress) if not a.twice_nat] == []
