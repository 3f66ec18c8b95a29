"""Reassembly of fragments: ip_reassembly_set, _get, _enable_disable; ip_local_reass_enable_disable, ip_local_reass_get.

Full and shallow virtual reassembly of IPv4. IPv6 is not forwarded, so nobody reassembles its fragments: what is said of
it is kept and told again.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from vectorplane.backends.engine.ip6_reassembly import KeptLimits
from vectorplane.backends.engine.reassembly import ReassemblyTimer
from vectorplane.backends.engine.sv_reassembly import SvReassemblies
from vectorplane.control.vppapi.api import Api
from vectorplane.control.vppapi.retval import INVALID_SW_IF_INDEX, INVALID_VALUE, UNIMPLEMENTED, ApiError
from vectorplane.graph_nodes.ip4_reassembly_memory import Limits

_FULL, _SHALLOW = 0, 1


def _check_type(m: Any) -> None:
    if m.type > _SHALLOW:
        raise ApiError(UNIMPLEMENTED, f"reassembly type {m.type}")


def _asked(api: Api, m: Any) -> ReassemblyTimer | SvReassemblies | KeptLimits:
    """Which reassembly a message is about."""
    _check_type(m)
    engine = api.engine
    ip4, ip6 = (engine.reassembly, engine.sv_reassembly), (engine.ip6_reassembly.full, engine.ip6_reassembly.virtual)
    return (ip6 if m.is_ip6 else ip4)[m.type]


def ip_reassembly_set(api: Api, m: Any) -> None:
    """Change the limits."""
    limits = Limits(m.timeout_ms, m.max_reassemblies, m.max_reassembly_length, m.expire_walk_interval_ms)
    try:
        _asked(api, m).set(limits)
    except ValueError as e:
        raise ApiError(INVALID_VALUE, str(e)) from None


def ip_reassembly_get(api: Api, m: Any) -> dict[str, Any]:
    """The limits in force."""
    return {**asdict(_asked(api, m).limits), "is_ip6": m.is_ip6}


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
