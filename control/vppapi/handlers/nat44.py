"""nat44_ed.api: the plugin itself, its settings and VRF tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from vectorplane.backends.engine.nat44 import errors
from vectorplane.backends.engine.nat44.nat44 import Timeouts
from vectorplane.control.vppapi.api import Api
from vectorplane.control.vppapi.retval import (
    FEATURE_ALREADY_DISABLED,
    FEATURE_ALREADY_ENABLED,
    FEATURE_DISABLED,
    INVALID_VALUE,
    INVALID_WORKER,
    NO_SUCH_ENTRY,
    UNSPECIFIED,
    UNSUPPORTED,
    VALUE_EXIST,
    ApiError,
)

T = TypeVar("T")

STATIC_MAPPING_ONLY, CONNECTION_TRACKING = 2, 4
TWICE_NAT, SELF_TWICE_NAT, OUT2IN_ONLY, ADDR_ONLY, OUTSIDE, INSIDE, STATIC, EXT_HOST_VALID = (1 << k for k in range(8))
"""Of ``nat_config_flags``."""
NONE = 0xFFFFFFFF
_ENDPOINT_DEPENDENT = 1
_NO_SUCH_TABLE = -1
"""VPP's answer to a session limit of a table that is not there."""
_QUEUE_IS_FIXED = 1
"""Its answer when the rings between workers are there already."""
_RETVALS = {
    errors.Unsupported: UNSUPPORTED,
    errors.ValueExists: VALUE_EXIST,
    errors.NoSuchEntry: NO_SUCH_ENTRY,
    errors.InvalidValue: INVALID_VALUE,
    errors.Unspecified: UNSPECIFIED,
    errors.AlreadyEnabled: FEATURE_ALREADY_ENABLED,
    errors.AlreadyDisabled: FEATURE_ALREADY_DISABLED,
}


def attempt(change: Callable[..., T], *args: Any) -> T:
    """Do it, or refuse as VPP does."""
    try:
        return change(*args)
    except errors.Nat44Error as error:
        raise ApiError(_RETVALS[type(error)], str(error)) from None
    except OverflowError as error:
        raise ApiError(UNSPECIFIED, str(error)) from None


def vrf_or_none(vrf: int) -> int | None:
    """A table id; None: ~0."""
    return None if vrf == NONE else vrf


def ip4(address: bytes) -> int:
    """An ``ip4_address`` as a number."""
    return int.from_bytes(address, "big")


def ip4_bytes(address: int) -> bytes:
    """And back."""
    return address.to_bytes(4, "big")


def nat44_ed_plugin_enable_disable(api: Api, m: Any) -> None:
    """On or off."""
    nat = api.engine.nat44
    if not m.enable:
        attempt(nat.disable)
        return
    if m.flags & (STATIC_MAPPING_ONLY | CONNECTION_TRACKING):
        raise ApiError(UNSUPPORTED, "static mappings only")
    attempt(nat.enable, m.inside_vrf, m.outside_vrf, m.sessions)


def nat44_forwarding_enable_disable(api: Api, m: Any) -> None:
    """Forwarding mode."""
    api.engine.nat44.set_forwarding(bool(m.enable))


def nat_set_timeouts(api: Api, m: Any) -> None:
    """All four."""
    api.engine.nat44.set_timeouts(Timeouts(m.udp, m.tcp_established, m.tcp_transitory, m.icmp))


def nat44_set_session_limit(api: Api, m: Any) -> None:
    """The most sessions of a table's packets."""
    try:
        api.engine.nat44.set_session_limit(m.session_limit, m.vrf_id)
    except KeyError as error:
        raise ApiError(_NO_SUCH_TABLE, str(error)) from None


def nat44_show_running_config(api: Api, m: Any) -> dict[str, Any]:
    """All settings."""
    nat = api.engine.nat44
    return {
        "inside_vrf": nat.inside_vrf,
        "outside_vrf": nat.outside_vrf,
        "sessions": nat.sessions_limit,
        "translation_buckets": nat.translation_buckets,
        "forwarding_enabled": nat.forwarding,
        "timeouts": dict(nat.timeouts._asdict()),
        "flags": _ENDPOINT_DEPENDENT,
    }


