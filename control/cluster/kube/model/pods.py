"""Pods."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field, model_validator

from vectorplane.control.cluster.kube.model.base import Items, KubeModel, KubeObject
from vectorplane.control.cluster.kube.model.names import DnsLabel, Labels, PortName, PortNumber, Protocol
from vectorplane.control.cluster.model.base import Ip


class ContainerPort(KubeModel):
    """A port that a container listens at."""

    name: PortName | None = None
    containerPort: PortNumber
    protocol: Protocol = "TCP"
    hostPort: PortNumber | None = None
    hostIP: str = ""


class Container(KubeModel):
    """A container. Its image does not matter here."""

    name: DnsLabel
    ports: Items[ContainerPort] = ()

    @model_validator(mode="after")
    def _once(self) -> Container:
        names = [port.name for port in self.ports if port.name]
        for i, name in enumerate(names):
            if name in names[:i]:
                raise ValueError(f"ports: two are called {name}")
        return self


class PodSpec(KubeModel):
    """What runs, and where it may."""

    containers: Items[Container]
    nodeName: str = ""
    nodeSelector: Labels = Field(default_factory=dict)
    hostNetwork: bool = False

    @model_validator(mode="after")
    def _containers(self) -> PodSpec:
        if not self.containers:
            raise ValueError("containers: a pod has one at least")
        names = [container.name for container in self.containers]
        for i, name in enumerate(names):
            if name in names[:i]:
                raise ValueError(f"containers: two are called {name}")
        return self


class Condition(KubeModel):
    """A condition of a pod. Only that called Ready counts."""

    type: str
    status: str = "Unknown"


class PodStatus(KubeModel):
    """Where a pod stands."""

    phase: Literal["Pending", "Running", "Succeeded", "Failed", "Unknown"] = "Pending"
    podIP: Ip | None = None
    hostIP: Ip | None = None
    conditions: Items[Condition] = ()

    @property
    def ready(self) -> bool:
        """Does it serve? What says nothing of that is ready when it runs."""
        said = [c.status for c in self.conditions if c.type == "Ready"]
        return self.phase == "Running" and (not said or said[0] == "True")

    @property
    def over(self) -> bool:
        """Has it come to its end? Its address is somebody else's, then."""
        return self.phase in ("Succeeded", "Failed")


class Pod(KubeObject):
    """A pod."""

    KIND: ClassVar[str] = "Pod"
    RESOURCE: ClassVar[str] = "pod"

    spec: PodSpec
    status: PodStatus = PodStatus()

    @property
    def address(self) -> Ip | None:
        """Its address; None: it has none (yet, or any more)."""
        return None if self.status.over else self.status.podIP

    @property
    def running(self) -> bool:
        """Does it run?"""
        return self.status.phase == "Running"

    @property
    def ports(self) -> tuple[ContainerPort, ...]:
        """Of all its containers."""
        return tuple(port for container in self.spec.containers for port in container.ports)

    def port_named(self, name: str, protocol: str) -> int | None:
        """The number of the port of that name and protocol (Kubernetes: FindPort); None: it has none."""
        for port in self.ports:
            if port.name == name and port.protocol == protocol:
                return port.containerPort
        return None

    def with_status(self, status: PodStatus) -> Pod:
        """The same pod, standing elsewhere."""
        return self.model_copy(update={"status": status})
