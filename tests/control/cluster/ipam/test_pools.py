"""What each node gets: Contiv-VPP's figures, and that no two nodes ever get the same."""

from __future__ import annotations

from ipaddress import ip_address, ip_interface, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.control.cluster.ipam.known import IP6, SIXTEEN_NODES, SMALL, pools
from vectorplane.control.cluster.ipam.arithmetic import alone, index_of, overlap
from vectorplane.control.cluster.ipam.contiv_cidr import split
from vectorplane.control.cluster.ipam.error import IpamError
from vectorplane.control.cluster.ipam.shares import Addresses, Subnets

# --- figures


def test_defaults_of_node_1() -> None:
    p = pools(node_interconnect_cidr="192.168.16.0/24")
    pods = p.pod_subnet(1)
    assert str(pods.network) == "10.1.1.0/24"
    assert str(pods.gateway) == "10.1.1.1"
    assert str(pods.gateway_interface) == "10.1.1.1/24"
    assert str(pods.nat_loopback) == "10.1.1.254"
    assert pods.size == 252
    assert str(p.host_subnet(1)) == "172.30.1.0/24"
    assert str(p.host_link_vpp(1)) == "172.30.1.1/24"
    assert str(p.host_link_linux(1)) == "172.30.1.2/24"
    assert str(p.node_address(1)) == "192.168.16.1/24"
    assert str(p.vxlan_address(1)) == "192.168.30.1/24"
    assert str(p.services) == "10.96.0.0/12"
    assert (str(p.pods.whole), str(p.vpp_host.whole)) == ("10.1.0.0/16", "172.30.0.0/16")
    assert p.most_nodes == 255


def test_subnets_of_nodes_1_and_5() -> None:
    p = pools(SMALL)
    assert (str(p.pod_subnet(1).network), str(p.pod_subnet(5).network)) == ("1.2.128.8/29", "1.2.128.40/29")
    assert str(p.pod_subnet(1).gateway) == "1.2.128.9"
    assert p.pod_subnet(1).size == 4
    assert (str(p.host_subnet(1)), str(p.host_subnet(5))) == ("2.3.192.4/30", "2.3.192.20/30")


def test_addresses_of_node_5() -> None:
    p = pools(SMALL)
    assert str(p.node_address(5)) == "3.4.5.197/26"
    assert str(p.vxlan_address(5)) == "4.5.6.197/26"


def test_no_node_gets_the_gateways_address() -> None:
    p = pools(SMALL, default_gateway="3.4.5.194")
    assert [str(p.node_address(n).ip) for n in (1, 2, 3)] == ["3.4.5.193", "3.4.5.195", "3.4.5.196"]
    assert str(p.vxlan_address(2).ip) == "4.5.6.194"


@pytest.mark.parametrize("gateway", ["3.4.5.191", "3.4.6.1", "1.1.1.1"])
def test_a_gateway_elsewhere_moves_nobody(gateway: str) -> None:
    assert str(pools(SMALL, default_gateway=gateway).node_address(5).ip) == "3.4.5.197"


def test_the_last_node_has_the_first_subnet() -> None:
    p = pools(SIXTEEN_NODES)
    assert str(p.pod_subnet(1).network) == "1.4.1.16/28"
    assert str(p.pod_subnet(16).network) == "1.4.1.0/28"
    assert str(p.node_address(16).ip) == "3.4.5.208"
    assert p.most_nodes == 16
    with pytest.raises(IpamError) as error:
        p.pod_subnet(17)
    assert str(error.value) == (
        "pod_subnet_cidr: node id 17 is out of range: 1.4.1.0/24 has subnets of /28 for the ids 1 to 16"
    )


def test_more_than_256_nodes() -> None:
    wide = {"pod_subnet_cidr": "1.4.0.0/17", "vxlan_cidr": "2.2.128.0/17", "node_interconnect_cidr": "1.1.128.0/17"}
    p = pools(SMALL | wide, pod_subnet_one_node_prefix_len=28)
    assert str(p.pod_subnet(257).network) == "1.4.16.16/28"
    assert (str(p.node_address(257).ip), str(p.vxlan_address(257).ip)) == ("1.1.129.1", "2.2.129.1")


