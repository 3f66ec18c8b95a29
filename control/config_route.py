"""Routes, neighbours and tables of a configuration."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from vectorplane.control.config_path import Path
from vectorplane.control.config_types import (
    Address,
    Address4,
    InterfaceName,
    Model,
    Prefix,
    StationMac,
    TableId,
    as_list,
)

Action = Literal["blackhole", "unreachable", "prohibit"]
HashInput = Literal["src", "dst", "proto", "sport", "dport", "reverse", "symmetric"]


class Route(Model):
    """A prefix and where it leads: ``paths``, or one path's fields right here, or an ``action`` that drops."""

    prefix: Prefix
    table: TableId = 0
    paths: list[Path] = Field(default_factory=list)
    action: Action | None = None
    via: Address | None = None
    interface: InterfaceName | None = None
    lookup: TableId | None = None
    weight: Annotated[int, Field(ge=1, le=255)] = 1
    preference: Annotated[int, Field(ge=0, le=255)] = 0

    @model_validator(mode="after")
    def _one_form(self) -> Route:
        single = [n for n in ("via", "interface", "lookup") if getattr(self, n) is not None]
        if self.action and (single or self.paths):
            raise ValueError(
                f"a route with action {self.action} has no paths: leave out {', '.join(single) or 'paths'}"
            )
        if self.paths and single:
            raise ValueError(f"give the fields of one path ({', '.join(single)}) or a list of paths, not both")
        if not (self.action or self.paths or single):
            raise ValueError("expected via, interface, lookup, paths or action")
        if self.lookup is not None and len(single) > 1:
            raise ValueError("lookup goes with neither via nor interface")
        if self.paths and (self.weight != 1 or self.preference):
            raise ValueError("weight and preference belong to the paths")
        return self

    def all_paths(self) -> list[Path]:
        """The route's paths, whichever way they were written; none for an action."""
        if self.paths or self.action:
            return self.paths
        return [
            Path(
                via=self.via,
                interface=self.interface,
                lookup=self.lookup,
                weight=self.weight,
                preference=self.preference,
            )
        ]


class Neighbour(Model):
    """A static neighbour: what ARP would find out."""

    interface: InterfaceName
    ip: Address
    mac: StationMac


class ProxyArp(Model):
    """Addresses, ends included, for which interfaces that proxy answer ARP requests."""

    low: Address4
    high: Address4
    table: TableId = 0

    @model_validator(mode="after")
    def _upwards(self) -> ProxyArp:
        if self.low > self.high:
            raise ValueError(f"{self.low} is above {self.high}")
        return self


class Table(Model):
    """A routing table (VRF). ``flow_hash``: what spreads packets over the paths of its routes.

    ``ip6``: it holds IPv6 routes too; the interfaces in it are in it with both.
    """

    name: str = ""
    ip6: bool = False
    flow_hash: Annotated[list[HashInput] | None, BeforeValidator(as_list)] = None
