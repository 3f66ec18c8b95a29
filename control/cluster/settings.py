"""The settings of a cluster, the same on every node."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from vectorplane.control.cluster.ipam.settings import IpamSettings
from vectorplane.control.config_types import Model, TableId


class ClusterSettings(Model):
    """Defaults are those of Contiv-VPP's code and of its deployment.

    transport: vxlan, a mesh of tunnels; noOverlay, routes between the nodes.
    main_vrf, pod_vrf: the tables of the nodes' own network and of the pods.
    mtu: of pods' interfaces; VXLAN needs 50 bytes more on the wire.
    nat_external_traffic: pods reach what is outside with the node's address.
    service_local_endpoint_weight: how often a service takes a backend of the client's node, against one of another.
    route_service_cidr_to_vpp: hosts send what is for services to VPP instead of translating it themselves.
    """

    ipam: IpamSettings = Field(default_factory=IpamSettings)
    transport: Literal["vxlan", "noOverlay"] = "vxlan"
    main_vrf: TableId = 0
    pod_vrf: TableId = 1
    vni: Annotated[int, Field(ge=1, lt=1 << 24)] = 10
    mtu: Annotated[int, Field(ge=68, le=9000)] = 1450
    nat_external_traffic: bool = True
    service_local_endpoint_weight: Annotated[int, Field(ge=1, le=255)] = 1
    route_service_cidr_to_vpp: bool = False