def nat_set_mss_clamping(api: Api, m: Any) -> None:
    """The most that a SYN may announce."""
    api.engine.nat44.set_mss_clamping(m.mss_value if m.enable else 0)


def nat_get_mss_clamping(api: Api, m: Any) -> dict[str, Any]:
    """That."""
    value = api.engine.nat44.mss_clamping
    return {"mss_value": value, "enable": value != 0}


def nat_set_workers(api: Api, m: Any) -> None:
    """Flows are spread over all workers: that is all that can be chosen."""
    everyone = (1 << len(api.engine.plane.workers)) - 1
    if everyone > 1 and m.worker_mask > everyone:
        raise ApiError(INVALID_WORKER, f"workers {m.worker_mask:#x}: there are {everyone:#x}")
    if everyone == 1 or m.worker_mask != everyone:
        raise ApiError(FEATURE_DISABLED, "NAT uses all workers")


def nat_worker_dump(api: Api, m: Any) -> Iterator[dict[str, Any]]:
    """All workers, when there are several."""
    count = len(api.engine.plane.workers)
    for index in range(count if count > 1 else 0):
        yield {"worker_index": index, "lcore_id": index, "name": f"vpp_wk_{index}"}


def nat44_ed_set_fq_options(api: Api, m: Any) -> int:
    """What is said of the rings between workers; theirs is a size of their own."""
    return 0 if attempt(api.engine.nat44.set_queue_size, m.frame_queue_nelts) else _QUEUE_IS_FIXED


def nat44_ed_show_fq_options(api: Api, m: Any) -> dict[str, Any]:
    """That; before NAT is on the first time VPP says 0."""
    return {"frame_queue_nelts": api.engine.nat44.queue_size}


def nat44_ed_add_del_vrf_table(api: Api, m: Any) -> None:
    """A table whose packets may go to others."""
    tables = api.engine.nat44.vrf_tables
    attempt(tables.add_table if m.is_add else tables.delete_table, m.table_vrf_id)


def nat44_ed_add_del_vrf_route(api: Api, m: Any) -> None:
    """One of those."""
    tables = api.engine.nat44.vrf_tables
    attempt(tables.add_route if m.is_add else tables.delete_route, m.table_vrf_id, m.vrf_id)


def nat44_ed_vrf_tables_dump(api: Api, m: Any) -> Iterator[dict[str, Any]]:
    """All, as VPP tells them here: no table's id, and those that it leads to with their bytes the other way round."""
    for routes in api.engine.nat44.vrf_tables.tables.values():
        swapped = [int.from_bytes(vrf.to_bytes(4, "little"), "big") for vrf in routes]
        yield {"n_vrf_ids": len(swapped), "vrf_ids": swapped}


def nat44_ed_vrf_tables_v2_dump(api: Api, m: Any) -> Iterator[dict[str, Any]]:
    """All."""
    for vrf, routes in api.engine.nat44.vrf_tables.tables.items():
        yield {"table_vrf_id": vrf, "n_vrf_ids": len(routes), "vrf_ids": routes}


HANDLERS = {
    "nat44_ed_plugin_enable_disable": nat44_ed_plugin_enable_disable,
    "nat44_forwarding_enable_disable": nat44_forwarding_enable_disable,
    "nat_set_timeouts": nat_set_timeouts,
    "nat44_set_session_limit": nat44_set_session_limit,
    "nat44_show_running_config": nat44_show_running_config,
    "nat_set_mss_clamping": nat_set_mss_clamping,
    "nat_get_mss_clamping": nat_get_mss_clamping,
    "nat_set_workers": nat_set_workers,
    "nat_worker_dump": nat_worker_dump,
    "nat44_ed_set_fq_options": nat44_ed_set_fq_options,
    "nat44_ed_show_fq_options": nat44_ed_show_fq_options,
    "nat44_ed_add_del_vrf_table": nat44_ed_add_del_vrf_table,
    "nat44_ed_add_del_vrf_route": nat44_ed_add_del_vrf_route,
    "nat44_ed_vrf_tables_dump": nat44_ed_vrf_tables_dump,
    "nat44_ed_vrf_tables_v2_dump": nat44_ed_vrf_tables_v2_dump,
}
