"""What there is to be made for a lab: plain data, checked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from vectorplane.backends.engine.tap.host_link import HostLink


@dataclass(frozen=True)
class PlannedHost:
    """A host: its interface, and where that is plugged in. ``port``: by which port of a switch, None: a tap's end."""

    name: str
    link: str
    eth0: HostLink
    port: str | None = None


@dataclass(frozen=True)
class PlannedSwitch:
    """A switch: a bridge `BRIDGE`."""

    name: str
    mtu: int | None


@dataclass(frozen=True)
class PlannedInstance:
    """An instance: its configuration as plain values, taps included, and the names of those."""

    name: str
    config: dict[Any, Any]
    taps: tuple[str, ...]
    source: str
    """The file that its configuration is written in."""


@dataclass(frozen=True)
class Plan:
    """A whole lab. Namespaces in it are names of hosts and switches; each lab puts a prefix of its own before them."""

    file: str
    hosts: tuple[PlannedHost, ...]
    switches: tuple[PlannedSwitch, ...]
    instances: tuple[PlannedInstance, ...]


BRIDGE = "br0"
"""A switch, in its namespace."""
