"""nat44_ed.api: static, identity and load-balanced mappings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from vectorplane.backends.engine.nat44.static_mappings import Local, Mapping
from vectorplane.control.vppapi.api import Api
from vectorplane.control.vppapi.handlers.nat44 import (
    ADDR_ONLY,
    NONE,
    OUT2IN_ONLY,
    SELF_TWICE_NAT,
    TWICE_NAT,
    attempt,
    ip4,
    ip4_bytes,
    vrf_or_none,
)
from vectorplane.graph_nodes.nat44.nat import (
    SM_ADDR_ONLY,
    SM_EXACT,
    SM_IDENTITY,
    SM_LB,
    SM_OUT2IN_ONLY,
    SM_SELF_TWICE_NAT,
    SM_SWITCH_ADDRESS,
    SM_TWICE_NAT,
)

_FLAGS = (
    (TWICE_NAT, SM_TWICE_NAT),
    (SELF_TWICE_NAT, SM_SELF_TWICE_NAT),
    (OUT2IN_ONLY, SM_OUT2IN_ONLY),
    (ADDR_ONLY, SM_ADDR_ONLY),
)


def _flags_of(flags: int) -> int:
    return sum(ours for theirs, ours in _FLAGS if flags & theirs)


def _told(flags: int) -> int:
    return sum(theirs for theirs, ours in _FLAGS if flags & ours)


def _static(api: Api, m: Any, pool_address: int) -> None:
    plain = bool(m.flags & ADDR_ONLY)
    interface = None if m.external_sw_if_index == NONE else m.external_sw_if_index
    flags = _flags_of(m.flags) | (0 if interface is None else SM_SWITCH_ADDRESS) | (SM_EXACT if pool_address else 0)
    key = (
        ip4(m.local_ip_address),
        0 if interface is not None else ip4(m.external_ip_address),
        0 if plain else m.local_port,
        0 if plain else m.external_port,
        0 if plain else m.protocol,
        vrf_or_none(m.vrf_id),
        interface,
        flags,
    )
    mappings = api.engine.nat44.mappings
    if m.is_add:
        attempt(mappings.add, *key, pool_address, m.tag)
    else:
        attempt(mappings.delete, *key)


def nat44_add_del_static_mapping(api: Api, m: Any) -> None:
    """Of an address, or of a port."""
    _static(api, m, 0)


def nat44_add_del_static_mapping_v2(api: Api, m: Any) -> None:
    """The same, with the address of the pool that twice-NAT is to take."""
    _static(api, m, ip4(m.pool_ip_address))


def nat44_static_mapping_dump(api: Api, m: Any) -> Iterator[dict[str, Any]]:
    """All that are neither identity nor load-balanced, then those that follow an interface."""
    mappings = api.engine.nat44.mappings
    for mapping in mappings:
        if not mapping.flags & (SM_IDENTITY | SM_LB):
            yield {
                "flags": _told(mapping.flags),
                "local_ip_address": ip4_bytes(mapping.local),
                "external_ip_address": ip4_bytes(mapping.external),
                "protocol": mapping.proto,
                "local_port": mapping.local_port,
                "external_port": mapping.external_port,
                "external_sw_if_index": NONE,
                "vrf_id": mapping.vrf,
                "tag": mapping.tag,
            }
    for entry in mappings.to_resolve:
        if not entry.flags & SM_IDENTITY:
            plain = bool(entry.flags & SM_ADDR_ONLY)
            yield {
                "flags": _told(entry.flags & (SM_TWICE_NAT | SM_ADDR_ONLY)),
                "local_ip_address": ip4_bytes(entry.local),
                "protocol": 0 if plain else entry.proto,
                "local_port": 0 if plain else entry.local_port,
                "external_port": 0 if plain else entry.external_port,
                "external_sw_if_index": entry.sw_if_index,
                "vrf_id": NONE if entry.vrf is None else entry.vrf,
                "tag": entry.tag,
            }


def nat44_add_del_identity_mapping(api: Api, m: Any) -> None:
    """An address, or a port of it, that is not translated."""
    plain = bool(m.flags & ADDR_ONLY)
    interface = None if m.sw_if_index == NONE else m.sw_if_index
    flags = SM_IDENTITY | (SM_ADDR_ONLY if plain else 0) | (0 if interface is None else SM_SWITCH_ADDRESS)
    address = 0 if interface is not None else ip4(m.ip_address)
    port = 0 if plain else m.port
    key = (address, address, port, port, 0 if plain else m.protocol, vrf_or_none(m.vrf_id), interface, flags)
    mappings = api.engine.nat44.mappings
    if m.is_add:
        attempt(mappings.add, *key, 0, m.tag)
    else:
        attempt(mappings.delete, *key)


def nat44_identity_mapping_dump(api: Api, m: Any) -> Iterator[dict[str, Any]]:
    """All, by table; then those that follow an interface."""
    mappings = api.engine.nat44.mappings
    for mapping in mappings:
        for one in mapping.locals if mapping.flags & SM_IDENTITY else ():
            yield {
                "flags": _told(mapping.flags & SM_ADDR_ONLY),
                "ip_address": ip4_bytes(mapping.local),
                "protocol": mapping.proto,
                "port": mapping.local_port,
                "sw_if_index": NONE,
                "vrf_id": one.vrf,
                "tag": mapping.tag,
            }
    for entry in mappings.to_resolve:
        if entry.flags & SM_IDENTITY:
            yield {
                "flags": _told(entry.flags & SM_ADDR_ONLY),
                "protocol": entry.proto,
                "port": entry.local_port,
                "sw_if_index": entry.sw_if_index,
                "vrf_id": NONE if entry.vrf is None else entry.vrf,
                "tag": entry.tag,
            }


def nat44_add_del_lb_static_mapping(api: Api, m: Any) -> None:
    """A service with several backends."""
    flags = _flags_of(m.flags & OUT2IN_ONLY)
    if m.flags & TWICE_NAT:
        flags |= SM_TWICE_NAT
    elif m.flags & SELF_TWICE_NAT:
        flags |= SM_SELF_TWICE_NAT
    mappings = api.engine.nat44.mappings
    external = ip4(m.external_addr)
    if m.is_add:
        backends = [_local(one) for one in m.locals]
        attempt(mappings.add_lb, external, m.external_port, m.protocol, backends, flags, m.tag, m.affinity)
    else:
        attempt(mappings.delete_lb, external, m.external_port, m.protocol, flags)


def nat44_lb_static_mapping_add_del_local(api: Api, m: Any) -> None:
    """One backend more, or less."""
    mappings = api.engine.nat44.mappings
    change = mappings.add_local if m.is_add else mappings.delete_local
    attempt(change, ip4(m.external_addr), m.external_port, _local(m.local), m.protocol)


def nat44_lb_static_mapping_dump(api: Api, m: Any) -> Iterator[dict[str, Any]]:
    """All; VPP does not tell the affinity."""
    for mapping in api.engine.nat44.mappings:
        if mapping.flags & SM_LB:
            yield _balanced(mapping)


def _local(given: Any) -> Local:
    return Local(ip4(given.addr), given.port, given.probability, given.vrf_id)


def _balanced(mapping: Mapping) -> dict[str, Any]:
    return {
        "external_addr": ip4_bytes(mapping.external),
        "external_port": mapping.external_port,
        "protocol": mapping.proto,
        "flags": _told(mapping.flags),
        "tag": mapping.tag,
        "local_num": len(mapping.locals),
        "locals": [
            {"addr": ip4_bytes(one.address), "port": one.port, "probability": one.probability, "vrf_id": one.vrf}
            for one in mapping.locals
        ],
    }


HANDLERS = {
    "nat44_add_del_static_mapping": nat44_add_del_static_mapping,
    "nat44_add_del_static_mapping_v2": nat44_add_del_static_mapping_v2,
    "nat44_static_mapping_dump": nat44_static_mapping_dump,
    "nat44_add_del_identity_mapping": nat44_add_del_identity_mapping,
    "nat44_identity_mapping_dump": nat44_identity_mapping_dump,
    "nat44_add_del_lb_static_mapping": nat44_add_del_lb_static_mapping,
    "nat44_lb_static_mapping_add_del_local": nat44_lb_static_mapping_add_del_local,
    "nat44_lb_static_mapping_dump": nat44_lb_static_mapping_dump,
}
