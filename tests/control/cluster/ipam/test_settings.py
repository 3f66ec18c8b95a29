"""Settings: defaults, what is refused and why, and Contiv-VPP's names for them."""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from typing import Any

import pytest

from tests.control.cluster.ipam.known import IP6, SMALL, settings
from vectorplane.control.cluster.ipam.check import pools_of, problems
from vectorplane.control.cluster.ipam.contiv_names import from_contiv, to_contiv
from vectorplane.control.cluster.ipam.error import IpamError
from vectorplane.control.cluster.ipam.load import parse_settings
from vectorplane.control.cluster.ipam.settings import IpamSettings
from vectorplane.control.config_error import ConfigError


def mistakes(text: str) -> list[str]:
    """What is said about that text."""
    with pytest.raises(ConfigError) as error:
        parse_settings(text, "x.yaml")
    return error.value.lines()


def found(values: dict[str, Any] | None = None, **more: Any) -> list[str]:
    """What is said about values that are right each for itself."""
    return [str(problem) for problem in problems(settings(values, **more))]


def test_defaults() -> None:
    s = IpamSettings()
    assert s == settings() == parse_settings("") == parse_settings("{}") == parse_settings("vxlan_cidr:")
    assert not s.use_external_ipam and not s.node_interconnect_dhcp and not s.ip6
    assert s.service_cidr == ip_network("10.96.0.0/12")
    assert (s.pod_subnet_cidr, s.pod_subnet_one_node_prefix_len) == (ip_network("10.1.0.0/16"), 24)
    assert (s.vpp_host_subnet_cidr, s.vpp_host_subnet_one_node_prefix_len) == (ip_network("172.30.0.0/16"), 24)
    assert s.vxlan_cidr == ip_network("192.168.30.0/24")
    assert s.node_interconnect_cidr is None and s.contiv_cidr is None and s.default_gateway is None
    assert problems(s) == []


@pytest.mark.parametrize("values", [{}, SMALL, IP6, {"contiv_cidr": "fe10::/64"}, {"contiv_cidr": "10.128.0.0/14"}])
def test_what_is_written_is_read_again(values: dict[str, Any]) -> None:
    s = settings(values, use_external_ipam=True)
    assert IpamSettings.model_validate_json(s.model_dump_json()) == s
    assert IpamSettings.model_validate(s.model_dump()) == s
    assert problems(s) == []


def test_lines_and_fields() -> None:
    text = """
pod_subnet_cidr: 1.2.3./19
vpp_host_subnet_cidr: 1.2.3.4/19
vxlan_cidr: 192.168.30.0
service_cidr: 10.96.0.0/33
default_gateway: 1.2.3.4/24
pod_subnet_one_node_prefix_len: "24"
node_interconnect_dhcp: 1
vxlan_cdir: 1.1.1.0/24
srv6: {sfc_end: 10.0.0.0/8}
"""
    assert mistakes(text) == [
        "x.yaml:2: pod_subnet_cidr: expected a prefix such as 10.0.0.0/8, got '1.2.3./19'",
        "x.yaml:3: vpp_host_subnet_cidr: 1.2.3.4/19 has bits set behind its length: did you mean 1.2.0.0/19?",
        "x.yaml:4: vxlan_cidr: expected a prefix such as 10.0.0.0/8, got '192.168.30.0'",
        "x.yaml:5: service_cidr: expected a prefix such as 10.0.0.0/8, got '10.96.0.0/33'",
        "x.yaml:6: default_gateway: expected an IPv4 address such as 10.0.0.1, or an IPv6 one, got '1.2.3.4/24'",
        "x.yaml:7: pod_subnet_one_node_prefix_len: expected an integer, got '24'",
        "x.yaml:8: node_interconnect_dhcp: expected true or false, got 1",
        "x.yaml:9: vxlan_cdir: unknown field; did you mean vxlan_cidr?",
        "x.yaml:10: srv6.sfc_end: expected an IPv6 prefix, got 10.0.0.0/8",
    ]


def test_no_mapping() -> None:
    assert mistakes("[1]") == ["x.yaml:1: expected a mapping (field: value), got a list"]


def test_mistakes_between_fields_have_lines_too() -> None:
    text = "vxlan_cidr: 10.1.7.0/24\nnode_interconnect_cidr: 10.100.0.0/24\n"
    assert mistakes(text) == [
        "x.yaml:1: vxlan_cidr: 10.1.7.0/24 overlaps 10.1.0.0/16, which is for pods (pod_subnet_cidr)",
        "x.yaml:1: service_cidr: 10.96.0.0/12 overlaps 10.100.0.0/24, which is for nodes (node_interconnect_cidr)",
    ]


@pytest.mark.parametrize("length", [18, 19, 30, 32])
def test_length_of_a_nodes_pod_subnet(length: int) -> None:
    assert found(pod_subnet_cidr="10.1.32.0/19", pod_subnet_one_node_prefix_len=length) == [
        f"pod_subnet_one_node_prefix_len: expected 20 to 29, got {length}: a node's subnet is a part of 10.1.32.0/19 "
        "and holds a gateway, a NAT loopback and a pod"
    ]


@pytest.mark.parametrize("length", [18, 19, 31, 32])
def test_length_of_a_nodes_link(length: int) -> None:
    assert found(vpp_host_subnet_cidr="1.2.32.0/19", vpp_host_subnet_one_node_prefix_len=length) == [
        f"vpp_host_subnet_one_node_prefix_len: expected 20 to 30, got {length}: a node's subnet is a part of "
        "1.2.32.0/19 and holds both ends of a link"
    ]


