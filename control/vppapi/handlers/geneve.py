"""geneve.api: Geneve tunnels over IPv4, and interfaces that look for their packets before routing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from vectorplane.backends.engine.tunnels.tunnel import InvalidDecapNext, TunnelExists
from vectorplane.control.vppapi.api import Api
from vectorplane.control.vppapi.handlers.interface_checks import NONE, interface_of
from vectorplane.control.vppapi.handlers.ip_addresses import decode_address, encode_address
from vectorplane.control.vppapi.handlers.ip_paths import IP4, has_table
from vectorplane.control.vppapi.handlers.tunnel_checks import (
    check_ends,
    check_vni,
    chosen,
    only_ip4,
    or_none,
    replies_interface,
)
from vectorplane.control.vppapi.retval import (
    INVALID_DECAP_NEXT,
    NO_SUCH_ENTRY,
    NO_SUCH_FIB,
    TUNNEL_EXIST,
    UNIMPLEMENTED,
    ApiError,
)


def _change(api: Api, m: Any, is_l3: bool = False) -> int:
    """Make or remove a tunnel. As in VPP the table is always one of IPv4's."""
    if not has_table(api.engine, IP4, m.encap_vrf_id):
        raise ApiError(NO_SUCH_FIB, f"table {m.encap_vrf_id}")
    ends = decode_address(m.local_address), decode_address(m.remote_address)
    check_ends(api, *ends, m.mcast_sw_if_index)
    check_vni(m.vni)
    local, remote = only_ip4(*ends)
    tunnels = api.engine.geneve
    if not m.is_add:
        try:
            return tunnels.remove(local, remote, m.vni, table=m.encap_vrf_id)
        except KeyError as error:
            raise ApiError(NO_SUCH_ENTRY, str(error)) from None
    mcast = or_none(m.mcast_sw_if_index)
    try:
        return tunnels.add(
            local,
            remote,
            m.vni,
            mcast_sw_if_index=-1 if mcast is None else mcast,
            table=m.encap_vrf_id,
            decap_next=or_none(m.decap_next_index),
            is_l3=is_l3,
        ).sw_if_index
    except TunnelExists as error:
        raise ApiError(TUNNEL_EXIST, str(error)) from None
    except InvalidDecapNext as error:
        raise ApiError(INVALID_DECAP_NEXT, str(error)) from None


@replies_interface
def geneve_add_del_tunnel(api: Api, m: Any) -> int:
    """Make or remove a tunnel."""
    return _change(api, m)


@replies_interface
def geneve_add_del_tunnel2(api: Api, m: Any) -> int:
    """The same, also for what is routed into it."""
    return _change(api, m, bool(m.l3_mode))


def geneve_tunnel_dump(api: Api, m: Any) -> Iterator[dict[str, Any]]:
    """One tunnel or all."""
    for tunnel in chosen(api.engine.geneve.by_index, m.sw_if_index):
        yield {
            "sw_if_index": tunnel.sw_if_index,
            "src_address": encode_address(tunnel.src),
            "dst_address": encode_address(tunnel.dst),
            "mcast_sw_if_index": tunnel.mcast_sw_if_index & NONE,
            "encap_vrf_id": tunnel.table,
            "decap_next_index": tunnel.decap_next,
            "vni": tunnel.vni,
        }


def sw_interface_set_geneve_bypass(api: Api, m: Any) -> None:
    """Take a tunnel's packets that an interface receives before they are routed to us."""
    interface_of(api, m.sw_if_index)
    if not m.is_ipv6:
        api.engine.geneve.set_bypass(m.sw_if_index, bool(m.enable))
    elif m.enable:
        raise ApiError(UNIMPLEMENTED, "tunnels over IPv6")


HANDLERS = {
    "geneve_add_del_tunnel": geneve_add_del_tunnel,
    "geneve_add_del_tunnel2": geneve_add_del_tunnel2,
    "geneve_tunnel_dump": geneve_tunnel_dump,
    "sw_interface_set_geneve_bypass": sw_interface_set_geneve_bypass,
}
