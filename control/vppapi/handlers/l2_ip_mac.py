"""l2.api: the addresses that a bridge domain answers ARP and neighbour solicitations for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from vectorplane.backends.engine.l2.bridges import Domain
from vectorplane.control.vppapi.api import Api
from vectorplane.control.vppapi.handlers.interface_checks import NONE
from vectorplane.control.vppapi.handlers.ip_addresses import decode_address, encode_address
from vectorplane.control.vppapi.handlers.l2_bridge import DEFAULT, domain_of
from vectorplane.control.vppapi.retval import UNSPECIFIED, ApiError


def bd_ip_mac_add_del(api: Api, m: Any) -> None:
    """Answer for an address with a MAC address (in place of another), or no longer; then both must be as entered."""
    entry = m.entry
    domain_of(api, entry.bd_id)
    address, mac = decode_address(entry.ip), bytes(entry.mac)
    if m.is_add:
        api.engine.bridges.set_ip_mac(entry.bd_id, address, mac)
    elif not api.engine.bridges.remove_ip_mac(entry.bd_id, address, mac):
        raise ApiError(UNSPECIFIED, f"no entry of {address} and {mac.hex(':')}")


def bd_ip_mac_flush(api: Api, m: Any) -> None:
    """Forget all of a domain."""
    domain_of(api, m.bd_id)
    api.engine.bridges.flush_ip_macs(m.bd_id)


def bd_ip_mac_dump(api: Api, m: Any) -> Iterator[dict[str, Any]]:
    """Those of one domain or of all, IPv4's first."""
    bridges = api.engine.bridges
    if m.bd_id != NONE:
        if m.bd_id in bridges.domains:
            yield from _entries(bridges.domains[m.bd_id])
        return
    for index in sorted(bridges.by_index):
        domain = bridges.by_index.get(index)
        if domain is not None and domain.id != DEFAULT:
            yield from _entries(domain)


def _entries(domain: Domain) -> Iterator[dict[str, Any]]:
    for address, mac in sorted(domain.ip_macs.items(), key=lambda e: (e[0].version, int(e[0]))):
        yield {"entry": {"bd_id": domain.id, "ip": encode_address(address), "mac": mac}}


HANDLERS = {
    "bd_ip_mac_add_del": bd_ip_mac_add_del,
    "bd_ip_mac_flush": bd_ip_mac_flush,
    "bd_ip_mac_dump": bd_ip_mac_dump,
}
