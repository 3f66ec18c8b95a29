"""One file a kind of item: how the engine is told of it, and how it is read back."""

from __future__ import annotations

from typing import Any

from vectorplane.backends.engine.kinds.address import Addresses
from vectorplane.backends.engine.kinds.binding import Bindings
from vectorplane.backends.engine.kinds.interface import InterfacesKind
from vectorplane.backends.engine.kinds.ip4 import Ip4
from vectorplane.backends.engine.kinds.kind import Kind
from vectorplane.backends.engine.kinds.mac import Macs
from vectorplane.backends.engine.kinds.mtu import Mtus
from vectorplane.backends.engine.kinds.neighbour import Neighbours
from vectorplane.backends.engine.kinds.proxy_arp import ProxyInterfaces, ProxyRanges
from vectorplane.backends.engine.kinds.route import Routes
from vectorplane.backends.engine.kinds.subinterface import SubInterfaces
from vectorplane.backends.engine.kinds.table import Tables
from vectorplane.backends.engine.kinds.unnumbered import Unnumbereds
from vectorplane.backends.engine.kinds.up import Ups

KINDS: tuple[type[Kind[Any]], ...] = (
    Tables,
    InterfacesKind,
    SubInterfaces,
    Macs,
    Mtus,
    Bindings,
    Ups,
    Addresses,
    Unnumbereds,
    Ip4,
    Routes,
    Neighbours,
    ProxyRanges,
    ProxyInterfaces,
)
"""All of them."""
