"""Punt redirects: ip_punt_redirect, add_del_ip_punt_redirect_v2 and their dumps. IPv4 only."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from vectorplane.backends.engine.punt_redirects import ALL
from vectorplane.backends.engine.route_paths import Path
from vectorplane.control.vppapi.api import Api
from vectorplane.control.vppapi.handlers.ip_paths import (
    IP4,
    IP6,
    NONE,
    address,
    decode_path,
    encode_path,
    family,
    ip_number,
)
from vectorplane.control.vppapi.retval import INVALID_SW_IF_INDEX, UNIMPLEMENTED, ApiError


def _change(api: Api, rx: int, is_add: bool, paths: list[Path]) -> None:
    rx = ALL if rx == NONE else rx
    if rx not in api.engine.interfaces.by_index:
        raise ApiError(INVALID_SW_IF_INDEX, f"receiving interface {rx}")
    if is_add:
        api.engine.punt_redirects.set(rx, paths)
    else:
        api.engine.punt_redirects.remove(rx)


def ip_punt_redirect(api: Api, m: Any) -> None:
    """Send what is received on an interface, or on any, and would go to the host, to a next hop."""
    punt = m.punt
    if punt.tx_sw_if_index not in api.engine.interfaces.by_index:
        raise ApiError(INVALID_SW_IF_INDEX, f"interface {punt.tx_sw_if_index}")
    if family(punt.nh.af) != IP4:
        raise ApiError(UNIMPLEMENTED, "IPv6 punt redirects")
    _change(api, punt.rx_sw_if_index, m.is_add, [Path(ip_number(punt.nh.un, IP4), punt.tx_sw_if_index)])


def add_del_ip_punt_redirect_v2(api: Api, m: Any) -> None:
    """The same with several paths, or none: then it is dropped."""
    punt = m.punt
    if family(punt.af) != IP4:
        raise ApiError(UNIMPLEMENTED, "IPv6 punt redirects")
    _change(api, punt.rx_sw_if_index, m.is_add, [decode_path(api.engine, p, IP4) for p in punt.paths])


def _all(api: Api, rx: int) -> Iterator[tuple[int, tuple[Path, ...]]]:
    """(receiving interface, paths) of one redirect, or of all."""
    redirects = api.engine.punt_redirects
    if rx != NONE:
        paths = redirects.get(rx)
        if paths is not None:
            yield rx, paths
        return
    for index, paths in redirects.dump():
        yield NONE if index == ALL else index, paths


def ip_punt_redirect_dump(api: Api, m: Any) -> Iterator[dict[str, Any]]:
    """Redirects, each with its first path."""
    if m.is_ipv6:
        return
    for rx, paths in _all(api, m.sw_if_index):
        if paths:
            first = paths[0]
            tx = first.sw_if_index & NONE
            yield {"punt": {"rx_sw_if_index": rx, "tx_sw_if_index": tx, "nh": address(first.next_hop, IP4)}}


def ip_punt_redirect_v2_dump(api: Api, m: Any) -> Iterator[dict[str, Any]]:
    """Redirects with all paths."""
    if m.af == IP6:
        return
    for rx, paths in _all(api, m.sw_if_index):
        yield {"punt": {"rx_sw_if_index": rx, "af": IP4, "paths": [encode_path(p, IP4) for p in paths]}}


HANDLERS = {
    "ip_punt_redirect": ip_punt_redirect,
    "add_del_ip_punt_redirect_v2": add_del_ip_punt_redirect_v2,
    "ip_punt_redirect_dump": ip_punt_redirect_dump,
    "ip_punt_redirect_v2_dump": ip_punt_redirect_v2_dump,
}
