"""Settings that several tests use: those of Contiv-VPP's own tests."""

from __future__ import annotations

from typing import Any

from vectorplane.control.cluster.ipam.check import pools_of
from vectorplane.control.cluster.ipam.pools import Pools
from vectorplane.control.cluster.ipam.settings import IpamSettings

SMALL: dict[str, Any] = {
    "pod_subnet_cidr": "1.2.128.0/17",
    "pod_subnet_one_node_prefix_len": 29,
    "vpp_host_subnet_cidr": "2.3.192.0/18",
    "vpp_host_subnet_one_node_prefix_len": 30,
    "node_interconnect_cidr": "3.4.5.192/26",
    "vxlan_cidr": "4.5.6.192/26",
}
SIXTEEN_NODES = SMALL | {"pod_subnet_cidr": "1.4.1.0/24", "pod_subnet_one_node_prefix_len": 28}
IP6: dict[str, Any] = {
    "pod_subnet_cidr": "fe10:f00d::/90",
    "pod_subnet_one_node_prefix_len": 120,
    "vpp_host_subnet_cidr": "fe30:f00d::/90",
    "vpp_host_subnet_one_node_prefix_len": 126,
}


def settings(values: dict[str, Any] | None = None, **more: Any) -> IpamSettings:
    """Settings with these values."""
    return IpamSettings.model_validate((values or {}) | more)


def pools(values: dict[str, Any] | None = None, **more: Any) -> Pools:
    """Pools of settings with these values."""
    return pools_of(settings(values, **more))