@pytest.mark.parametrize("node", [16, 17])
def test_no_address_of_a_16th_node_in_16_addresses(node: int) -> None:
    p = pools(SMALL, vxlan_cidr="2.2.2.128/28", node_interconnect_cidr="3.3.3.0/28")
    assert str(p.vxlan_address(15).ip) == "2.2.2.143"
    for wanted, field in ((p.vxlan_address, "vxlan_cidr"), (p.node_address, "node_interconnect_cidr")):
        with pytest.raises(IpamError, match=f"node id {node} is out of range") as error:
            wanted(node)
        assert error.value.field == field


def test_the_gateway_takes_the_place_of_the_last_node() -> None:
    p = pools(SMALL, node_interconnect_cidr="3.3.3.0/28", default_gateway="3.3.3.7")
    assert str(p.node_address(14).ip) == "3.3.3.15"
    with pytest.raises(IpamError, match="ids 1 to 14"):
        p.node_address(15)


@pytest.mark.parametrize("node", [0, -1])
def test_ids_start_at_1(node: int) -> None:
    p = pools(SMALL)
    for wanted in (p.pod_subnet, p.host_subnet, p.host_link_vpp, p.node_address, p.vxlan_address):
        with pytest.raises(IpamError, match=f"node_id: expected 1 or more, got {node}"):
            wanted(node)


def test_no_interconnect_by_default() -> None:
    with pytest.raises(IpamError, match="node_interconnect_cidr: is not given: addresses of nodes are configured or"):
        pools().node_address(1)


def test_ip6() -> None:
    p = pools(IP6)
    assert str(p.pod_subnet(5).network) == "fe10:f00d::500/120"
    assert str(p.pod_subnet(5).nat_loopback) == "fe10:f00d::5fe"
    assert str(p.host_subnet(5)) == "fe30:f00d::14/126"
    assert (str(p.host_link_vpp(5)), str(p.host_link_linux(5))) == ("fe30:f00d::15/126", "fe30:f00d::16/126")
    assert p.services is None
    with pytest.raises(IpamError, match="vxlan_cidr: is not given"):
        p.vxlan_address(5)


def test_ip6_with_all_pools() -> None:
    more = {"node_interconnect_cidr": "fe40::/64", "vxlan_cidr": "fe50::/64", "service_cidr": "fd00:1::/112"}
    p = pools(IP6, default_gateway="fe40::1", **more)
    assert str(p.node_address(1)) == "fe40::2/64"
    assert str(p.vxlan_address(257)) == "fe50::101/64"
    assert str(p.services) == "fd00:1::/112"


# --- one block


@pytest.mark.parametrize(
    ("block", "parts", "one_node"),
    [
        ("10.128.0.0/14", ["10.128.0.0/16", "10.129.0.0/16", "10.130.0.0/23", "10.130.2.0/23"], 25),
        ("192.240.0.0/12", ["192.240.0.0/16", "192.241.0.0/16", "192.242.0.0/23", "192.242.2.0/23"], 25),
        ("fe10::/64", ["fe10::/112", "fe10::1:0/112", "fe10::2:0/119", "fe10::2:200/119"], 121),
    ],
)
def test_one_block(block: str, parts: list[str], one_node: int) -> None:
    p = pools(contiv_cidr=block)
    assert p.interconnect and p.vxlan
    assert [str(x.whole) for x in (p.pods, p.vpp_host, p.interconnect, p.vxlan)] == parts
    assert (p.pods.length, p.vpp_host.length) == (one_node, one_node)


def test_nodes_of_one_block() -> None:
    p = pools(contiv_cidr="10.128.0.0/14", default_gateway="10.130.0.1")
    assert str(p.pod_subnet(1).network) == "10.128.0.128/25"
    assert str(p.host_link_linux(2)) == "10.129.1.2/25"
    assert str(p.node_address(1)) == "10.130.0.2/23"
    assert str(p.vxlan_address(1)) == "10.130.2.1/23"
    assert str(p.services) == "10.96.0.0/12"


@pytest.mark.parametrize(("block", "longest"), [("10.130.0.0/18", 14), ("10.128.0.0/15", 14), ("fe10::/120", 110)])
def test_a_block_too_small(block: str, longest: int) -> None:
    with pytest.raises(IpamError) as error:
        pools(contiv_cidr=block)
    assert str(error.value) == f"contiv_cidr: {block} is too small: expected a prefix length of at most {longest}"