def test_the_extremes_fit() -> None:
    fits = {"pod_subnet_cidr": "10.1.0.0/28", "pod_subnet_one_node_prefix_len": 29}
    fits |= {"vpp_host_subnet_cidr": "172.30.0.0/29", "vpp_host_subnet_one_node_prefix_len": 30}
    p = pools_of(settings(fits, vxlan_cidr="192.168.30.0/31"))
    assert p.most_nodes == 1
    assert p.pod_subnet(2).size == 4
    assert str(p.host_link_linux(2)) == "172.30.0.2/30"


def test_too_small() -> None:
    assert found(
        pod_subnet_cidr="10.1.0.0/29",
        vpp_host_subnet_cidr="172.30.0.0/30",
        vxlan_cidr="192.168.30.0/32",
        node_interconnect_cidr="192.168.16.1/32",
    ) == [
        "pod_subnet_cidr: 10.1.0.0/29 is too small for subnets of nodes: expected a prefix length of at most 28",
        "vpp_host_subnet_cidr: 172.30.0.0/30 is too small for subnets of nodes: expected a prefix length of at most 29",
        "node_interconnect_cidr: 192.168.16.1/32 is too small: it has no address for a node",
        "vxlan_cidr: 192.168.30.0/32 is too small: it has no address for a node",
    ]


def test_no_room_beside_the_gateway() -> None:
    assert found(node_interconnect_cidr="192.168.16.0/31", default_gateway="192.168.16.1") == [
        "node_interconnect_cidr: 192.168.16.0/31 is too small: it has no address for a node"
    ]


@pytest.mark.parametrize(
    ("field", "value", "other", "what"),
    [
        ("vpp_host_subnet_cidr", "10.0.0.0/15", "pod_subnet_cidr", "10.1.0.0/16, which is for pods"),
        ("vxlan_cidr", "172.30.255.0/24", "vpp_host_subnet_cidr", "172.30.0.0/16, which is for links to hosts"),
        ("node_interconnect_cidr", "192.168.30.0/25", "vxlan_cidr", "192.168.30.0/24, which is for VXLAN"),
        ("service_cidr", "10.1.0.0/16", "pod_subnet_cidr", "10.1.0.0/16, which is for pods"),
    ],
)
def test_overlaps(field: str, value: str, other: str, what: str) -> None:
    assert found({field: value}) == [f"{field}: {value} overlaps {what} ({other})"]


def test_overlaps_of_one_block() -> None:
    assert found(contiv_cidr="10.96.0.0/14") == [
        f"service_cidr: 10.96.0.0/12 overlaps {part} (contiv_cidr)"
        for part in (
            "10.96.0.0/16, which is for pods",
            "10.97.0.0/16, which is for links to hosts",
            "10.98.2.0/23, which is for VXLAN",
            "10.98.0.0/23, which is for nodes",
        )
    ]


def test_two_ip_versions() -> None:
    said = "is IPv4, but pod_subnet_cidr is IPv6: a cluster is of one IP version"
    assert found(IP6, service_cidr="10.96.0.0/12", default_gateway="1.1.1.1") == [
        f"service_cidr: 10.96.0.0/12 {said}",
        f"default_gateway: 1.1.1.1 {said}",
    ]
    assert found(vxlan_cidr="fe10::/64") == [
        "vxlan_cidr: fe10::/64 is IPv6, but pod_subnet_cidr is IPv4: a cluster is of one IP version"
    ]
    assert found(contiv_cidr="fe10::/64", node_interconnect_cidr="192.168.16.0/24") == [
        "node_interconnect_cidr: 192.168.16.0/24 is IPv4, but contiv_cidr is IPv6: a cluster is of one IP version"
    ]


@pytest.mark.parametrize("field", [field for field in IP6 if field != "pod_subnet_cidr"])
def test_no_defaults_for_ip6(field: str) -> None:
    values = {k: v for k, v in IP6.items() if k != field}
    assert found(values) == [f"{field}: is missing: a cluster of IPv6 has no default"]


def test_a_gateway_that_would_be_somebodys() -> None:
    assert found(default_gateway="10.1.0.1") == [
        "default_gateway: 10.1.0.1 is in 10.1.0.0/16, which is for pods (pod_subnet_cidr)"
    ]
    with pytest.raises(IpamError, match=r"default_gateway: 192\.168\.30\.1 is in 192\.168\.30\.0/24, which is for VX"):
        pools_of(settings(), ip_address("192.168.30.1"))


def test_another_gateway_than_that_of_the_settings() -> None:
    s = settings(SMALL, default_gateway="3.4.5.194")
    assert str(pools_of(s, ip_address("3.4.5.193")).node_address(1).ip) == "3.4.5.194"


def test_contiv_names() -> None:
    theirs = {
        "contivCIDR": "",
        "useExternalIPAM": True,
        "podSubnetCIDR": "1.2.128.0/17",
        "podSubnetOneNodePrefixLen": 29,
        "defaultGateway": "3.4.5.6",
    }
    s = settings(from_contiv(theirs))
    assert s.use_external_ipam and s.pod_subnet_one_node_prefix_len == 29 and s.contiv_cidr is None
    again = to_contiv(s)
    assert again == {k: v for k, v in theirs.items() if v} | {
        "serviceCIDR": "10.96.0.0/12",
        "nodeInterconnectDHCP": False,
        "vppHostSubnetCIDR": "172.30.0.0/16",
        "vppHostSubnetOneNodePrefixLen": 24,
        "vxlanCIDR": "192.168.30.0/24",
    }
    assert settings(from_contiv(again)) == s


def test_contiv_names_that_nobody_knows() -> None:
    assert from_contiv({"podVPPSubnetCIDR": "10.2.1.0/24"}) == {"podVPPSubnetCIDR": "10.2.1.0/24"}
