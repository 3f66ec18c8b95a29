"""Reassembly of fragments: ip_reassembly_set, _get, _enable_disable; ip_local_reass_enable_disable, ip_local_reass_get.

Full reassembly of IPv4. Shallow virtual reassembly and IPv6's are UNIMPLEMENTED where that would make a difference.
"""

from __future__ import annotations

from typing import Any

from vectorplane.control.vppapi.api import Api
from vectorplane.control.vppapi.retval import INVALID_SW_IF_INDEX, INVALID_VALUE, UNIMPLEMENTED, ApiError
from vectorplane.graph_nodes.ip4_reassembly_control import Limits

_FULL = 0


def _only_full4(m: Any) -> None:
    if m.type != _FULL or m.is_ip6:
        raise ApiError(UNIMPLEMENTED, "only full reassembly of IPv4")


def ip_reassembly_set(api: Api, m: Any) -> None:
    """Change the limits."""
    _only_full4(m)
    limits = Limits(m.timeout_ms, m.max_reassemblies, m.max_reassembly_length, m.expire_walk_interval_ms)
    try:
        api.engine.reassembly.set(limits)
    except ValueError as e:
        raise ApiError(INVALID_VALUE, str(e)) from None


def ip_reassembly_get(api: Api, m: Any) -> dict[str, Any]:
    """The limits in force."""
    _only_full4(m)
    limits = api.engine.reassembly.limits
    return {
        "timeout_ms": limits.timeout_ms,
        "max_reassemblies": limits.max_reassemblies,
        "max_reassembly_length": limits.max_reassembly_length,
        "expire_walk_interval_ms": limits.expire_walk_interval_ms,
        "is_ip6": False,
    }


def ip_reassembly_enable_disable(api: Api, m: Any) -> None:
    """Put all fragments that an interface receives together, or no longer."""
    if m.sw_if_index not in api.engine.interfaces.by_index:
        raise ApiError(INVALID_SW_IF_INDEX, f"interface {m.sw_if_index}")
    if m.enable_ip6 or (m.type != _FULL and m.enable_ip4):
        raise ApiError(UNIMPLEMENTED, "only full reassembly of IPv4")
    if m.type == _FULL:
        api.engine.reassembly.enable(m.sw_if_index, m.enable_ip4)


def ip_local_reass_enable_disable(api: Api, m: Any) -> None:
    """Put fragments to this router itself together, or drop them."""
    if m.enable_ip6:
        raise ApiError(UNIMPLEMENTED, "reassembly of IPv6")
    api.engine.reassembly.enable_local(m.enable_ip4)


def ip_local_reass_get(api: Api, m: Any) -> dict[str, Any]:
    """Whether that is so."""
    return {"ip4_is_enabled": api.engine.reassembly.local_enabled, "ip6_is_enabled": False}


HANDLERS = {
    "ip_reassembly_set": ip_reassembly_set,
    "ip_reassembly_get": ip_reassembly_get,
    "ip_reassembly_enable_disable": ip_reassembly_enable_disable,
    "ip_local_reass_enable_disable": ip_local_reass_enable_disable,
    "ip_local_reass_get": ip_local_reass_get,
}
