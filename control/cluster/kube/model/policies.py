"""Network policies (Kubernetes: "Network Policies")."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, model_validator

from vectorplane.control.cluster.ipam.arithmetic import Network
from vectorplane.control.cluster.kube.model.base import Items, KubeModel, KubeObject
from vectorplane.control.cluster.kube.model.names import PortNumber, PortOrName, Protocol
from vectorplane.control.cluster.kube.model.selector import LabelSelector
from vectorplane.control.config_types import Prefix, parse_address


def _cidr(value: Any) -> Any:
    """Cuts off what is set behind the length, as Kubernetes does: 10.0.0.1/8 is 10.0.0.0/8."""
    address, slash, length = value.partition("/") if isinstance(value, str) else ("", "", "")
    try:
        ip = parse_address(address)
        if not slash or not length.isascii() or not length.isdigit() or int(length) > ip.max_prefixlen:
            raise ValueError
    except ValueError:
        raise ValueError(f"expected a CIDR such as 10.0.0.0/8, got {value!r}") from None
    bits = ip.max_prefixlen - int(length)
    return f"{type(ip)(int(ip) >> bits << bits)}/{int(length)}"


Cidr = Annotated[Prefix, BeforeValidator(_cidr)]


def _inside(inner: Network, outer: Network) -> bool:
    """A part of it, but not all?"""
    same = inner.version == outer.version
    return same and inner.prefixlen > outer.prefixlen and inner.network_address in outer


class IpBlock(KubeModel):
    """Addresses without some of them."""

    cidr: Cidr
    except_: Annotated[Items[Cidr], Field(alias="except")] = ()

    @model_validator(mode="after")
    def _parts(self) -> IpBlock:
        for i, part in enumerate(self.except_):
            if not _inside(part, self.cidr):
                raise ValueError(f"except[{i}]: expected a part of {self.cidr} that is smaller, got {part}")
        return self


class PolicyPeer(KubeModel):
    """Who may be talked to: pods and namespaces (both: those pods in those namespaces), or addresses."""

    podSelector: LabelSelector | None = None
    namespaceSelector: LabelSelector | None = None
    ipBlock: IpBlock | None = None

    @model_validator(mode="after")
    def _one(self) -> PolicyPeer:
        selectors = self.podSelector is not None or self.namespaceSelector is not None
        if self.ipBlock is not None and selectors:
            raise ValueError("ipBlock: with it there can't be a podSelector or namespaceSelector")
        if self.ipBlock is None and not selectors:
            raise ValueError("expected podSelector, namespaceSelector or ipBlock, got none of them")
        return self


class PolicyPort(KubeModel):
    """A port; ``port`` None: all of the protocol. With ``endPort`` a range."""

    protocol: Protocol = "TCP"
    port: PortOrName | None = None
    endPort: PortNumber | None = None

    @model_validator(mode="after")
    def _range(self) -> PolicyPort:
        if self.endPort is not None:
            if not isinstance(self.port, int):
                raise ValueError("endPort: needs a port that is a number")
            if self.endPort < self.port:
                raise ValueError(f"endPort: {self.endPort} is before port {self.port}")
        return self


class IngressRule(KubeModel):
    """What may come in: ``ports`` (none: all) from these (none: everybody)."""

    ports: Items[PolicyPort] = ()
    from_: Annotated[Items[PolicyPeer], Field(alias="from")] = ()


class EgressRule(KubeModel):
    """What may go out: ``ports`` (none: all) to these (none: everybody)."""

    ports: Items[PolicyPort] = ()
    to: Items[PolicyPeer] = ()


class PolicySpec(KubeModel):
    """To which pods it applies, and what they are allowed."""

    podSelector: LabelSelector = LabelSelector()
    policyTypes: Items[Literal["Ingress", "Egress"]] = ()
    ingress: Items[IngressRule] = ()
    egress: Items[EgressRule] = ()

    @property
    def directions(self) -> frozenset[str]:
        """Where it isolates: as ``policyTypes`` says, else Ingress, and Egress if there are rules for it."""
        return frozenset(self.policyTypes or (("Ingress", "Egress") if self.egress else ("Ingress",)))


class NetworkPolicy(KubeObject):
    """A policy. Without a ``spec`` it isolates all pods of its namespace."""

    KIND: ClassVar[str] = "NetworkPolicy"
    VERSION: ClassVar[str] = "networking.k8s.io/v1"
    RESOURCE: ClassVar[str] = "networkpolicy.networking.k8s.io"

    spec: PolicySpec = PolicySpec()
