"""Reassembly of fragments: ip_reassembly_set, _get, _enable_disable; ip_local_reass_enable_disable, ip_local_reass_get.

Full and shallow virtual reassembly of IPv4. IPv6's are UNIMPLEMENTED where that would make a difference.
"""

from __future__ import annotations

from typing import Any

from vectorplane.control.vppapi.api import Api
from vectorplane.control.vppapi.retval import INVALID_SW_IF_INDEX, INVALID_VALUE, UNIMPLEMENTED, ApiError
from vectorplane.graph_nodes.ip4_reassembly_control import Limits
from vectorplane.graph_nodes.ip4_sv_contexts import SvLimits

_FULL, _SHALLOW = 0, 1


def _ip4(m: Any) -> bool:
    """Is it shallow virtual reassembly of IPv4, not full?"""
    if m.type > _SHALLOW or m.is_ip6:
        raise ApiError(UNIMPLEMENTED, "only reassembly of IPv4")
    return bool(m.type == _SHALLOW)


def ip_reassembly_set(api: Api, m: Any) -> None:
    """Change the limits."""
    given = m.timeout_ms, m.max_reassemblies, m.max_reassembly_length, m.expire_walk_interval_ms
    try:
        if _ip4(m):
            api.engine.sv_reassembly.set(SvLimits(*given))
        else:
            api.engine.reassembly.set(Limits(*given))
    except ValueError as e:
        raise ApiError(INVALID_VALUE, str(e)) from None


def ip_reassembly_get(api: Api, m: Any) -> dict[str, Any]:
    """The limits in force."""
    limits: Limits | SvLimits = api.engine.sv_reassembly.limits if _ip4(m) else api.engine.reassembly.limits
    return {
        "timeout_ms": limits.timeout_ms,
        "max_reassemblies": limits.max_reassemblies,
        "max_reassembly_length": limits.max_reassembly_length,
        "expire_walk_interval_ms": limits.expire_walk_interval_ms,
        "is_ip6": False,
    }


def ip_reassembly_enable_disable(api: Api, m: Any) -> None:
    """What becomes of the fragments that an interface receives: both kinds are switched by themselves."""
    if m.sw_if_index not in api.engine.interfaces.by_index:
        raise ApiError(INVALID_SW_IF_INDEX, f"interface {m.sw_if_index}")
    if m.enable_ip6 or m.type > _SHALLOW:
        raise ApiError(UNIMPLEMENTED, "only reassembly of IPv4")
    reassembly = api.engine.reassembly if m.type == _FULL else api.engine.sv_reassembly
    reassembly.enable(m.sw_if_index, m.enable_ip4)


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
