"""The settings under the names that they have in Contiv-VPP's own configuration (``ipamConfig`` of contiv.conf)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vectorplane.control.cluster.ipam.settings import IpamSettings

NAMES = {
    "use_external_ipam": "useExternalIPAM",
    "contiv_cidr": "contivCIDR",
    "service_cidr": "serviceCIDR",
    "node_interconnect_dhcp": "nodeInterconnectDHCP",
    "node_interconnect_cidr": "nodeInterconnectCIDR",
    "pod_subnet_cidr": "podSubnetCIDR",
    "pod_subnet_one_node_prefix_len": "podSubnetOneNodePrefixLen",
    "vpp_host_subnet_cidr": "vppHostSubnetCIDR",
    "vpp_host_subnet_one_node_prefix_len": "vppHostSubnetOneNodePrefixLen",
    "vxlan_cidr": "vxlanCIDR",
    "default_gateway": "defaultGateway",
}
"""Ours and theirs."""


def from_contiv(values: Mapping[str, Any]) -> dict[str, Any]:
    """Contiv-VPP's names in ours; others are left as they are, for the model to refuse. Empty text is nothing."""
    ours = {theirs: name for name, theirs in NAMES.items()}
    return {ours.get(name, name): None if value == "" else value for name, value in values.items()}


def to_contiv(settings: IpamSettings) -> dict[str, Any]:
    """The settings as plain values under Contiv-VPP's names, without what is not given."""
    values = settings.model_dump(mode="json", exclude_none=True, include=set(NAMES))
    return {NAMES[name]: value for name, value in values.items()}
