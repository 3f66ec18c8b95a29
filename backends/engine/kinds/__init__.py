"""One file a kind of item: how the engine is told of it, and how it is read back."""

from __future__ import annotations

from typing import Any

from vectorplane.backends.engine.kinds.acl import AclBindings, Acls, EtypeWhitelists
from vectorplane.backends.engine.kinds.address import Addresses
from vectorplane.backends.engine.kinds.binding import Bindings
from vectorplane.backends.engine.kinds.bridge_arp import BridgeArps
from vectorplane.backends.engine.kinds.bridge_domain import BridgeDomains
from vectorplane.backends.engine.kinds.bridge_port import BridgePorts
from vectorplane.backends.engine.kinds.gso import SoftwareGsos
from vectorplane.backends.engine.kinds.interface import InterfacesKind
from vectorplane.backends.engine.kinds.ip4 import Ip4
from vectorplane.backends.engine.kinds.kind import Kind
from vectorplane.backends.engine.kinds.l2_fib_entry import L2FibEntries
from vectorplane.backends.engine.kinds.l2_xconnect import L2Xconnects
from vectorplane.backends.engine.kinds.l3_xconnect import L3Xconnects
from vectorplane.backends.engine.kinds.mac import Macs
from vectorplane.backends.engine.kinds.macip import MacipAcls, MacipBindings
from vectorplane.backends.engine.kinds.mtu import Mtus
from vectorplane.backends.engine.kinds.nat44 import Nat44s, NatAddresses, NatInterfaceAddresses, NatInterfaces
from vectorplane.backends.engine.kinds.nat44_mappings import NatIdentities, NatServices, NatStatics
from vectorplane.backends.engine.kinds.neighbour import Neighbours
from vectorplane.backends.engine.kinds.proxy_arp import ProxyInterfaces, ProxyRanges
from vectorplane.backends.engine.kinds.reassembly import Reassemblies
from vectorplane.backends.engine.kinds.route import Routes
from vectorplane.backends.engine.kinds.span import Spans
from vectorplane.backends.engine.kinds.subinterface import SubInterfaces
from vectorplane.backends.engine.kinds.table import Tables
from vectorplane.backends.engine.kinds.tag_rewrite import TagRewrites
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
    Reassemblies,
    SoftwareGsos,
    BridgeDomains,
    BridgePorts,
    L2Xconnects,
    L2FibEntries,
    BridgeArps,
    TagRewrites,
    Spans,
    L3Xconnects,
    Acls,
    AclBindings,
    EtypeWhitelists,
    MacipAcls,
    MacipBindings,
    Nat44s,
    NatInterfaces,
    NatAddresses,
    NatInterfaceAddresses,
    NatStatics,
    NatServices,
    NatIdentities,
)
"""All of them."""
