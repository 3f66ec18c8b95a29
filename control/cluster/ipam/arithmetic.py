"""Networks and addresses as numbers, of either IP version."""

from __future__ import annotations

from ipaddress import (
    IPv4Address,
    IPv4Interface,
    IPv4Network,
    IPv6Address,
    IPv6Interface,
    IPv6Network,
)

Ip = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
IpInterface = IPv4Interface | IPv6Interface


def host_bits(network: Network) -> int:
    """How many bits of an address are behind the prefix."""
    return network.max_prefixlen - network.prefixlen


def address_at(network: Network, index: int) -> Ip:
    """The address ``index`` places behind the network's own."""
    return network.network_address + index


def index_of(network: Network, address: Ip) -> int | None:
    """The place of an address in a network; None: it is not in it."""
    if address.version != network.version:
        return None
    index = int(address) - int(network.network_address)
    return index if 0 <= index < network.num_addresses else None


def subnet_at(network: Network, length: int, index: int) -> Network:
    """The ``index``-th (from 0) of the subnets of that prefix length."""
    start = address_at(network, index << (network.max_prefixlen - length))
    if isinstance(start, IPv4Address):
        return IPv4Network((start, length))
    return IPv6Network((start, length))


def in_network(network: Network, address: Ip) -> IpInterface:
    """An address with the prefix length of its network."""
    if isinstance(address, IPv4Address):
        return IPv4Interface((address, network.prefixlen))
    return IPv6Interface((address, network.prefixlen))


def alone(address: Ip) -> Network:
    """The network of that one address: /32 or /128."""
    return IPv4Network(address) if isinstance(address, IPv4Address) else IPv6Network(address)


def overlap(one: Network, other: Network) -> bool:
    """Do they share an address?"""
    return (
        one.version == other.version
        and int(one.network_address) <= int(other.broadcast_address)
        and int(other.network_address) <= int(one.broadcast_address)
    )
