"""Pods."""

from __future__ import annotations

from pydantic import Field

from vectorplane.control.cluster.ipam.pod import PodId
from vectorplane.control.cluster.model.base import Ip, Labels, MaybePort, Port, Record


class ContainerPort(Record):
    """A port that a container says it listens at. ``protocol``: TCP, UDP or SCTP."""

    name: str = ""
    container_port: Port
    protocol: str = "TCP"
    host_port: MaybePort = 0
    host_ip: str = ""


class Container(Record):
    """A container of a pod."""

    name: str
    ports: tuple[ContainerPort, ...] = ()


class Pod(Record):
    """A pod. ``ip_address`` None: it has none yet. A pod in its host's network has the host's address."""

    name: str
    namespace: str
    labels: Labels = Field(default_factory=dict)
    ip_address: Ip | None = None
    host_ip_address: Ip | None = None
    containers: tuple[Container, ...] = ()
    annotations: Labels = Field(default_factory=dict)

    @property
    def id(self) -> PodId:
        """Its identity."""
        return PodId(self.namespace, self.name)

    @property
    def ports(self) -> tuple[ContainerPort, ...]:
        """Of all its containers."""
        return tuple(port for container in self.containers for port in container.ports)

    @property
    def host_network(self) -> bool:
        """Is it in its host's network?"""
        return self.ip_address is not None and self.ip_address == self.host_ip_address