def test_interconnect_beside_one_block() -> None:
    block = "10.128.0.0/14"
    explicit = pools(contiv_cidr=block, node_interconnect_cidr="192.168.16.0/24")
    assert str(explicit.node_address(3)) == "192.168.16.3/24"
    assert pools(contiv_cidr=block, node_interconnect_dhcp=True).interconnect is None
    both = pools(contiv_cidr=block, node_interconnect_cidr="192.168.16.0/24", node_interconnect_dhcp=True)
    assert str(both.node_address(3)) == "192.168.16.3/24"


def test_a_block_replaces_what_else_is_given() -> None:
    assert str(pools(SMALL, contiv_cidr="10.128.0.0/14", service_cidr="10.131.0.0/16").pods.whole) == "10.128.0.0/16"


@given(st.integers(0, 110), st.integers(0, (1 << 128) - 1))
def test_parts_of_a_block_follow_each_other(length: int, start: int) -> None:
    block = ip_network(f"{ip_address(start | 1 << 127)}/{length}", strict=False)
    parts = split(block)
    expected = int(block.network_address)
    for part in (parts.pods, parts.vpp_host, parts.interconnect, parts.vxlan):
        assert int(part.network_address) == expected
        expected += part.num_addresses
    assert expected <= int(block.broadcast_address) + 1


# --- rules, against counting on one's fingers


@st.composite
def subnet_pools(draw: st.DrawFn) -> Subnets:
    """Pools of up to 64 nodes, of both IP versions."""
    bits = draw(st.sampled_from([32, 128]))
    length = draw(st.integers(8, bits - 3))
    whole = draw(st.integers(max(1, length - 6), length - 1))
    start = draw(st.integers(0, (1 << bits) - 1)) >> (bits - whole) << (bits - whole)
    address = ip_address(start.to_bytes(bits // 8, "big"))
    return Subnets("pods", "length", ip_network(f"{address}/{whole}"), length)


@given(subnet_pools())
def test_subnets_of_nodes_are_all_there_are(pool: Subnets) -> None:
    """Disjoint, inside, none left: each is one of the pool's subnets, in order, the first at the end."""
    everyone = [pool.of(node) for node in range(1, pool.most + 1)]
    naive = list(pool.whole.subnets(new_prefix=pool.length))
    assert everyone == naive[1:] + naive[:1]
    with pytest.raises(IpamError):
        pool.of(pool.most + 1)


@given(st.integers(1, 8), st.integers(-3, 260))
def test_addresses_of_nodes(bits: int, gateway: int) -> None:
    """Each has one of its own, inside, in order, and none is the gateway's or the network's."""
    whole = ip_network(f"10.9.{0}.0/{32 - bits}")
    excluded = ip_address(int(whole.network_address) + gateway)
    pool = Addresses("nodes", whole, excluded)
    everyone = [pool.of(node).ip for node in range(1, pool.most + 1)]
    naive = list(whole)
    if 0 < gateway < 1 << bits:
        naive.remove(excluded)  # type: ignore[arg-type]
    # a gateway that has the network's own address still moves everybody by one, as in Contiv-VPP
    assert everyone == (naive[2:] if gateway == 0 else naive[1:])
    with pytest.raises(IpamError):
        pool.of(pool.most + 1)


# --- arithmetic


def test_index_of() -> None:
    assert index_of(ip_network("10.0.0.0/30"), ip_address("10.0.0.3")) == 3
    assert index_of(ip_network("10.0.0.0/30"), ip_address("10.0.0.4")) is None
    assert index_of(ip_network("10.0.0.0/30"), ip_address("9.255.255.255")) is None
    assert index_of(ip_network("::a00:0/126"), ip_address("10.0.0.3")) is None


def test_alone() -> None:
    assert str(alone(ip_interface("10.1.1.2/24").ip)) == "10.1.1.2/32"
    assert str(alone(ip_address("fe80::1"))) == "fe80::1/128"


@given(st.integers(0, 255), st.integers(24, 32), st.integers(0, 255), st.integers(24, 32))
def test_overlap(a: int, length: int, b: int, other: int) -> None:
    one = ip_network(f"10.0.0.{a}/{length}", strict=False)
    two = ip_network(f"10.0.0.{b}/{other}", strict=False)
    assert overlap(one, two) == bool(set(one) & set(two))
