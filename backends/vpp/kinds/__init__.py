"""One file a kind of item: the messages that bring it, change it, remove it and list it."""

from __future__ import annotations

from typing import Any

from vectorplane.backends.vpp.kinds.acl import AclBindings, Acls, EtypeWhitelists
from vectorplane.backends.vpp.kinds.address import Addresses
from vectorplane.backends.vpp.kinds.binding import Bindings
from vectorplane.backends.vpp.kinds.bridge_arp import BridgeArps
from vectorplane.backends.vpp.kinds.bridge_domain import BridgeDomains
from vectorplane.backends.vpp.kinds.bridge_port import BridgePorts
from vectorplane.backends.vpp.kinds.gso import SoftwareGsos
from vectorplane.backends.vpp.kinds.interface import InterfacesKind
from vectorplane.backends.vpp.kinds.ip4 import Ip4
from vectorplane.backends.vpp.kinds.kind import Kind
from vectorplane.backends.vpp.kinds.l2_fib_entry import L2FibEntries
from vectorplane.backends.vpp.kinds.l2_xconnect import L2Xconnects
from vectorplane.backends.vpp.kinds.l3_xconnect import L3Xconnects
from vectorplane.backends.vpp.kinds.mac import Macs
from vectorplane.backends.vpp.kinds.macip import MacipAcls, MacipBindings
from vectorplane.backends.vpp.kinds.mtu import Mtus
from vectorplane.backends.vpp.kinds.nat44 import Nat44s, NatAddresses, NatInterfaceAddresses, NatInterfaces
from vectorplane.backends.vpp.kinds.nat44_mappings import NatIdentities, NatServices, NatStatics
from vectorplane.backends.vpp.kinds.neighbour import Neighbours
from vectorplane.backends.vpp.kinds.proxy_arp import ProxyInterfaces, ProxyRanges
from vectorplane.backends.vpp.kinds.reassembly import Reassemblies
from vectorplane.backends.vpp.kinds.route import Routes
from vectorplane.backends.vpp.kinds.span import Spans
from vectorplane.backends.vpp.kinds.subinterface import SubInterfaces
from vectorplane.backends.vpp.kinds.table import Tables
from vectorplane.backends.vpp.kinds.tag_rewrite import TagRewrites
from vectorplane.backends.vpp.kinds.unnumbered import Unnumbereds
from vectorplane.backends.vpp.kinds.up import Ups

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
