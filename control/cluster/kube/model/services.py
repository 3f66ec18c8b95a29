"""Services."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from vectorplane.control.cluster.kube.model.base import Items, KubeModel, KubeObject
from vectorplane.control.cluster.kube.model.names import (
    DnsLabel,
    Labels,
    PortNumber,
    PortOrName,
    Protocol,
    service_name_problem,
)
from vectorplane.control.cluster.model.base import Ip
from vectorplane.control.config_types import parse_address

FIRST_NODE_PORT, LAST_NODE_PORT = 30000, 32767
HEADLESS = "None"
DEFAULT_TIMEOUT = 10800
"""Seconds of session affinity."""


class ServicePort(KubeModel):
    """A port of a service. ``targetPort`` None: the same number; ``nodePort`` 0: any, if one is needed."""

    name: DnsLabel | None = None
    protocol: Protocol = "TCP"
    port: PortNumber
    targetPort: PortOrName | None = None
    nodePort: int = 0

    @model_validator(mode="after")
    def _in_range(self) -> ServicePort:
        if self.nodePort and not FIRST_NODE_PORT <= self.nodePort <= LAST_NODE_PORT:
            raise ValueError(f"nodePort: expected {FIRST_NODE_PORT} to {LAST_NODE_PORT}, got {self.nodePort}")
        return self

    @property
    def target(self) -> int | str:
        """The pods' port: a number, or a name."""
        return self.port if self.targetPort is None else self.targetPort


class ClientIp(KubeModel):
    """``timeoutSeconds``: at most a day."""

    timeoutSeconds: Annotated[int, Field(ge=1, le=86400)] = DEFAULT_TIMEOUT


class Affinity(KubeModel):
    """How long a client stays with a backend."""

    clientIP: ClientIp = ClientIp()


class ServiceSpec(KubeModel):
    """What is served, where, and by whom."""

    type: Literal["ClusterIP", "NodePort", "LoadBalancer", "ExternalName"] = "ClusterIP"
    ports: Items[ServicePort] = ()
    selector: Labels = Field(default_factory=dict)
    clusterIP: str = ""
    clusterIPs: Items[str] = ()
    externalName: str = ""
    externalIPs: Items[Ip] = ()
    loadBalancerIP: Ip | None = None
    allocateLoadBalancerNodePorts: bool = True
    sessionAffinity: Literal["None", "ClientIP"] = "None"
    sessionAffinityConfig: Affinity = Affinity()
    externalTrafficPolicy: Literal["Cluster", "Local"] = "Cluster"
    internalTrafficPolicy: Literal["Cluster", "Local"] = "Cluster"
    publishNotReadyAddresses: bool = False

    @model_validator(mode="after")
    def _ports(self) -> ServiceSpec:
        seen: set[tuple[int, str]] = set()
        names: set[str | None] = set()
        for i, port in enumerate(self.ports):
            if len(self.ports) > 1 and port.name is None:
                raise ValueError(f"ports[{i}].name: is missing: with several ports each needs one")
            if port.name in names:
                raise ValueError(f"ports[{i}].name: another port is called {port.name}")
            if (port.port, port.protocol) in seen:
                raise ValueError(f"ports[{i}].port: {port.protocol} {port.port} is there already")
            if port.nodePort and self.type not in ("NodePort", "LoadBalancer"):
                raise ValueError(f"ports[{i}].nodePort: a service of type {self.type} has none")
            names.add(port.name)
            seen.add((port.port, port.protocol))
        return self

    @model_validator(mode="after")
    def _addresses(self) -> ServiceSpec:
        first = self.clusterIPs[0] if self.clusterIPs else self.clusterIP
        if self.clusterIP and first != self.clusterIP:
            raise ValueError(f"clusterIPs: the first is {first}, but clusterIP is {self.clusterIP}")
        if len(self.clusterIPs) > 1:
            raise ValueError("clusterIPs: a cluster here is of one IP version, so a service has one address")
        if self.type == "ExternalName":
            if not self.externalName:
                raise ValueError("externalName: is missing: the service is of type ExternalName")
            if first:
                raise ValueError("clusterIP: a service of type ExternalName has none")
            return self
        if not self.ports and first != HEADLESS:
            raise ValueError("ports: a service that is not headless has one at least")
        if first == HEADLESS and self.type != "ClusterIP":
            raise ValueError(f"clusterIP: a service of type {self.type} needs an address, so it can't be None")
        if first and first != HEADLESS:
            try:
                parse_address(first)
            except ValueError:
                raise ValueError(f"clusterIP: expected an IP address, None or nothing, got {first!r}") from None
        if self.externalTrafficPolicy == "Local" and self.type == "ClusterIP" and not self.externalIPs:
            raise ValueError("externalTrafficPolicy: Local is for services that are reached from outside")
        return self


class Ingress(KubeModel):
    """An address at which a load balancer serves; without one (a host name) it does not count."""

    ip: Ip | None = None


class LoadBalancer(KubeModel):
    """What a cloud's load balancer tells."""

    ingress: Items[Ingress] = ()


class ServiceStatus(KubeModel):
    """What is told of the service."""

    loadBalancer: LoadBalancer = LoadBalancer()


class Service(KubeObject):
    """A service."""

    KIND: ClassVar[str] = "Service"
    RESOURCE: ClassVar[str] = "service"

    spec: ServiceSpec
    status: ServiceStatus = ServiceStatus()

    @classmethod
    def name_problem(cls, name: str) -> str:
        """It is an RFC 1035 label."""
        return service_name_problem(name)

    @property
    def cluster_ip(self) -> str:
        """Its address; empty: none is chosen yet; "None": it has none."""
        return self.spec.clusterIP or (self.spec.clusterIPs[0] if self.spec.clusterIPs else "")

    @property
    def has_node_ports(self) -> bool:
        """Does it need ports of the nodes?"""
        spec = self.spec
        return spec.type == "NodePort" or (spec.type == "LoadBalancer" and spec.allocateLoadBalancerNodePorts)
