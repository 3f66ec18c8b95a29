"""Geneve tunnels: ``geneve_add_del_tunnel2``, ``geneve_tunnel_dump``."""

from __future__ import annotations

from typing import Any

from vectorplane.backends.vpp.interfaces import NO_INTERFACE
from vectorplane.backends.vpp.kinds.kind import Message
from vectorplane.backends.vpp.link import Link
from vectorplane.backends.vpp.tunnels.tunnel import Settings, Tunnel, multicast_index
from vectorplane.backends.vpp.values import address_of, pack_address


def _change(link: Link, is_add: bool, settings: Settings, index: int) -> Message:
    return "geneve_add_del_tunnel2", {
        "is_add": is_add,
        "local_address": pack_address(settings["src"]),
        "remote_address": pack_address(settings["dst"]),
        "mcast_sw_if_index": multicast_index(link, settings),
        "encap_vrf_id": settings["table"],
        "decap_next_index": NO_INTERFACE,
        "vni": settings["vni"],
        "l3_mode": settings["l3"],
    }


def _read(link: Link, d: Any) -> tuple[int, Settings]:
    return d.sw_if_index, {
        "src": address_of(d.src_address),
        "dst": address_of(d.dst_address),
        "vni": d.vni,
        "table": d.encap_vrf_id,
        "multicast_interface": link.interfaces.name(d.mcast_sw_if_index),
    }


GENEVE = Tunnel(
    "Geneve tunnels",
    ("geneve_add_del_tunnel2", "geneve_tunnel_dump"),
    "geneve_tunnel_dump",
    _change,
    _read,
    ("l3",),
)
