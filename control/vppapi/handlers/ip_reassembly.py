"""Reassembly of fragments: ip_reassembly_set, _get, _enable_disable; ip_local_reass_enable_disable, ip_local_reass_get.

Full and shallow virtual reassembly of IPv4. IPv6 is not forwarded, so nobody reassembles its fragments: what is said of
it is kept and told again.
"""

from __future__ import annotations

from typing import Any

from vectorplane.control.vppapi.api import Api
from vectorplane.control.vppapi.retval import INVALID_SW_IF_INDEX, INVALID_VALUE, UNIMPLEMENTED, ApiError
from vectorplane.graph_nodes.ip4_reassembly_control import Limits
from vectorplane.graph_nodes.ip4_sv_contexts import SvLimits

_FULL, _SHALLOW = 0, 1


def _check_type(m: Any) -> None:
    if m.type > _SHALLOW:
        raise ApiError(UNIMPLEMENTED, f"reassembly type {m.type}")


def ip_reassembly_set(api: Api, m: Any) -> None:
    """Change the limits."""
    _check_type(m)
    given = m.timeout_ms, m.max_reassemblies, m.max_reassembly_length, m.expire_walk_interval_ms
    limits = SvLimits(*given) if m.type == _SHALLOW else Limits(*given)
    try:
        if m.is_ip6:
            setattr(api.engine.ip6_reassembly, "sv_limits" if m.type == _SHALLOW else "limits", limits)
        elif isinstance(limits, SvLimits):
            api.engine.sv_reassembly.set(limits)
        else:
            api.engine.reassembly.set(limits)
    except ValueError as e:
        raise ApiError(INVALID_VALUE, str(e)) from None


def ip_reassembly_get(api: Api, m: Any) -> dict[str, Any]:
    """The limits in force."""
    _check_type(m)
    limits: Limits | SvLimits
    if m.is_ip6:
        ip6 = api.engine.ip6_reassembly
        limits = ip6.sv_limits if m.type == _SHALLOW else ip6.limits
    else:
        limits = api.engine.sv_reassembly.limits if m.type == _SHALLOW else api.engine.reassembly.limits
    return {
        "timeout_ms": limits.timeout_ms,
        "max_reassemblies": limits.max_reassemblies,
        "max_reassembly_length": limits.max_reassembly_length,
        "expire_walk_interval_ms": limits.expire_walk_interval_ms,
        "is_ip6": m.is_ip6,
    }


def ip_reassembly_enable_disable(api: Api, m: Any) -> None:
    """What becomes of the fragments that an interface receives: both kinds are switched by themselves."""
    if m.sw_if_index not in api.engine.interfaces.by_index:
        raise ApiError(INVALID_SW_IF_INDEX, f"interface {m.sw_if_index}")
    _check_type(m)
    reassembly = api.engine.reassembly if m.type == _FULL else api.engine.sv_reassembly
    reassembly.enable(m.sw_if_index, m.enable_ip4)


def ip_local_reass_enable_disable(api: Api, m: Any) -> None:
    """Put fragments to this router itself together, or drop them."""
    api.engine.reassembly.enable_local(m.enable_ip4)
    api.engine.ip6_reassembly.local_enabled = bool(m.enable_ip6)


def ip_local_reass_get(api: Api, m: Any) -> dict[str, Any]:
    """Whether that is so."""
    return {
        "ip4_is_enabled": api.engine.reassembly.local_enabled,
        "ip6_is_enabled": api.engine.ip6_reassembly.local_enabled,
    }


HANDLERS = {
    "ip_reassembly_set": ip_reassembly_set,
    "ip_reassembly_get": ip_reassembly_get,
    "ip_reassembly_enable_disable": ip_reassembly_enable_disable,
    "ip_local_reass_enable_disable": ip_local_reass_enable_disable,
    "ip_local_reass_get": ip_local_reass_get,
}
