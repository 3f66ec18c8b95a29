"""What the handlers of tunnels have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import wraps
from ipaddress import IPv4Address
from typing import Any, TypeVar

from vectorplane.backends.engine.tunnels.ip_tunnels import SERVED
from vectorplane.control.vppapi.api import Api
from vectorplane.control.vppapi.handlers.interface_checks import NONE
from vectorplane.control.vppapi.handlers.ip_addresses import Address
from vectorplane.control.vppapi.handlers.ip_paths import IP4, IP6, has_table
from vectorplane.control.vppapi.retval import (
    INVALID_DST_ADDRESS,
    INVALID_PROTOCOL,
    INVALID_SW_IF_INDEX,
    INVALID_VALUE,
    INVALID_VALUE_2,
    NO_SUCH_FIB,
    SAME_SRC_DST,
    UNIMPLEMENTED,
    ApiError,
)

T = TypeVar("T")
MODE_P2P, MODE_MP = 0, 1


def replies_interface(change: Callable[[Api, Any], int]) -> Callable[[Api, Any], dict[str, int]]:
    """The handler of a message whose reply tells an interface: what ``change`` gives, or 2**32 - 1 if it refuses."""

    @wraps(change)
    def handler(api: Api, m: Any) -> dict[str, int]:
        try:
            return {"sw_if_index": change(api, m)}
        except ApiError as error:
            return {"retval": error.retval, "sw_if_index": NONE}

    return handler


def chosen(tunnels: Mapping[int, T], sw_if_index: int) -> Iterator[T]:
    """The tunnel whose interface it is, or all for 2**32 - 1, the oldest first; they may come and go meanwhile."""
    for index in list(tunnels) if sw_if_index == NONE else (sw_if_index,):
        if index in tunnels:
            yield tunnels[index]


def or_none(number: int) -> int | None:
    """A field that says "none" by 2**32 - 1."""
    return None if number == NONE else number


def check_table(api: Api, address: Address, table: int) -> None:
    """Raises `ApiError`: NO_SUCH_FIB, there is no such table of the address's IP version."""
    if not has_table(api.engine, IP4 if address.version == 4 else IP6, table):
        raise ApiError(NO_SUCH_FIB, f"table {table}")


def check_ends(api: Api, src: Address, dst: Address, mcast_sw_if_index: int) -> None:
    """Raises `ApiError`: the ends are the same, or a group's packets would leave by no interface."""
    if src == dst:
        raise ApiError(SAME_SRC_DST, str(src))
    if dst.is_multicast and mcast_sw_if_index not in api.engine.interfaces.by_index:
        raise ApiError(INVALID_SW_IF_INDEX, f"no interface {mcast_sw_if_index}")


def check_vni(vni: int) -> None:
    """Raises `ApiError`: INVALID_VALUE, it has more than 24 bits (of which VPP would send the lower ones)."""
    if vni >> 24:
        raise ApiError(INVALID_VALUE, f"VNI {vni}")


def check_flags(flags: int) -> None:
    """Raises `ApiError`: UNIMPLEMENTED, tunnels cannot do that to their headers."""
    if flags & ~SERVED:
        raise ApiError(UNIMPLEMENTED, f"tunnel flags {flags & ~SERVED:#x}")


def only_ip4(*addresses: Address) -> Iterator[IPv4Address]:
    """The addresses, all of which must be IPv4's.

    Raises:
        ApiError: UNIMPLEMENTED, one is not.
    """
    for address in addresses:
        if not isinstance(address, IPv4Address):
            raise ApiError(UNIMPLEMENTED, "tunnels over IPv6")
        yield address


def check_pair(src: Address, dst: Address) -> None:
    """Raises `ApiError`: INVALID_PROTOCOL or SAME_SRC_DST, no tunnel has such ends."""
    if src.version != dst.version:
        raise ApiError(INVALID_PROTOCOL, f"{src} and {dst}")
    if src == dst:
        raise ApiError(SAME_SRC_DST, str(src))


def check_mode(mode: int) -> None:
    """Raises `ApiError`: INVALID_VALUE_2, it is neither point to point nor to many."""
    if mode not in (MODE_P2P, MODE_MP):
        raise ApiError(INVALID_VALUE_2, f"tunnel mode {mode}")


def only_p2p(mode: int, dst: Address) -> None:
    """Raises `ApiError`: INVALID_DST_ADDRESS for a tunnel to many with a destination, UNIMPLEMENTED without."""
    if mode == MODE_MP:
        if int(dst):
            raise ApiError(INVALID_DST_ADDRESS, str(dst))
        raise ApiError(UNIMPLEMENTED, "tunnels to many")
