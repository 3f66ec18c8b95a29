"""What NAT44 is on a node whether or not there are services: settings, pools, interfaces, what is never translated.

As in Contiv-VPP (its service configurator and NAT44 renderer).
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address

from vectorplane.backends.items import (
    Item,
    Nat44,
    NatAddress,
    NatIdentity,
    NatInterface,
    Table,
)
from vectorplane.control.cluster import names
from vectorplane.control.cluster.services.record import UDP
from vectorplane.control.cluster.this_node import Nic, ThisNode

VXLAN_PORT = 4789
TCP_TRANSITORY = 240
"""Seconds that NAT remembers a TCP connection that is not yet or not any more established (VPP's default)."""
IDENTITIES = "identities"
"""Their tag."""
NOBODYS_TABLE = 0xFFFFFFFE
"""A table without interfaces: a pool's address for it is given to nobody."""
OUTSIDE, BOTH, OUTPUT = "outside", "both", "output"


def default_interface(node: ThisNode) -> Nic | None:
    """The card that leads to the gateway; None: there is none.

    Where addresses come by DHCP the gateway does, too: it is the main one then.
    """
    if node.gateway is None:
        return node.nic if node.settings.ipam.node_interconnect_dhcp and node.nic and node.nic.address else None
    for nic in (node.nic, *node.other_nics):
        if nic is not None and nic.address is not None and node.gateway in nic.address.network:
            return nic
    return None


def exit_interface(node: ThisNode) -> Nic | None:
    """The card where pods' packets get the node's address on their way out; None: they leave as they are.

    Without an overlay packets for pods of other nodes leave by the main card, too, and must stay as they are.
    """
    if not node.settings.nat_external_traffic:
        return None
    nic = default_interface(node)
    return None if nic is not None and nic == node.nic and not node.overlay else nic


def exit_address(node: ThisNode) -> IPv4Address | None:
    """The node's address that pods' packets get on their way out, where nodes are joined by tunnels; else None."""
    out = exit_interface(node)
    own = None if out is None or out.address is None or not node.overlay else out.address.ip
    return own if isinstance(own, IPv4Address) else None


def roles(node: ThisNode) -> dict[str, str]:
    """By interface what it is to NAT, but for pods' interfaces."""
    out = exit_interface(node)
    found = {names.HOST_LINK: BOTH}
    if node.overlay:
        found[names.BVI] = BOTH
    for nic in (node.nic, *node.other_nics):
        if nic is not None:
            serves = nic == node.nic and not node.overlay
            found[nic.name] = OUTPUT if nic == out else BOTH if serves else OUTSIDE
    return found


def node_items(node: ThisNode) -> Iterator[Item]:
    """All of it; nothing in a cluster of IPv6, where NAT44 has nothing to do."""
    settings = node.settings
    if settings.ipam.ip6:
        return
    yield Nat44(
        settings.main_vrf,
        settings.main_vrf,
        settings.nat_sessions,
        forwarding=True,
        udp=settings.nat_other_timeout,
        tcp_established=settings.nat_tcp_timeout,
        tcp_transitory=min(TCP_TRANSITORY, settings.nat_tcp_timeout),
        icmp=settings.nat_other_timeout,
    )
    loopback = node.ipam.pod_subnet.nat_loopback
    if isinstance(loopback, IPv4Address):
        yield NatAddress(loopback, twice_nat=True)
    for interface, role in roles(node).items():
        yield NatInterface(interface, role)
    out = exit_interface(node)
    if out is not None and out.address is not None and isinstance(out.address.ip, IPv4Address):
        own = out.address.ip
        yield Table(NOBODYS_TABLE, name="nobody")
        yield NatAddress(own)
        if own == exit_address(node):  # what a service leads to by the main table sees the node: it answers there
            yield NatAddress(own, settings.main_vrf, twice_nat=True)
        yield NatIdentity(own, proto=UDP, port=VXLAN_PORT, table=settings.main_vrf, tag=IDENTITIES)
        for table in dict.fromkeys((settings.main_vrf, settings.pod_vrf)):
            yield NatIdentity(own, table=table, tag=IDENTITIES)
