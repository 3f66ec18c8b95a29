"""What interfaces have of IP: ip_address_dump, ip_unnumbered_dump, ip_dump."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from vectorplane.control.vppapi.api import Api
from vectorplane.control.vppapi.handlers.ip_paths import IP4, IP6, NONE, ip_union


def ip_address_dump(api: Api, m: Any) -> Iterator[dict[str, Any]]:
    """The addresses that an interface has itself; an interface that is none has none."""
    interface = api.engine.interfaces.by_index.get(m.sw_if_index)
    if interface is None:
        return
    af = IP6 if m.is_ipv6 else IP4
    own: list[Any] = api.engine.addresses6.own(m.sw_if_index) if m.is_ipv6 else list(interface.addresses)
    for a in own:
        yield {"sw_if_index": m.sw_if_index, "prefix": ((af, ip_union(int(a.ip), af)), a.network.prefixlen)}


def ip_unnumbered_dump(api: Api, m: Any) -> Iterator[dict[str, Any]]:
    """Interfaces that borrow addresses, and from whom."""
    by_index = api.engine.interfaces.by_index
    for sw_if_index in sorted(by_index) if m.sw_if_index == NONE else [m.sw_if_index]:
        interface = by_index.get(sw_if_index)
        if interface is not None and interface.unnumbered is not None:
            yield {"sw_if_index": sw_if_index, "ip_sw_if_index": interface.unnumbered}


def ip_dump(api: Api, m: Any) -> Iterator[dict[str, Any]]:
    """All interfaces that do not borrow addresses."""
    by_index = api.engine.interfaces.by_index
    for sw_if_index in sorted(by_index):
        interface = by_index.get(sw_if_index)
        if interface is not None and interface.unnumbered is None:
            yield {"sw_if_index": sw_if_index, "is_ipv6": m.is_ipv6}


HANDLERS = {
    "ip_address_dump": ip_address_dump,
    "ip_unnumbered_dump": ip_unnumbered_dump,
    "ip_dump": ip_dump,
}
