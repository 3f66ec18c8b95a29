"""nat44_ed.api: users and sessions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from vectorplane.backends.engine.nat44.sessions import NatSession
from vectorplane.control.vppapi.api import Api
from vectorplane.control.vppapi.handlers.nat44 import (
    EXT_HOST_VALID,
    INSIDE,
    STATIC,
    TWICE_NAT,
    attempt,
    ip4,
    ip4_bytes,
)

_SECOND = 1_000_000_000


def nat44_del_session(api: Api, m: Any) -> None:
    """End one."""
    nat = api.engine.nat44
    attempt(nat.need_enabled)
    attempt(
        nat.sessions.delete,
        ip4(m.address),
        m.port,
        ip4(m.ext_host_address),
        m.ext_host_port,
        m.protocol,
        m.vrf_id,
        bool(m.flags & INSIDE),
    )


def nat44_user_dump(api: Api, m: Any) -> Iterator[dict[str, Any]]:
    """Inside hosts and how many sessions each has."""
    nat = api.engine.nat44
    for address, fib, dynamic, static in nat.sessions.users():
        yield {
            "vrf_id": nat.vrf_of(fib),
            "ip_address": ip4_bytes(address),
            "nsessions": dynamic,
            "nstaticsessions": static,
        }


def _details(session: NatSession) -> dict[str, Any]:
    twice = session.is_twice_nat
    return {
        "outside_ip_address": ip4_bytes(session.out_address),
        "outside_port": session.out_port,
        "inside_ip_address": ip4_bytes(session.in_address),
        "inside_port": session.in_port,
        "protocol": session.proto,
        "flags": EXT_HOST_VALID | (STATIC if session.is_static else 0) | (TWICE_NAT if twice else 0),
        "last_heard": session.last_heard // _SECOND,
        "total_bytes": session.bytes,
        "total_pkts": session.packets,
        "ext_host_address": ip4_bytes(session.ext_host_address),
        "ext_host_port": session.ext_host_port,
        "ext_host_nat_address": ip4_bytes(session.ext_host_nat_address),
        "ext_host_nat_port": session.ext_host_nat_port,
    }


def _of(api: Api, m: Any) -> Iterator[NatSession]:
    """As in VPP, those of the address in any table."""
    wanted = ip4(m.ip_address)
    return (s for s in api.engine.nat44.sessions if s.in_address == wanted)


def nat44_user_session_dump(api: Api, m: Any) -> Iterator[dict[str, Any]]:
    """The sessions of an inside host."""
    return (_details(s) for s in _of(api, m))


def nat44_user_session_v2_dump(api: Api, m: Any) -> Iterator[dict[str, Any]]:
    """And whether their time is up."""
    now = api.engine.now
    return (_details(s) | {"is_timed_out": s.timed_out(now)} for s in _of(api, m))


def nat44_user_session_v3_dump(api: Api, m: Any) -> Iterator[dict[str, Any]]:
    """And for how long they have been silent."""
    now = api.engine.now
    for s in _of(api, m):
        silent = max(now - s.last_heard, 0) // _SECOND
        yield _details(s) | {"is_timed_out": s.timed_out(now), "time_since_last_heard": silent}


HANDLERS = {
    "nat44_del_session": nat44_del_session,
    "nat44_user_dump": nat44_user_dump,
    "nat44_user_session_dump": nat44_user_session_dump,
    "nat44_user_session_v2_dump": nat44_user_session_v2_dump,
    "nat44_user_session_v3_dump": nat44_user_session_v3_dump,
}
