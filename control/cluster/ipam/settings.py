"""The settings of IPAM, the same on every node of a cluster. Defaults are those of Contiv-VPP's code."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, model_validator

from vectorplane.control.cluster.ipam.srv6 import Srv6Settings
from vectorplane.control.config_types import Address, Model, Prefix

Length = Annotated[int, Field(ge=1, le=128)]

DEFAULTS = {"service_cidr": "10.96.0.0/12"}
POOL_DEFAULTS = {
    "pod_subnet_cidr": "10.1.0.0/16",
    "pod_subnet_one_node_prefix_len": 24,
    "vpp_host_subnet_cidr": "172.30.0.0/16",
    "vpp_host_subnet_one_node_prefix_len": 24,
    "vxlan_cidr": "192.168.30.0/24",
}
"""Those that a ``contiv_cidr`` replaces."""


class IpamSettings(Model):
    """Where addresses come from. A cluster is of one IP version: that of ``contiv_cidr``, else of ``pod_subnet_cidr``.

    Defaults are for IPv4; a cluster of IPv6 has none, and no VXLAN or service addresses unless they are given.
    What the fields say about each other is checked by `check.problems`.

    contiv_cidr: one block for pods, hosts, interconnect and VXLAN. Of the fields for these only an explicit
        ``node_interconnect_cidr`` counts beside it.
    node_interconnect_cidr: what the nodes' own addresses are computed from; None: they are configured or come by DHCP.
    node_interconnect_dhcp: the main interface asks a DHCP server, unless it has a configured address.
    default_gateway: the way out of the cluster; no node is given its address.
    use_external_ipam: a node's pod subnet is the Pod CIDR of its Kubernetes node, and CNI says each pod's address.
    """

    use_external_ipam: bool = False
    contiv_cidr: Prefix | None = None
    service_cidr: Prefix | None = None
    node_interconnect_dhcp: bool = False
    node_interconnect_cidr: Prefix | None = None
    pod_subnet_cidr: Prefix | None = None
    pod_subnet_one_node_prefix_len: Length | None = None
    vpp_host_subnet_cidr: Prefix | None = None
    vpp_host_subnet_one_node_prefix_len: Length | None = None
    vxlan_cidr: Prefix | None = None
    default_gateway: Address | None = None
    srv6: Srv6Settings = Field(default_factory=Srv6Settings)

    @model_validator(mode="before")
    @classmethod
    def _defaults(cls, value: Any) -> Any:
        """A field with nothing behind it is one not given. A colon tells IPv6, as it does in Contiv-VPP."""
        value = {} if value is None else value
        if not isinstance(value, dict):
            return value
        given = {k: v for k, v in value.items() if v is not None}
        block = given.get("contiv_cidr")
        if ":" in str(block or given.get("pod_subnet_cidr")):
            return given
        return DEFAULTS | ({} if block else POOL_DEFAULTS) | given

    @property
    def ip6(self) -> bool:
        """Is it a cluster of IPv6?"""
        block = self.contiv_cidr or self.pod_subnet_cidr
        return block is not None and block.version == 6
