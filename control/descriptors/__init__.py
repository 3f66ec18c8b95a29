"""What the scheduler knows of each kind of items: one file a kind."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from vectorplane.control.descriptors.acl import ACL, ACL_BINDING, ETYPE_WHITELIST, MACIP_ACL, MACIP_BINDING
from vectorplane.control.descriptors.address import ADDRESS
from vectorplane.control.descriptors.binding import BINDING
from vectorplane.control.descriptors.bridge_arp import BRIDGE_ARP
from vectorplane.control.descriptors.bridge_domain import BRIDGE_DOMAIN
from vectorplane.control.descriptors.bridge_port import BRIDGE_PORT
from vectorplane.control.descriptors.descriptor import Descriptor
from vectorplane.control.descriptors.gso import GSO
from vectorplane.control.descriptors.interface import INTERFACE
from vectorplane.control.descriptors.ip4 import IP4
from vectorplane.control.descriptors.l2_fib_entry import L2_FIB_ENTRY
from vectorplane.control.descriptors.l2_xconnect import L2_XCONNECT
from vectorplane.control.descriptors.l3_xconnect import L3_XCONNECT
from vectorplane.control.descriptors.mac import MAC
from vectorplane.control.descriptors.mtu import MTU
from vectorplane.control.descriptors.nat44 import (
    NAT44,
    NAT_ADDRESS,
    NAT_IDENTITY,
    NAT_INTERFACE,
    NAT_INTERFACE_ADDRESS,
    NAT_SERVICE,
    NAT_STATIC,
)
from vectorplane.control.descriptors.neighbour import NEIGHBOUR
from vectorplane.control.descriptors.proxy_arp import PROXY_ARP_INTERFACE, PROXY_ARP_RANGE
from vectorplane.control.descriptors.reassembly import REASSEMBLY
from vectorplane.control.descriptors.route import ROUTE
from vectorplane.control.descriptors.span import SPAN
from vectorplane.control.descriptors.subinterface import SUBINTERFACE
from vectorplane.control.descriptors.table import TABLE
from vectorplane.control.descriptors.tag_rewrite import TAG_REWRITE
from vectorplane.control.descriptors.unnumbered import UNNUMBERED
from vectorplane.control.descriptors.up import UP

_ALL = (
    TABLE,
    INTERFACE,
    SUBINTERFACE,
    MAC,
    MTU,
    BINDING,
    BRIDGE_DOMAIN,
    BRIDGE_PORT,
    L2_XCONNECT,
    TAG_REWRITE,
    L2_FIB_ENTRY,
    BRIDGE_ARP,
    IP4,
    ADDRESS,
    UNNUMBERED,
    PROXY_ARP_RANGE,
    PROXY_ARP_INTERFACE,
    REASSEMBLY,
    GSO,
    NEIGHBOUR,
    ROUTE,
    L3_XCONNECT,
    SPAN,
    ACL,
    MACIP_ACL,
    ACL_BINDING,
    MACIP_BINDING,
    ETYPE_WHITELIST,
    NAT44,
    NAT_INTERFACE,
    NAT_ADDRESS,
    NAT_INTERFACE_ADDRESS,
    NAT_STATIC,
    NAT_SERVICE,
    NAT_IDENTITY,
    UP,
)

DESCRIPTORS: Mapping[type, Descriptor] = MappingProxyType({d.type: d for d in _ALL})
"""By the class of the item."""
