"""Segment identifiers of SRv6 (RFC 8986): a prefix that says what is done, and bits of the address it is done for.

No node needs to be told the identifiers of another: they follow from its addresses.
"""

from __future__ import annotations

import hashlib
from ipaddress import IPv4Network, IPv6Address, IPv6Network
from typing import Annotated

from pydantic import AfterValidator

from vectorplane.control.cluster.ipam.error import IpamError
from vectorplane.control.config_types import Model, Prefix


def _ip6(network: IPv4Network | IPv6Network) -> IPv6Network:
    if not isinstance(network, IPv6Network):
        raise ValueError(f"expected an IPv6 prefix, got {network}")
    return network


Prefix6 = Annotated[Prefix, AfterValidator(_ip6)]


def _prefix(text: str) -> IPv6Network:
    return IPv6Network(text)


class Srv6Settings(Model):
    """Prefixes of identifiers. ``localsid``: where packets arrive; ``policy``: what steers them (binding SIDs)."""

    service_policy: Prefix6 = _prefix("8fff::/16")
    service_pod_localsid: Prefix6 = _prefix("9300::/16")
    service_host_localsid: Prefix6 = _prefix("9300::/16")
    service_node_localsid: Prefix6 = _prefix("9000::/16")
    node_to_node_pod_localsid: Prefix6 = _prefix("9501::/16")
    node_to_node_host_localsid: Prefix6 = _prefix("9500::/16")
    node_to_node_pod_policy: Prefix6 = _prefix("8501::/16")
    node_to_node_host_policy: Prefix6 = _prefix("8500::/16")
    sfc_policy: Prefix6 = _prefix("8eee::/16")
    sfc_service_function: Prefix6 = _prefix("9600::/16")
    sfc_end: Prefix6 = _prefix("9310::/16")


def sid(prefix: IPv6Network, address: IPv6Address) -> IPv6Address:
    """The prefix's bits, then the bits of the address at the places that are left."""
    return IPv6Address(int(prefix.network_address) | (int(address) & int(prefix.hostmask)))


def sid_of(settings: Srv6Settings, kind: str, address: IPv6Address) -> IPv6Address:
    """The identifier of that kind (a field of `Srv6Settings`) for an address.

    Raises:
        IpamError: there is no such kind.
    """
    if kind not in Srv6Settings.model_fields:
        raise IpamError("srv6", f"no kind of identifier is called {kind!r}")
    prefix: IPv6Network = getattr(settings, kind)
    return sid(prefix, address)


def chain_address(chain: str) -> IPv6Address:
    """Stands for a service function chain where its identifiers need an address: the start of its name's SHA-256."""
    return IPv6Address(hashlib.sha256(chain.encode()).digest()[:16])
