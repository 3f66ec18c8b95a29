"""Services."""

from __future__ import annotations

from pydantic import Field

from vectorplane.control.cluster.model.base import Ip, Labels, MaybePort, ObjectId, Port, Record

USUAL_TIMEOUT = 10800
"""Seconds of session affinity, where it is on and nothing is said."""


class ServicePort(Record):
    """A port of a service. ``name`` joins it with the ports of endpoints; ``target_port`` is only told."""

    name: str = ""
    protocol: str = "TCP"
    port: Port
    target_port: str = ""
    node_port: MaybePort = 0


class Service(Record):
    """A service. ``cluster_ip``: empty or "None" for a headless one."""

    name: str
    namespace: str
    ports: tuple[ServicePort, ...] = ()
    selector: Labels = Field(default_factory=dict)
    cluster_ip: str = ""
    cluster_ips: tuple[str, ...] = ()
    type: str = "ClusterIP"
    external_ips: tuple[Ip, ...] = ()
    lb_ingress_ips: tuple[Ip, ...] = ()
    session_affinity: str = "None"
    session_affinity_timeout: int = 0
    """Seconds; 0: the usual ones."""
    external_traffic_policy: str = "Cluster"
    internal_traffic_policy: str = "Cluster"
    annotations: Labels = Field(default_factory=dict)

    @property
    def id(self) -> ObjectId:
        """Its identity, which is that of its endpoints, too."""
        return ObjectId(self.namespace, self.name)
