"""Bridging in a configuration: bridge domains, what makes an interface a port of one, VLAN tag rewrites, SPAN."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from vectorplane.control.config_types import Address, InterfaceName, Model, StationMac, Vlan, as_list

DomainId = Annotated[int, Field(ge=1, lt=1 << 24)]
PortType = Literal["normal", "bvi", "uu-fwd"]
TagOperation = Literal[
    "push-1", "push-2", "pop-1", "pop-2", "translate-1-1", "translate-1-2", "translate-2-1", "translate-2-2"
]


class ArpEntry(Model):
    """A neighbour that the domain answers for, if it has ``arp_term``."""

    ip: Address
    mac: StationMac


class FibEntry(Model):
    """A MAC address that stays on a port, or (``filter``) whose frames are dropped."""

    mac: StationMac
    interface: InterfaceName | None = None
    filter: bool = False

    @model_validator(mode="after")
    def _one_way(self) -> FibEntry:
        if self.filter == (self.interface is not None):
            raise ValueError("expected either interface or filter: true")
        return self


class BridgeDomain(Model):
    """A bridge domain: what it does with the frames of its ports, and what it was told. Ports say that they are in it.

    ``mac_age``: minutes after which a learnt address is forgotten; 0: never.
    """

    flood: bool = True
    uu_flood: bool = True
    forward: bool = True
    learn: bool = True
    arp_term: bool = False
    arp_ufwd: bool = False
    mac_age: Annotated[int, Field(ge=0, le=255)] = 0
    tag: Annotated[str, Field(max_length=63)] = ""
    arp: list[ArpEntry] = Field(default_factory=list)
    fib: list[FibEntry] = Field(default_factory=list)

    @model_validator(mode="before")
    @classmethod
    def _empty(cls, value: Any) -> Any:
        return {} if value is None else value


class BridgePort(Model):
    """In which bridge domain an interface is. ``type``: by default bvi for the device bvi, else normal.

    ``shg``: split-horizon group; frames from one port of a group do not go to another of it (0: no group).
    """

    domain: DomainId
    type: PortType | None = None
    shg: Annotated[int, Field(ge=0, le=255)] = 0


def _short_port(value: Any) -> Any:
    return {"domain": value} if isinstance(value, int) and not isinstance(value, bool) else value


BridgeMembership = Annotated[BridgePort, BeforeValidator(_short_port)]
"""``bridge: 1`` is short for ``bridge: {domain: 1}``."""


class TagRewrite(Model):
    """What a port does to the VLAN tags of frames that come in; to those that leave it does the opposite.

    ``op``: push, pop or translate; the numbers say how many tags are taken off and put on. ``tags``: those that are
    put on, outer first, which is one of type ``tag``.
    """

    op: TagOperation
    tags: Annotated[list[Vlan], BeforeValidator(as_list)] = Field(default_factory=list)
    tag: Literal["dot1q", "dot1ad"] = "dot1q"

    @model_validator(mode="after")
    def _all_tags(self) -> TagRewrite:
        if len(self.tags) != self.pushes:
            expected = f"{self.pushes} tag{'s' if self.pushes > 1 else ''}" if self.pushes else "no tags"
            raise ValueError(f"{self.op} puts on {expected}, got {len(self.tags) or 'none'}")
        return self

    @property
    def pops(self) -> int:
        """How many tags it takes off."""
        return 0 if self.op.startswith("push") else int(self.op.split("-")[1])

    @property
    def pushes(self) -> int:
        """How many tags it puts on."""
        return 0 if self.op.startswith("pop") else int(self.op.split("-")[-1])


def _short_rewrite(value: Any) -> Any:
    return {"op": value} if isinstance(value, str) else value


PortTagRewrite = Annotated[TagRewrite, BeforeValidator(_short_rewrite)]
"""``tag_rewrite: pop-1`` is short for ``tag_rewrite: {op: pop-1}``."""


class Span(Model):
    """What ``source`` receives, sends or both is copied to ``target``.

    ``l2``: copied where the port bridges, as the bridge domain sees it.
    """

    source: InterfaceName
    target: InterfaceName
    direction: Literal["rx", "tx", "both"] = "both"
    l2: bool = False
