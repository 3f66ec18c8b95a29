"""gre.api: GRE tunnels over IPv4, from one end to one other: of IP packets, of Ethernet frames, of ERSPAN's copies.

``gre_tunnel_dump_v2`` is not served: it is broken in VPP (its details are no answer to any request) and deprecated.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from vectorplane.backends.engine.tunnels.gre import GreTunnel
from vectorplane.backends.engine.tunnels.tunnel import InstanceInUse, TunnelExists
from vectorplane.control.vppapi.api import Api
from vectorplane.control.vppapi.handlers.ip_addresses import decode_address, encode_address
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
    replies_interface,
)
from vectorplane.control.vppapi.retval import (
    IF_ALREADY_EXISTS,
    INSTANCE_IN_USE,
    INVALID_SESSION_ID,
    INVALID_VALUE,
    NO_SUCH_ENTRY,
    ApiError,
)

ERSPAN = "erspan"
KINDS = ("l3", "teb", ERSPAN)
"""By ``gre_tunnel_type``."""
MAX_SESSION = 0x3FF


def _change(api: Api, m: Any, key: int) -> int:
    """Make or remove a tunnel."""
    tunnel, tunnels = m.tunnel, api.engine.gre
    source, destination = decode_address(tunnel.src), decode_address(tunnel.dst)
    check_pair(source, destination)
    if tunnel.type >= len(KINDS):
        raise ApiError(INVALID_VALUE, f"tunnel type {tunnel.type}")
    check_mode(tunnel.mode)
    check_table(api, source, tunnel.outer_table_id)
    if tunnel.session_id > MAX_SESSION:
        raise ApiError(INVALID_SESSION_ID, str(tunnel.session_id))
    only_p2p(tunnel.mode, destination)
    src, dst = only_ip4(source, destination)
    check_flags(tunnel.flags)
    kind, table = KINDS[tunnel.type], tunnel.outer_table_id
    if not m.is_add:
        try:
            return tunnels.remove(src, dst, kind=kind, table=table, session=tunnel.session_id, key=key)
        except KeyError as error:
            raise ApiError(NO_SUCH_ENTRY, str(error)) from None
    try:
        return tunnels.add(
            src,
            dst,
            kind=kind,
            instance=or_none(tunnel.instance),
            table=table,
            session=tunnel.session_id,
            key=key,
            flags=tunnel.flags,
        ).sw_if_index
    except TunnelExists as error:
        raise ApiError(IF_ALREADY_EXISTS, str(error)) from None
    except InstanceInUse as error:
        raise ApiError(INSTANCE_IN_USE, str(error)) from None


@replies_interface
def gre_tunnel_add_del(api: Api, m: Any) -> int:
    """Make or remove a tunnel."""
    return _change(api, m, 0)


@replies_interface
def gre_tunnel_add_del_v2(api: Api, m: Any) -> int:
    """The same, with a key (0: none)."""
    return _change(api, m, m.tunnel.key)


def _details(tunnel: GreTunnel) -> dict[str, Any]:
    has_session = tunnel.carries == ERSPAN  # others may have been given one, but VPP does not tell it
    return {
        "type": KINDS.index(tunnel.carries),
        "mode": MODE_P2P,
        "flags": tunnel.flags,
        "session_id": tunnel.session if has_session else 0,
        "instance": tunnel.instance,
        "outer_table_id": tunnel.table,
        "sw_if_index": tunnel.sw_if_index,
        "src": encode_address(tunnel.src),
        "dst": encode_address(tunnel.dst),
    }


def gre_tunnel_dump(api: Api, m: Any) -> Iterator[dict[str, Any]]:
    """One tunnel or all."""
    for tunnel in chosen(api.engine.gre.by_index, m.sw_if_index):
        yield {"tunnel": _details(tunnel)}


def gre_tunnel_v2_dump(api: Api, m: Any) -> Iterator[dict[str, Any]]:
    """The same, with keys."""
    for tunnel in chosen(api.engine.gre.by_index, m.sw_if_index):
        yield {"tunnel": {**_details(tunnel), "key": tunnel.gre_key}}


HANDLERS = {
    "gre_tunnel_add_del": gre_tunnel_add_del,
    "gre_tunnel_add_del_v2": gre_tunnel_add_del_v2,
    "gre_tunnel_dump": gre_tunnel_dump,
    "gre_tunnel_v2_dump": gre_tunnel_v2_dump,
}
