"""VXLAN tunnels: ``vxlan_add_del_tunnel_v3``, ``vxlan_tunnel_v2_dump``."""

from __future__ import annotations

from typing import Any

from vectorplane.backends.vpp.interfaces import NO_INTERFACE
from vectorplane.backends.vpp.kinds.kind import Message
from vectorplane.backends.vpp.link import Link
from vectorplane.backends.vpp.tunnels.tunnel import Settings, Tunnel, multicast_index
from vectorplane.backends.vpp.values import address_of, pack_address


def _change(link: Link, is_add: bool, settings: Settings, index: int) -> Message:
    return "vxlan_add_del_tunnel_v3", {
        "is_add": is_add,
        "instance": NO_INTERFACE if settings["instance"] is None else settings["instance"],
        "src_address": pack_address(settings["src"]),
        "dst_address": pack_address(settings["dst"]),
        "src_port": settings["src_port"],
        "dst_port": settings["dst_port"],
        "mcast_sw_if_index": multicast_index(link, settings),
        "encap_vrf_id": settings["table"],
        "decap_next_index": NO_INTERFACE,
        "vni": settings["vni"],
        "is_l3": settings["l3"],
    }


def _read(link: Link, d: Any) -> tuple[int, Settings]:
    return d.sw_if_index, {
        "src": address_of(d.src_address),
        "dst": address_of(d.dst_address),
        "vni": d.vni,
        "src_port": d.src_port,
        "dst_port": d.dst_port,
        "table": d.encap_vrf_id,
        "multicast_interface": link.interfaces.name(d.mcast_sw_if_index),
        "instance": d.instance,
    }


VXLAN = Tunnel(
    "VXLAN tunnels",
    ("vxlan_add_del_tunnel_v3", "vxlan_tunnel_v2_dump"),
    "vxlan_tunnel_v2_dump",
    _change,
    _read,
    ("l3", "instance"),
)
