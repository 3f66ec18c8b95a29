"""Endpoints, and the slices that they come in since Kubernetes 1.21."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from vectorplane.control.cluster.kube.model.base import Items, KubeModel, KubeObject
from vectorplane.control.cluster.kube.model.names import PortNumber, Protocol
from vectorplane.control.cluster.model.base import Ip
from vectorplane.control.config_types import parse_address

SERVICE_LABEL = "kubernetes.io/service-name"
"""Of a slice: the service that it is of."""


MANAGED_LABEL = "endpoints.kubernetes.io/managed-by"
MANAGER = "endpoint-controller"


def _check_reachable(address: Ip) -> None:
    if address.is_loopback or address.is_link_local or address.is_multicast or address.is_unspecified:
        raise ValueError(f"expected an address that nodes can reach, got {address}")


class TargetRef(KubeModel):
    """What has an address."""

    kind: str = ""
    namespace: str = ""
    name: str = ""


class EndpointAddress(KubeModel):
    """An address that serves."""

    ip: Ip
    hostname: str = ""
    nodeName: str = ""
    targetRef: TargetRef | None = None

    @model_validator(mode="after")
    def _reachable(self) -> EndpointAddress:
        try:
            _check_reachable(self.ip)
        except ValueError as error:
            raise ValueError(f"ip: {error}") from None
        return self


class EndpointPort(KubeModel):
    """A port that is served. ``name``: that of the service's port."""

    name: str = ""
    port: PortNumber
    protocol: Protocol = "TCP"


class EndpointSubset(KubeModel):
    """Addresses that serve the same ports."""

    addresses: Items[EndpointAddress] = ()
    notReadyAddresses: Items[EndpointAddress] = ()
    ports: Items[EndpointPort] = ()

    @model_validator(mode="after")
    def _some(self) -> EndpointSubset:
        if not self.addresses and not self.notReadyAddresses:
            raise ValueError("addresses: a subset has one at least, or one that is not ready")
        return self


class Endpoints(KubeObject):
    """The endpoints of the service of that name."""

    KIND: ClassVar[str] = "Endpoints"
    RESOURCE: ClassVar[str] = "endpoints"

    subsets: Items[EndpointSubset] = ()

    @property
    def managed(self) -> bool:
        """Are they the endpoints controller's, made from pods?"""
        return self.metadata.labels.get(MANAGED_LABEL) == MANAGER


class EndpointConditions(KubeModel):
    """``ready`` None counts as true (Kubernetes: EndpointSlices, conditions)."""

    ready: bool | None = None


class SliceEndpoint(KubeModel):
    """One endpoint. Its addresses are interchangeable, so only the first counts (so it is in kube-proxy)."""

    addresses: Annotated[Items[str], Field(min_length=1, max_length=100)]
    conditions: EndpointConditions = EndpointConditions()
    hostname: str = ""
    nodeName: str = ""
    targetRef: TargetRef | None = None


class SlicePort(KubeModel):
    """A port of all the slice's endpoints; without a number it does not count (it is for all ports)."""

    name: str = ""
    port: PortNumber | None = None
    protocol: Protocol = "TCP"


class EndpointSlice(KubeObject):
    """A part of a service's endpoints."""

    KIND: ClassVar[str] = "EndpointSlice"
    VERSION: ClassVar[str] = "discovery.k8s.io/v1"
    RESOURCE: ClassVar[str] = "endpointslice.discovery.k8s.io"

    addressType: Literal["IPv4", "IPv6", "FQDN"]
    endpoints: Items[SliceEndpoint] = ()
    ports: Items[SlicePort] = ()

    @model_validator(mode="after")
    def _of_its_type(self) -> EndpointSlice:
        if self.addressType == "FQDN":
            return self
        for i, endpoint in enumerate(self.endpoints):
            for k, text in enumerate(endpoint.addresses):
                where = f"endpoints[{i}].addresses[{k}]"
                try:
                    address = parse_address(text)
                except ValueError:
                    raise ValueError(f"{where}: expected an {self.addressType} address, got {text!r}") from None
                if f"IPv{address.version}" != self.addressType:
                    raise ValueError(f"{where}: {text} is not of the slice's addressType {self.addressType}")
                try:
                    _check_reachable(address)
                except ValueError as error:
                    raise ValueError(f"{where}: {error}") from None
        return self

    @property
    def service(self) -> str:
        """The service that it is of; empty: of none."""
        return self.metadata.labels.get(SERVICE_LABEL, "")
