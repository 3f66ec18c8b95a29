"""Paths and addresses of routes, between VPP's messages (``fib_path``, ``address``) and the engine's objects.

Refused as UNIMPLEMENTED, since packets could not be sent as they say: MPLS labels and next hops, UDP encapsulation,
BIER, distributed virtual routing, RPF ids, and next hops of another IP version than the route's.
"""

from __future__ import annotations

from typing import Any

from vectorplane.backends.engine.engine import Engine
from vectorplane.backends.engine.fib_entries import SOURCE_NAMES
from vectorplane.backends.engine.route_paths import (
    CONNECTED,
    DROP,
    INTERFACE_RX,
    LOCAL,
    LOOKUP,
    NORMAL,
    OWN_TABLE,
    PROHIBIT,
    SOURCE_LOOKUP,
    UNREACHABLE,
    VIA_ATTACHED,
    VIA_HOST,
    Path,
)
from vectorplane.backends.engine.route_paths6 import Path6
from vectorplane.control.vppapi.retval import (
    INVALID_ADDRESS_FAMILY,
    NO_MATCHING_INTERFACE,
    NO_SUCH_FIB,
    NO_SUCH_TABLE,
    UNIMPLEMENTED,
    UNSPECIFIED,
    ApiError,
)

IP4, IP6 = 0, 1
NONE = 0xFFFFFFFF
WIDTHS = {IP4: 32, IP6: 128}

(
    TYPE_NORMAL,
    TYPE_LOCAL,
    TYPE_DROP,
    TYPE_UDP_ENCAP,
    TYPE_BIER_IMP,
    TYPE_ICMP_UNREACH,
    TYPE_ICMP_PROHIBIT,
    TYPE_SOURCE_LOOKUP,
    TYPE_DVR,
    TYPE_INTERFACE_RX,
    TYPE_CLASSIFY,
) = range(11)
_KIND_OF = {
    TYPE_DROP: DROP,
    TYPE_ICMP_UNREACH: UNREACHABLE,
    TYPE_ICMP_PROHIBIT: PROHIBIT,
}
_TYPE_OF = {
    DROP: TYPE_DROP,
    UNREACHABLE: TYPE_ICMP_UNREACH,
    PROHIBIT: TYPE_ICMP_PROHIBIT,
    LOCAL: TYPE_LOCAL,
    INTERFACE_RX: TYPE_INTERFACE_RX,
}
_SOURCE_NUMBERS = {
    "special": 1,
    "interface": 4,
    "API": 8,
    "CLI": 9,
    "adjacency": 15,
    "attached_export": 17,
    "nat-low": 23,
    "recursive-resolution": 18,
    "default-route": 20,
}
"""VPP's numbers of the sources of routes; those of plugins come behind its own, in the order of their loading."""
assert set(_SOURCE_NUMBERS) == set(SOURCE_NAMES)


def source_number(name: str) -> int:
    """VPP's number of a route's source."""
    return _SOURCE_NUMBERS[name]


def ip_number(union: bytes, af: int) -> int:
    """The address in an ``address_union``."""
    return int.from_bytes(union[:4] if af == IP4 else union, "big")


def ip_union(number: int, af: int) -> bytes:
    """An address as an ``address_union``."""
    return number.to_bytes(4 if af == IP4 else 16, "big")


def address(number: int, af: int) -> dict[str, Any]:
    """An ``address``."""
    return {"af": af, "un": ip_union(number, af)}


def family(af: int) -> int:
    """An address family that is one.

    Raises:
        ApiError: INVALID_ADDRESS_FAMILY.
    """
    if af not in WIDTHS:
        raise ApiError(INVALID_ADDRESS_FAMILY, f"address family {af}")
    return af


def has_table(engine: Engine, af: int, table: int) -> bool:
    """Is there such a unicast table?"""
    return table in (engine.tables if af == IP4 else engine.tables6)


def decode_path(engine: Engine, p: Any, af: int) -> Path:
    """A ``fib_path`` of a route of address family ``af`` as the engine's.

    Raises:
        ApiError: as VPP refuses it, in VPP's order of checks; UNIMPLEMENTED (see above).
    """
    if p.proto > 4:
        raise ApiError(UNSPECIFIED, f"next-hop protocol {p.proto}")
    if p.n_labels:
        raise ApiError(UNIMPLEMENTED, "MPLS labels")
    make = Path if af == IP4 else Path6
    weight, preference, kind = p.weight or 1, p.preference, p.type
    if kind in (TYPE_NORMAL, TYPE_SOURCE_LOOKUP):
        return _next_hop(engine, p, af, weight)
    if kind in _KIND_OF:
        return make(weight=weight, preference=preference, kind=_KIND_OF[kind])
    if kind in (TYPE_LOCAL, TYPE_INTERFACE_RX):
        index = -1 if p.sw_if_index == NONE else p.sw_if_index
        if (index >= 0 or kind == TYPE_INTERFACE_RX) and index not in engine.interfaces.by_index:
            raise ApiError(NO_MATCHING_INTERFACE, f"interface {p.sw_if_index}")
        if kind == TYPE_LOCAL:
            return make(ip_number(p.nh.address, af), index, weight, preference, LOCAL)
        return make(0, index, weight, preference, INTERFACE_RX)
    if kind == TYPE_CLASSIFY:
        raise ApiError(NO_SUCH_TABLE, f"classify table {p.nh.classify_table_index}")
    raise ApiError(UNIMPLEMENTED, f"paths of type {kind}")


def _next_hop(engine: Engine, p: Any, af: int, weight: int) -> Path:
    """A path to a neighbour, an attached, a recursive one, or one that goes on in another table."""
    if p.proto not in WIDTHS:
        raise ApiError(UNIMPLEMENTED, f"next hops of protocol {p.proto}")
    hop = ip_number(p.nh.address, p.proto)
    if p.rpf_id not in (0, NONE):
        raise ApiError(UNIMPLEMENTED, "RPF ids of unicast routes")
    index, table = p.sw_if_index, p.table_id
    if index == NONE:
        index = -1
        if not has_table(engine, p.proto, table):
            raise ApiError(NO_SUCH_FIB, f"table {table}")
    elif index not in engine.interfaces.by_index:
        raise ApiError(NO_MATCHING_INTERFACE, f"interface {index}")
    if p.proto != af:
        if hop:
            raise ApiError(UNIMPLEMENTED, "a next hop of another IP version")
        if index < 0 and not has_table(engine, af, table):
            raise ApiError(NO_SUCH_FIB, f"table {table}")
    kind = NORMAL
    if index < 0 and not hop:
        kind = SOURCE_LOOKUP if p.type == TYPE_SOURCE_LOOKUP else LOOKUP
    make = Path if af == IP4 else Path6
    return make(
        hop, index, weight, p.preference, kind, table if index < 0 else OWN_TABLE, p.flags & (VIA_ATTACHED | VIA_HOST)
    )


def encode_path(path: Path, af: int) -> tuple[Any, ...]:
    """A path as VPP tells it: without the constraints on what it is resolved through, and source lookup as normal.

    A tuple of all fields of ``fib_path``, which is encoded faster than a dict: dumps are long.
    """
    hop = 0 if path.kind == CONNECTED else path.next_hop
    return (
        path.sw_if_index & NONE,
        0 if path.table == OWN_TABLE else path.table,
        0,  # rpf_id
        path.weight or 1,
        path.preference,
        _TYPE_OF.get(path.kind, TYPE_NORMAL),
        0,  # flags
        af,
        (ip_union(hop, af), 0, 0, 0),
        0,  # labels
        None,
    )
