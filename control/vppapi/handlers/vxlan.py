"""vxlan.api: VXLAN tunnels over IPv4, and interfaces that look for their packets before routing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from vectorplane.backends.engine.tunnels.tunnel import InstanceInUse, InvalidDecapNext, TunnelExists
from vectorplane.backends.engine.tunnels.vxlan import VxlanTunnel
from vectorplane.control.vppapi.api import Api
from vectorplane.control.vppapi.handlers.interface_checks import NONE, interface_of
from vectorplane.control.vppapi.handlers.ip_addresses import decode_address, encode_address
from vectorplane.control.vppapi.handlers.tunnel_checks import (
    check_ends,
    check_table,
    check_vni,
    chosen,
    only_ip4,
    or_none,
    replies_interface,
)
from vectorplane.control.vppapi.retval import (
    INSTANCE_IN_USE,
    INVALID_DECAP_NEXT,
    INVALID_VALUE,
    NO_SUCH_ENTRY,
    TUNNEL_EXIST,
    UNIMPLEMENTED,
    ApiError,
)


def _change(api: Api, m: Any, src_port: int = 0, dst_port: int = 0, is_l3: bool = False) -> int:
    """Make or remove a tunnel; port 0 is VXLAN's own."""
    source, destination = decode_address(m.src_address), decode_address(m.dst_address)
    check_table(api, source, m.encap_vrf_id)
    if source.version != destination.version:
        raise ApiError(INVALID_VALUE, f"{source} and {destination}")
    check_ends(api, source, destination, m.mcast_sw_if_index)
    check_vni(m.vni)
    src, dst = only_ip4(source, destination)
    tunnels = api.engine.vxlan
    if not m.is_add:
        try:
            return tunnels.remove(src, dst, m.vni, table=m.encap_vrf_id, src_port=src_port)
        except KeyError as error:
            raise ApiError(NO_SUCH_ENTRY, str(error)) from None
    mcast = or_none(m.mcast_sw_if_index)
    try:
        return tunnels.add(
            src,
            dst,
            m.vni,
            instance=or_none(m.instance),
            mcast_sw_if_index=-1 if mcast is None else mcast,
            table=m.encap_vrf_id,
            decap_next=or_none(m.decap_next_index),
            src_port=src_port,
            dst_port=dst_port,
            is_l3=is_l3,
        ).sw_if_index
    except TunnelExists as error:
        raise ApiError(TUNNEL_EXIST, str(error)) from None
    except InvalidDecapNext as error:
        raise ApiError(INVALID_DECAP_NEXT, str(error)) from None
    except InstanceInUse as error:
        raise ApiError(INSTANCE_IN_USE, str(error)) from None


@replies_interface
def vxlan_add_del_tunnel(api: Api, m: Any) -> int:
    """Make or remove a tunnel."""
    return _change(api, m)


@replies_interface
def vxlan_add_del_tunnel_v2(api: Api, m: Any) -> int:
    """The same, with UDP ports."""
    return _change(api, m, m.src_port, m.dst_port)


@replies_interface
def vxlan_add_del_tunnel_v3(api: Api, m: Any) -> int:
    """The same, also without Ethernet headers inside."""
    return _change(api, m, m.src_port, m.dst_port, bool(m.is_l3))


def _details(tunnel: VxlanTunnel) -> dict[str, Any]:
    return {
        "sw_if_index": tunnel.sw_if_index,
        "instance": tunnel.instance,
        "src_address": encode_address(tunnel.src),
        "dst_address": encode_address(tunnel.dst),
        "mcast_sw_if_index": tunnel.mcast_sw_if_index & NONE,
        "encap_vrf_id": tunnel.table,
        "decap_next_index": tunnel.decap_next,
        "vni": tunnel.vni,
    }


def vxlan_tunnel_dump(api: Api, m: Any) -> Iterator[dict[str, Any]]:
    """One tunnel or all."""
    for tunnel in chosen(api.engine.vxlan.by_index, m.sw_if_index):
        yield _details(tunnel)


def vxlan_tunnel_v2_dump(api: Api, m: Any) -> Iterator[dict[str, Any]]:
    """The same, with UDP ports."""
    for tunnel in chosen(api.engine.vxlan.by_index, m.sw_if_index):
        yield {**_details(tunnel), "src_port": tunnel.src_port, "dst_port": tunnel.dst_port}


def sw_interface_set_vxlan_bypass(api: Api, m: Any) -> None:
    """Take a tunnel's packets that an interface receives before they are routed to us."""
    interface_of(api, m.sw_if_index)
    if not m.is_ipv6:
        api.engine.vxlan.set_bypass(m.sw_if_index, bool(m.enable))
    elif m.enable:
        raise ApiError(UNIMPLEMENTED, "tunnels over IPv6")


HANDLERS = {
    "vxlan_add_del_tunnel": vxlan_add_del_tunnel,
    "vxlan_add_del_tunnel_v2": vxlan_add_del_tunnel_v2,
    "vxlan_add_del_tunnel_v3": vxlan_add_del_tunnel_v3,
    "vxlan_tunnel_dump": vxlan_tunnel_dump,
    "vxlan_tunnel_v2_dump": vxlan_tunnel_v2_dump,
    "sw_interface_set_vxlan_bypass": sw_interface_set_vxlan_bypass,
}
