"""Where a packet leaves a node of a cluster, told case by case from what Contiv-VPP promises, without any table."""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Interface, IPv4Network

DROP, LOCAL, HOST, NIC, ASK = "drop", "local", "host", "nic", "ask"
"""ASK: in a subnet of ours, but nobody is known there."""


@dataclass
class Other:
    """Another node, as far as this one knows it."""

    number: int
    addresses: list[IPv4Address]
    management: list[IPv4Address]
    pods: set[IPv4Address] = field(default_factory=set)
    """With external IPAM the addresses of its pods that it has before all others."""


@dataclass
class Here:
    """A node with 10.1.N.0/24 for pods, 172.30.N.0/24 to its host, and 192.168.30.N in the overlay."""

    number: int
    overlay: bool
    external: bool
    nic: IPv4Interface | None
    gateway: bool
    host_addresses: list[IPv4Address]
    pods: dict[IPv4Address, str]
    others: list[Other]

    def connected(self) -> list[Other]:
        """The nodes that enough is known of; one that has our address is none of them."""
        if self.nic is None:
            return []
        return [o for o in self.others if o.addresses and o.management and o.addresses[0] != self.nic.ip]


def out(here: Here, source: str, to: IPv4Address) -> str:
    """Where a packet from a "pod", the "host" or the wire ("nic") leaves: `DROP` and so on, "pod X" or "node M"."""
    return _pods_table(here, to) if source == "pod" else _main_table(here, to)


def _pods(number: int) -> IPv4Network:
    return IPv4Network(f"10.1.{number}.0/24")


def _hosts(number: int) -> IPv4Network:
    return IPv4Network(f"172.30.{number}.0/24")


def _in_pools(to: IPv4Address) -> bool:
    return to in IPv4Network("10.1.0.0/16") or to in IPv4Network("172.30.0.0/16")


def _behind(here: Here, to: IPv4Address) -> Other | None:
    """The node that an address belongs to."""
    for other in here.connected():  # single addresses before subnets
        if to in other.management and (here.overlay or to != other.addresses[0]):
            return other
    for other in here.connected():
        if to in other.pods and here.external:
            return other
    for other in here.connected():
        if to in _hosts(other.number) or (to in _pods(other.number) and not here.external):
            return other
    return None


def _pods_table(here: Here, to: IPv4Address) -> str:
    if to in here.pods:
        return f"pod {here.pods[to]}"
    if to == _pods(here.number)[1]:
        return LOCAL
    if here.overlay:
        other = _behind(here, to)
        if other is not None:
            return f"node {other.number}"
        if to == IPv4Address(f"192.168.30.{here.number}"):
            return LOCAL
        for other in here.connected():
            if to == IPv4Address(f"192.168.30.{other.number}"):
                return f"node {other.number}"
        if to in IPv4Network("192.168.30.0/24"):
            return ASK
    if to in _pods(here.number):
        # by external IPAM another node's pod may have an address of our subnet
        away = None if here.overlay or not here.external else _behind(here, to)
        return f"node {away.number}" if away is not None and to in away.pods else ASK
    if here.overlay and _in_pools(to) and to not in _hosts(here.number):
        return DROP
    return _main_table(here, to)


def _main_table(here: Here, to: IPv4Address) -> str:
    if to == _hosts(here.number)[1] or (here.nic is not None and to == here.nic.ip):
        return LOCAL
    if to in here.host_addresses or to in _hosts(here.number):
        return HOST
    if to in here.pods or to in _pods(here.number):
        return _pods_table(here, to)
    other = _behind(here, to)
    if other is not None and not (here.overlay and to in other.addresses):
        return f"node {other.number}"
    if here.overlay and _in_pools(to):
        return DROP if other is None else f"node {other.number}"
    if here.nic is not None and to in here.nic.network:
        return NIC
    return NIC if here.gateway and here.nic is not None else DROP
