"""ipip.api: tunnels of IP packets in IPv4 packets, from one end to one other (6rd is not there)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from vectorplane.backends.engine.tunnels.tunnel import InstanceInUse, TunnelExists
from vectorplane.control.vppapi.api import Api
from vectorplane.control.vppapi.handlers.interface_checks import NONE
from vectorplane.control.vppapi.handlers.ip_addresses import Address, decode_address, encode_address
from vectorplane.control.vppapi.handlers.tunnel_checks import (
    MODE_P2P,
    check_flags,
    check_mode,
    check_pair,
    check_table,
    chosen,
    only_ip4,
    only_p2p,
    or_none,
)
from vectorplane.control.vppapi.retval import IF_ALREADY_EXISTS, INSTANCE_IN_USE, INVALID_VALUE, NO_SUCH_ENTRY, ApiError

MOST_DSCP = 63


def ipip_add_tunnel(api: Api, m: Any) -> dict[str, int]:
    """Make a tunnel; when there is one with these ends, the refusal tells its interface."""
    ends = decode_address(m.tunnel.src), decode_address(m.tunnel.dst)
    try:
        return _add(api, m.tunnel, *ends)
    except ApiError as error:
        return {"retval": error.retval, "sw_if_index": NONE}


def _add(api: Api, given: Any, source: Address, destination: Address) -> dict[str, int]:
    check_pair(source, destination)
    check_mode(given.mode)
    check_table(api, source, given.table_id)
    only_p2p(given.mode, destination)
    src, dst = only_ip4(source, destination)
    check_flags(given.flags)
    if given.dscp > MOST_DSCP:
        raise ApiError(INVALID_VALUE, f"DSCP {given.dscp}")
    try:
        made = api.engine.ipip.add(
            src, dst, instance=or_none(given.instance), table=given.table_id, flags=given.flags, dscp=given.dscp
        )
    except TunnelExists:
        same = (t for t in api.engine.ipip.by_index.values() if (t.src, t.dst, t.table) == (src, dst, given.table_id))
        return {"retval": IF_ALREADY_EXISTS, "sw_if_index": next(same).sw_if_index}
    except InstanceInUse as error:
        raise ApiError(INSTANCE_IN_USE, str(error)) from None
    return {"sw_if_index": made.sw_if_index}


def ipip_del_tunnel(api: Api, m: Any) -> None:
    """Remove one."""
    try:
        api.engine.ipip.remove(m.sw_if_index)
    except KeyError as error:
        raise ApiError(NO_SUCH_ENTRY, str(error)) from None


def ipip_tunnel_dump(api: Api, m: Any) -> Iterator[dict[str, Any]]:
    """One tunnel or all."""
    for tunnel in chosen(api.engine.ipip.by_index, m.sw_if_index):
        yield {
            "tunnel": {
                "instance": tunnel.instance,
                "src": encode_address(tunnel.src),
                "dst": encode_address(tunnel.dst),
                "sw_if_index": tunnel.sw_if_index,
                "table_id": tunnel.table,
                "flags": tunnel.flags,
                "mode": MODE_P2P,
                "dscp": tunnel.dscp,
            }
        }


HANDLERS = {
    "ipip_add_tunnel": ipip_add_tunnel,
    "ipip_del_tunnel": ipip_del_tunnel,
    "ipip_tunnel_dump": ipip_tunnel_dump,
}
