"""IPAM of a node: pods, custom interfaces and networks, external IPAM, restarts."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.control.cluster.ipam.known import IP6, SIXTEEN_NODES, SMALL, settings
from vectorplane.control.cluster.ipam.custom import CustomInterfaces
from vectorplane.control.cluster.ipam.error import Exhausted, IpamError
from vectorplane.control.cluster.ipam.ipam import Ipam
from vectorplane.control.cluster.ipam.pod import Holder, PodId

A, B, C, D = (PodId("default", name) for name in "abcd")
RED = ip_network("10.200.0.0/16")


def test_a_node() -> None:
    ipam = Ipam(settings(SMALL), 1)
    assert str(ipam.pod_subnet.network) == "1.2.128.8/29"
    assert str(ipam.host_subnet) == "2.3.192.4/30"
    assert not ipam.external
    assert str(ipam.pools.node_address(5).ip) == "3.4.5.197"


def test_pods() -> None:
    ipam = Ipam(settings(SMALL), 1)
    assert [str(ipam.allocate(pod)) for pod in (A, B, A)] == ["1.2.128.10", "1.2.128.11", "1.2.128.10"]
    assert ipam.pod_of(ip_address("1.2.128.11")) == B
    assert ipam.pod_of(ip_address("1.2.128.12")) is None
    ipam.release(A)
    ipam.release(A)
    assert ipam.address_of(A) is None
    assert ipam.allocations() == {B: ip_address("1.2.128.11")}


def test_ip6_pods() -> None:
    assert str(Ipam(settings(IP6), 5).allocate(A)) == "fe10:f00d::502"


def test_the_gateway_of_this_node() -> None:
    ipam = Ipam(settings(SMALL), 1, gateway=ip_address("3.4.5.193"))
    assert str(ipam.pools.node_address(1).ip) == "3.4.5.194"


def test_refused() -> None:
    with pytest.raises(IpamError, match="pod_subnet_cidr: node id 17 is out of range"):
        Ipam(settings(SIXTEEN_NODES), 17)
    one_link = {"vpp_host_subnet_cidr": "1.1.1.0/29", "vpp_host_subnet_one_node_prefix_len": 30}
    with pytest.raises(IpamError, match="vpp_host_subnet_cidr: node id 3 is out of range"):
        Ipam(settings(one_link), 3)
    with pytest.raises(IpamError, match=r"service_cidr: 10\.1\.0\.0/24 overlaps"):
        Ipam(settings(service_cidr="10.1.0.0/24"), 1)


def test_after_a_restart() -> None:
    ipam = Ipam(settings(), 1)
    pods = {A: ip_address("10.1.1.9"), B: ip_address("10.1.2.100"), C: None, D: ip_address("172.30.1.2")}
    assert ipam.relearn(pods) == []
    assert ipam.allocations() == {A: ip_address("10.1.1.9")}
    assert str(ipam.allocate(C)) == "10.1.1.10"
    assert ipam.relearn(pods) == []
    assert ipam.allocations() == {A: ip_address("10.1.1.9"), C: ip_address("10.1.1.10")}
    assert ipam.relearn({}) == []
    assert ipam.allocations() == {}


def test_two_pods_with_one_address() -> None:
    ipam = Ipam(settings(), 1)
    ipam.relearn({A: ip_address("10.1.1.9"), B: ip_address("10.1.1.9")})
    assert ipam.conflicts() == {ip_address("10.1.1.9"): (Holder(A), Holder(B))}


# --- custom interfaces and networks


def test_custom_interfaces_are_stored_and_learnt_again() -> None:
    ipam = Ipam(settings(), 1)
    assert str(ipam.add_network("red", RED, 24).network) == "10.200.1.0/24"
    assert str(ipam.allocate(A)) == "10.1.1.2"
    assert str(ipam.allocate_interface(A, "memif2")) == "10.1.1.3"
    assert str(ipam.allocate_interface(A, "memif1", "red")) == "10.200.1.2"
    assert str(ipam.allocate_interface(A, "memif1", "red")) == "10.200.1.2"
    assert ipam.allocations() == {A: ip_address("10.1.1.2")}
    assert ipam.pod_of(ip_address("10.1.1.3")) == A
    stored = ipam.custom_of(A).model_dump_json()
    assert stored == (
        '{"pod_name":"a","pod_namespace":"default","custom_interfaces":['
        '{"name":"memif1","network":"red","ip_address":"10.200.1.2"},'
        '{"name":"memif2","network":"default","ip_address":"10.1.1.3"}]}'
    )
    assert ipam.custom_of(B).custom_interfaces == ()

    again = Ipam(settings(), 1)
    again.add_network("red", RED, 24)
    gone = CustomInterfaces(pod_name="b", pod_namespace="default")
    record = CustomInterfaces.model_validate_json(stored)
    assert again.relearn({A: ip_address("10.1.1.2")}, [record, gone]) == [B]
    assert again.custom_of(A) == record
    assert str(again.allocate(B)) == "10.1.1.4"
    assert str(again.allocate_interface(B, "memif1", "red")) == "10.200.1.3"
    again.relearn({A: ip_address("10.1.1.2"), B: None})
    assert again.custom_of(A) == record
    assert again.custom_of(B).custom_interfaces[0].network == "red"
    again.release(A)
    assert again.custom_of(A).custom_interfaces == ()
    assert again.allocations() == {B: ip_address("10.1.1.4")}


def test_networks() -> None:
    ipam = Ipam(settings(), 1)
    assert ipam.add_network("red", RED, 24) == ipam.add_network("red", RED, 24)
    assert str(ipam.networks["red"].of(7)) == "10.200.7.0/24"
    with pytest.raises(IpamError, match=r"red\.subnet_cidr: is 10\.200\.0\.0/16 with /24 for a node already"):
        ipam.add_network("red", RED, 25)
    with pytest.raises(IpamError, match=r"blue\.subnet_one_node_prefix_len: expected 17 to 29, got 30"):
        ipam.add_network("blue", RED, 30)
    with pytest.raises(IpamError, match=r"blue\.subnet_one_node_prefix_len: 10\.0\.0\.0/30 is too small"):
        ipam.add_network("blue", ip_network("10.0.0.0/30"), 31)
    for name in ("default", "stub"):
        with pytest.raises(IpamError, match=f"network: the name {name} is taken"):
            ipam.add_network(name, RED, 24)
    with pytest.raises(IpamError, match=r"blue\.subnet_cidr: node id 3 is out of range"):
        Ipam(settings(), 3).add_network("blue", RED, 17)
    ipam.remove_network("red")
    ipam.remove_network("red")
    with pytest.raises(IpamError, match="network: no network with addresses is called 'red'"):
        ipam.allocate_interface(A, "memif1", "red")
    with pytest.raises(IpamError, match="network: interfaces in stub have no addresses"):
        ipam.allocate_interface(A, "memif1", "stub")
    with pytest.raises(IpamError, match="interface: expected the name"):
        ipam.allocate_interface(A, "")


# --- external IPAM


def external(pod_cidr: str | None = "10.1.77.0/24") -> Ipam:
    """IPAM of node 1 with that Pod CIDR."""
    return Ipam(settings(use_external_ipam=True), 1, pod_cidr=ip_network(pod_cidr) if pod_cidr else None)


def test_external() -> None:
    ipam = external()
    assert ipam.external
    assert (str(ipam.pod_subnet.gateway), str(ipam.pod_subnet.nat_loopback)) == ("10.1.77.1", "10.1.77.254")
    assert str(ipam.take(A, '{"version": "4", "address": "10.1.77.5/24", "gateway": "10.1.77.1"}')) == "10.1.77.5"
    assert (ipam.address_of(A), ipam.pod_of(ip_address("10.1.77.5"))) == (ip_address("10.1.77.5"), A)
    ipam.take(B, b'{"address": "10.1.77.5/24"}')  # A's record is still there, but its address was given on
    assert ipam.pod_of(ip_address("10.1.77.5")) == B
    ipam.take(A, b'{"address": "10.1.77.5/24"}')
    assert ipam.pod_of(ip_address("10.1.77.5")) == A
    ipam.release(A)
    assert ipam.allocations() == {B: ip_address("10.1.77.5")}
    assert ipam.conflicts() == {}


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ("", "ipam_data: expected JSON, got ''"),
        ("[]", r"ipam_data\.address: is missing in '\[\]'"),
        ('{"address": 5}', r"ipam_data\.address: is missing"),
        ('{"address": "10.1.77.555/24"}', r"ipam_data\.address: expected an address such as"),
        ('{"address": "fe80::1/64"}', r"ipam_data\.address: expected an address of IPv4, got fe80::1"),
        (b"\xff", "ipam_data: expected JSON"),
    ],
)
def test_what_external_ipam_must_not_say(data: str | bytes, said: str) -> None:
    ipam = external()
    with pytest.raises(IpamError, match=said):
        ipam.take(A, data)
    assert ipam.allocations() == {}


def test_external_or_not() -> None:
    with pytest.raises(IpamError, match="use_external_ipam: the address of default/a has to come from the external"):
        external().allocate(A)
    with pytest.raises(IpamError, match="use_external_ipam: is off, but default/a comes with an address"):
        Ipam(settings(), 1).take(A, "{}")
    with pytest.raises(IpamError, match="network: the external IPAM has no addresses for custom interfaces"):
        external().allocate_interface(A, "memif1")
    assert str(Ipam(settings(), 1, pod_cidr=RED).pod_subnet.network) == "10.1.1.0/24"


def test_pod_cidr_comes_and_changes() -> None:
    ipam = external(None)
    assert str(ipam.pod_subnet.network) == "10.1.1.0/24"
    assert ipam.set_pod_cidr(ip_network("10.1.77.0/24"))
    assert not ipam.set_pod_cidr(ip_network("10.1.77.0/24"))
    assert str(ipam.pod_subnet.network) == "10.1.77.0/24"
    assert ipam.relearn({A: ip_address("10.1.77.3"), B: ip_address("10.1.1.3"), C: None}) == []
    assert ipam.allocations() == {A: ip_address("10.1.77.3")}
    ipam.take(C, '{"address": "10.1.77.4/24"}')
    ipam.relearn({A: ip_address("10.1.77.3"), C: None})
    assert ipam.allocations() == {A: ip_address("10.1.77.3"), C: ip_address("10.1.77.4")}
    for bad, said in (("10.1.77.0/30", "is too small"), ("fe80::/64", "is IPv6, unlike the pods")):
        with pytest.raises(IpamError, match=f"pod_cidr: {bad} {said}"):
            ipam.set_pod_cidr(ip_network(bad))


def test_custom_networks_beside_external_ipam() -> None:
    ipam = external()
    ipam.add_network("red", RED, 24)
    ipam.allocate_interface(A, "memif1", "red")
    record = ipam.custom_of(A)
    again = external()
    again.add_network("red", RED, 24)
    again.relearn({A: ip_address("10.1.77.3")}, [record])
    assert again.custom_of(A) == record


# --- a whole cluster


@given(st.lists(st.integers(1, 16), min_size=2, max_size=4, unique=True), st.integers(1, 14))
def test_no_two_pods_of_a_cluster_share_an_address(nodes: list[int], pods: int) -> None:
    cluster = [Ipam(settings(SIXTEEN_NODES), node) for node in nodes]
    given: set[object] = set()
    for ipam in cluster:
        for i in range(pods):
            if i == ipam.pod_subnet.size:
                with pytest.raises(Exhausted):
                    ipam.allocate(PodId("default", str(i)))
                break
            address = ipam.allocate(PodId("default", str(i)))
            assert address not in given
            assert address not in (ipam.pod_subnet.gateway, ipam.pod_subnet.nat_loopback)
            given.add(address)
    assert len(given) == len(nodes) * min(pods, 12)
