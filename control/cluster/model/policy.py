"""Network policies (networking.k8s.io/v1)."""

from __future__ import annotations

from enum import IntEnum
from typing import Literal

from pydantic import Field, model_validator

from vectorplane.control.cluster.model.base import Cidr, Labels, MaybePort, ObjectId, Record


class PolicyType(IntEnum):
    """To which directions it applies. DEFAULT: to ingress, and to egress if it has egress rules."""

    DEFAULT = 0
    INGRESS = 1
    EGRESS = 2
    BOTH = 3


class Expression(Record):
    """A condition on a label."""

    key: str
    operator: Literal["IN", "NOT_IN", "EXISTS", "DOES_NOT_EXIST"]
    values: tuple[str, ...] = ()


class Selector(Record):
    """Labels that must be there, and conditions, all of which must hold. An empty one selects everything."""

    match_labels: Labels = Field(default_factory=dict)
    match_expressions: tuple[Expression, ...] = ()

    def selects(self, labels: Labels) -> bool:
        """Does it select what has these labels?

        NOT_IN holds also where there is no such label (Kubernetes: labels.Requirement).
        """
        return all(labels.get(k) == v for k, v in self.match_labels.items()) and all(
            _holds(e, labels) for e in self.match_expressions
        )


def _holds(expression: Expression, labels: Labels) -> bool:
    there = expression.key in labels
    match expression.operator:
        case "IN":
            return there and labels[expression.key] in expression.values
        case "NOT_IN":
            return not there or labels[expression.key] not in expression.values
        case "EXISTS":
            return there
        case "DOES_NOT_EXIST":
            return not there


class PolicyPort(Record):
    """A port. ``number`` 0 and no ``name``: all of the protocol. ``end``: last of a range, 0: it is only one port."""

    protocol: Literal["TCP", "UDP", "SCTP"] = "TCP"
    number: MaybePort = 0
    name: str = ""
    end: MaybePort = 0

    @model_validator(mode="after")
    def _range(self) -> PolicyPort:
        if self.end and (self.name or not 0 < self.number <= self.end):
            raise ValueError(f"a range of ports ends at {self.end}, but begins at {self.name or self.number}")
        return self


class IpBlock(Record):
    """Addresses, but not those of ``excepts``."""

    cidr: Cidr
    excepts: tuple[Cidr, ...] = ()


class Peer(Record):
    """Who may be talked to: pods and namespaces (both: those pods in those namespaces), or addresses."""

    pods: Selector | None = None
    namespaces: Selector | None = None
    ip_block: IpBlock | None = None

    @model_validator(mode="after")
    def _one(self) -> Peer:
        if (self.ip_block is None) == (self.pods is None and self.namespaces is None):
            raise ValueError("a peer is either ip_block, or pods and namespaces")
        return self


class PolicyRule(Record):
    """What is allowed: ``ports`` (none: all) of ``peers`` (none: everybody)."""

    ports: tuple[PolicyPort, ...] = ()
    peers: tuple[Peer, ...] = ()


class Policy(Record):
    """A policy: to which pods of its namespace it applies, and what it allows them."""

    name: str
    namespace: str
    pods: Selector = Field(default_factory=Selector)
    policy_type: PolicyType = PolicyType.DEFAULT
    ingress: tuple[PolicyRule, ...] = ()
    egress: tuple[PolicyRule, ...] = ()

    @property
    def id(self) -> ObjectId:
        """Its identity."""
        return ObjectId(self.namespace, self.name)

    @property
    def is_ingress(self) -> bool:
        """Does it isolate pods for what comes in?"""
        return self.policy_type != PolicyType.EGRESS

    @property
    def is_egress(self) -> bool:
        """Does it isolate pods for what goes out?"""
        if self.policy_type == PolicyType.DEFAULT:
            return bool(self.egress)
        return self.policy_type in (PolicyType.EGRESS, PolicyType.BOTH)
