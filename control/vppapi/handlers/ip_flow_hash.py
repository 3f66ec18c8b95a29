"""What multipath routes spread packets by: set_ip_flow_hash, its second and third version, and the router's id."""

from __future__ import annotations

from typing import Any

from vectorplane.control.vppapi.api import Api
from vectorplane.control.vppapi.handlers.ip_paths import IP4, IP6, family, has_table
from vectorplane.control.vppapi.retval import NO_SUCH_FIB, UNIMPLEMENTED, ApiError
from vectorplane.graph_nodes.forwarding import (
    HASH_DST,
    HASH_DST_PORT,
    HASH_GTPV1_TEID,
    HASH_PROTO,
    HASH_REVERSE,
    HASH_SRC,
    HASH_SRC_PORT,
    HASH_SYMMETRIC,
)

_BITS = (
    HASH_SRC,
    HASH_DST,
    HASH_SRC_PORT,
    HASH_DST_PORT,
    HASH_PROTO,
    HASH_REVERSE,
    HASH_SYMMETRIC,
    0,  # IPv6's flow label
    HASH_GTPV1_TEID,
)
"""In the order of VPP's ``ip_flow_hash_config_v2``."""


def _set(api: Api, af: int, table: int, config: int) -> None:
    if not has_table(api.engine, af, table):
        raise ApiError(NO_SUCH_FIB, f"table {table}")
    if af != IP4:
        raise ApiError(UNIMPLEMENTED, "the flow hash of IPv6")
    api.engine.routes.set_flow_hash(table, sum(bit for k, bit in enumerate(_BITS) if config >> k & 1))


def set_ip_flow_hash(api: Api, m: Any) -> None:
    """By flags of the message."""
    flags = (m.src, m.dst, m.sport, m.dport, m.proto, m.reverse, m.symmetric)
    _set(api, IP6 if m.is_ipv6 else IP4, m.vrf_id, sum(bool(f) << k for k, f in enumerate(flags)))


def set_ip_flow_hash_v2(api: Api, m: Any) -> None:
    """By a set of bits."""
    _set(api, family(m.af), m.table_id, m.flow_hash_config)


def set_ip_flow_hash_router_id(api: Api, m: Any) -> None:
    """A number that goes into all hashes, so that routers behind each other choose differently."""
    api.engine.routes.set_router_id(m.router_id)


HANDLERS = {
    "set_ip_flow_hash": set_ip_flow_hash,
    "set_ip_flow_hash_v2": set_ip_flow_hash_v2,
    "set_ip_flow_hash_v3": set_ip_flow_hash_v2,
    "set_ip_flow_hash_router_id": set_ip_flow_hash_router_id,
}
