"""What the settings say about each other: too small, out of range, of two IP versions, overlapping.

Contiv-VPP finds such mistakes when an address is first wanted, or never; here none gets that far.
"""

from __future__ import annotations

from itertools import combinations

from vectorplane.control.cluster.ipam.arithmetic import Ip, Network, host_bits, index_of, overlap
from vectorplane.control.cluster.ipam.error import IpamError
from vectorplane.control.cluster.ipam.pod_subnet import LEAST_BITS
from vectorplane.control.cluster.ipam.pools import Pools, lay_out
from vectorplane.control.cluster.ipam.settings import IpamSettings
from vectorplane.control.cluster.ipam.shares import Addresses, Subnets

_HOST_BITS = 2
"""The link between VPP and its host: its two ends, and two that IPv4 gives to no host."""


def problems(settings: IpamSettings, gateway: Ip | None = None) -> list[IpamError]:
    """Every mistake in the settings that is not in one field alone. ``gateway``: as of `pools_of`."""
    try:
        pools = lay_out(settings, gateway)
    except IpamError as error:
        return [error]
    gateway = gateway or settings.default_gateway
    return _versions(settings, gateway) or [*_sizes(pools), *_overlaps(_named(pools)), *_gateway(pools, gateway)]


def pools_of(settings: IpamSettings, gateway: Ip | None = None) -> Pools:
    """The pools of a cluster.

    Args:
        settings: they are the same on every node.
        gateway: the default gateway where it is not that of the settings; it has to be the same on every node, too,
            since each computes the addresses of all.

    Raises:
        IpamError: the first of the mistakes in the settings (see `problems`).
    """
    for problem in problems(settings, gateway):
        raise problem
    return lay_out(settings, gateway)


def _versions(settings: IpamSettings, gateway: Ip | None) -> list[IpamError]:
    leader = "contiv_cidr" if settings.contiv_cidr else "pod_subnet_cidr"
    wanted = 6 if settings.ip6 else 4
    fields = ["service_cidr", "node_interconnect_cidr"]
    if settings.contiv_cidr is None:
        fields += ["vpp_host_subnet_cidr", "vxlan_cidr"]
    given = [(field, getattr(settings, field)) for field in fields]
    given.append(("default_gateway", gateway))
    return [
        IpamError(field, f"{value} is IPv{value.version}, but {leader} is IPv{wanted}: a cluster is of one IP version")
        for field, value in given
        if value is not None and value.version != wanted
    ]


def _sizes(pools: Pools) -> list[IpamError]:
    found = _lengths(pools.pods, LEAST_BITS, "a gateway, a NAT loopback and a pod")
    found += _lengths(pools.vpp_host, _HOST_BITS, "both ends of a link")
    for pool in (pools.interconnect, pools.vxlan):
        if pool is not None:
            found += _room(pool)
    return found


def _lengths(pool: Subnets, bits: int, what: str) -> list[IpamError]:
    low, high = pool.whole.prefixlen + 1, pool.whole.max_prefixlen - bits
    if low > high:
        reason = f"{pool.whole} is too small for subnets of nodes: expected a prefix length of at most {high - 1}"
        return [IpamError(pool.field, reason)]
    if not low <= pool.length <= high:
        reason = (
            f"expected {low} to {high}, got {pool.length}: a node's subnet is a part of {pool.whole} and holds {what}"
        )
        return [IpamError(pool.length_field, reason)]
    return []


def _room(pool: Addresses) -> list[IpamError]:
    if host_bits(pool.whole) == 0 or pool.most < 1:
        return [IpamError(pool.field, f"{pool.whole} is too small: it has no address for a node")]
    return []


def _named(pools: Pools) -> list[tuple[str, str, Network]]:
    """Field, what it is, and the network."""
    named = [
        (pools.pods.field, "pods", pools.pods.whole),
        (pools.vpp_host.field, "links to hosts", pools.vpp_host.whole),
    ]
    if pools.vxlan is not None:
        named.append((pools.vxlan.field, "VXLAN", pools.vxlan.whole))
    if pools.interconnect is not None:
        named.append((pools.interconnect.field, "nodes", pools.interconnect.whole))
    if pools.services is not None:
        named.append(("service_cidr", "services", pools.services))
    return named


def _overlaps(named: list[tuple[str, str, Network]]) -> list[IpamError]:
    return [
        IpamError(field, f"{network} overlaps {other}, which is for {what} ({of})")
        for (of, what, other), (field, _, network) in combinations(named, 2)
        if overlap(other, network)
    ]


def _gateway(pools: Pools, gateway: Ip | None) -> list[IpamError]:
    """Only the interconnect makes room for the gateway; anywhere else somebody would be given its address."""
    return [
        IpamError("default_gateway", f"{gateway} is in {network}, which is for {what} ({field})")
        for field, what, network in _named(pools)
        if gateway is not None and what != "nodes" and index_of(network, gateway) is not None
    ]
