"""IPIP tunnels: ``ipip_add_tunnel``, ``ipip_del_tunnel``, ``ipip_tunnel_dump``."""

from __future__ import annotations

from typing import Any

from vectorplane.backends.vpp.interfaces import NO_INTERFACE
from vectorplane.backends.vpp.kinds.kind import Message
from vectorplane.backends.vpp.link import Link
from vectorplane.backends.vpp.tunnels.tunnel import Settings, Tunnel
from vectorplane.backends.vpp.values import address_of, pack_address


def _change(link: Link, is_add: bool, settings: Settings, index: int) -> Message:
    if not is_add:
        return "ipip_del_tunnel", {"sw_if_index": index}
    tunnel = {
        "instance": NO_INTERFACE,
        "src": pack_address(settings["src"]),
        "dst": pack_address(settings["dst"]),
        "table_id": settings["table"],
        "flags": 0,
        "mode": 0,
        "dscp": 0,
    }
    return "ipip_add_tunnel", {"tunnel": tunnel}


def _read(link: Link, d: Any) -> tuple[int, Settings]:
    t = d.tunnel
    return t.sw_if_index, {"src": address_of(t.src), "dst": address_of(t.dst), "table": t.table_id}


IPIP = Tunnel(
    "IPIP tunnels", ("ipip_add_tunnel", "ipip_del_tunnel", "ipip_tunnel_dump"), "ipip_tunnel_dump", _change, _read
)
