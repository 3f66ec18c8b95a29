"""GRE tunnels: ``gre_tunnel_add_del_v2``, ``gre_tunnel_v2_dump``."""

from __future__ import annotations

from typing import Any

from vectorplane.backends.base import BackendError
from vectorplane.backends.vpp.interfaces import NO_INTERFACE
from vectorplane.backends.vpp.kinds.kind import Message
from vectorplane.backends.vpp.link import Link
from vectorplane.backends.vpp.tunnels.tunnel import Settings, Tunnel
from vectorplane.backends.vpp.values import address_of, pack_address

_KINDS = ("l3", "teb", "erspan")
"""By ``gre_tunnel_type``."""


def _change(link: Link, is_add: bool, settings: Settings, index: int) -> Message:
    if settings["kind"] not in _KINDS:
        raise BackendError(f"a GRE tunnel is of kind {', '.join(_KINDS)}, not {settings['kind']}")
    tunnel = {
        "type": _KINDS.index(settings["kind"]),
        "mode": 0,
        "flags": 0,
        "session_id": settings["session"],
        "instance": NO_INTERFACE,
        "outer_table_id": settings["table"],
        "src": pack_address(settings["src"]),
        "dst": pack_address(settings["dst"]),
        "key": settings["key"],
    }
    return "gre_tunnel_add_del_v2", {"is_add": is_add, "tunnel": tunnel}


def _read(link: Link, d: Any) -> tuple[int, Settings]:
    t = d.tunnel
    return t.sw_if_index, {
        "src": address_of(t.src),
        "dst": address_of(t.dst),
        "kind": _KINDS[int(t.type)],
        "key": t.key,
        "session": t.session_id,
        "table": t.outer_table_id,
    }


GRE = Tunnel("GRE tunnels", ("gre_tunnel_add_del_v2", "gre_tunnel_v2_dump"), "gre_tunnel_v2_dump", _change, _read)
