"""The settings of a cluster, the same on every node."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from vectorplane.control.cluster.ipam.settings import IpamSettings
from vectorplane.control.config_types import Model, TableId


class ClusterSettings(Model):
    """Defaults are those of Contiv-VPP's code and of its deployment.

    transport: vxlan, a mesh of tunnels; noOverlay, routes between the nodes.
    main_vrf, pod_vrf: the tables of the nodes' own network and of the pods.
    mtu: of pods' interfaces; VXLAN needs 50 bytes more on the wire.
    nat_external_traffic: pods reach what is outside with the node's address.
    service_local_endpoint_weight: how often a service takes a backend of the client's node, against one of another.
    nat_sessions: how many connections a node's NAT can know at a time.
    nat_tcp_timeout, nat_other_timeout: seconds after which it forgets an idle one.
    remote_node_ports: each node translates what its pods send to node ports of other nodes, too, as Contiv-VPP does: a
        hop less, but a mapping for each node port and address of the cluster. Else it leaves as for any other host.
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
    nat_sessions: Annotated[int, Field(ge=1, le=1 << 24)] = 1 << 20
    nat_tcp_timeout: Annotated[int, Field(ge=1, lt=1 << 32)] = 10800
    nat_other_timeout: Annotated[int, Field(ge=1, lt=1 << 32)] = 300
    remote_node_ports: bool = False
    route_service_cidr_to_vpp: bool = False

    @model_validator(mode="after")
    def _two_tables(self) -> ClusterSettings:
        """The tables lead to each other: one table would lead to itself."""
        if self.main_vrf == self.pod_vrf:
            raise ValueError(f"pod_vrf: expected another table than main_vrf, got {self.pod_vrf} for both")
        return self
