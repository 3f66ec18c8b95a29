"""Whether IPv6 is on on an engine's interfaces, and the link-local addresses that they then have.

As in VPP it is on while anything wants it: each address does, an unnumbered interface, and who says so (`enable`).
The interface then has a link-local address, made from its MAC (RFC 4291 appendix A) unless it was told, which is kept
in a table of the interface's own.
"""

from __future__ import annotations

import hashlib
from ipaddress import IPv6Address
from typing import TYPE_CHECKING

from vectorplane.backends.engine.route_paths6 import number6
from vectorplane.graph_nodes.fib6 import LINK_LOCAL_FIBS, RECEIVE6, Fib6

if TYPE_CHECKING:
    from vectorplane.backends.engine.engine import Engine

ARCS = ("ip6-unicast", "ip6-multicast")


class Ip6NotEnabled(ValueError):
    """IPv6 is not on."""


def link_local_of(mac: bytes) -> int:
    """The link-local address that a MAC gives (modified EUI-64)."""
    eui = bytes([mac[0] ^ 2]) + mac[1:3] + b"\xff\xfe" + mac[3:]
    return 0xFE80 << 112 | int.from_bytes(eui, "big")


class Links6:
    """IPv6 on each interface."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._seen = engine.plane.shared(Fib6)
        self._link_local: dict[int, int] = {}
        self._locks: dict[int, int] = {}
        """By interface: how many want it to have a link-local address."""

    def enable(self, sw_if_index: int) -> bool:
        """Switch IPv6 on, counted; False when it was on before. Raises `KeyError`: no such interface."""
        self._engine.interfaces[sw_if_index]
        return self._link_enable(sw_if_index)

    def disable(self, sw_if_index: int) -> None:
        """Take one `enable` back.

        Raises:
            Ip6NotEnabled: it is not on.
        """
        if sw_if_index not in self._link_local:
            raise Ip6NotEnabled(f"IPv6 is not on on interface {sw_if_index}")
        self._link_disable(sw_if_index)

    def is_enabled(self, sw_if_index: int) -> bool:
        """Has it a link-local address?"""
        return sw_if_index in self._link_local

    def link_local(self, sw_if_index: int) -> IPv6Address | None:
        """The link-local address; None while IPv6 is off."""
        address = self._link_local.get(sw_if_index)
        return None if address is None else IPv6Address(address)

    def set_link_local(self, sw_if_index: int, address: str | int | IPv6Address) -> None:
        """Choose the link-local address; switches IPv6 on when it is off. Raises `KeyError`, `ValueError`."""
        self._engine.interfaces[sw_if_index]
        made = number6(address)
        if sw_if_index not in self._link_local:
            self._link_enable(sw_if_index, made)
            return
        self._seen.remove(LINK_LOCAL_FIBS + sw_if_index, self._link_local[sw_if_index], 128)
        self._put_link_local(sw_if_index, made)

    def forget_link(self, sw_if_index: int) -> None:
        """The interface goes: switch IPv6 off, whoever wants it."""
        if sw_if_index in self._link_local:
            self._locks[sw_if_index] = 1
            self._link_disable(sw_if_index)
        self._locks.pop(sw_if_index, None)

    # --- inner works

    def _link_enable(self, sw_if_index: int, address: int = 0) -> bool:
        self._locks[sw_if_index] = self._locks.get(sw_if_index, 0) + 1
        if sw_if_index in self._link_local:
            return False
        if not address:
            mac = self._engine.interfaces[sw_if_index].mac
            address = link_local_of(mac) if any(mac) else self._made_up(sw_if_index)
        self._put_link_local(sw_if_index, address)
        self._count(sw_if_index, 1)
        return True

    def _link_disable(self, sw_if_index: int) -> None:
        if sw_if_index not in self._link_local:
            return
        self._locks[sw_if_index] -= 1
        if not self._locks[sw_if_index]:
            self._seen.remove(LINK_LOCAL_FIBS + sw_if_index, self._link_local.pop(sw_if_index), 128)
            self._count(sw_if_index, -1)

    def _made_up(self, sw_if_index: int) -> int:
        """A link-local address without a MAC; VPP takes a random one, here the engine's seed decides."""
        digest = hashlib.blake2b(f"{self._engine.plane.seed} {sw_if_index}".encode(), digest_size=8).digest()
        # not a global identifier (RFC 4291, appendix A: the bit is zero)
        return 0xFE80 << 112 | int.from_bytes(digest, "big") & ~(1 << 57)

    def _put_link_local(self, sw_if_index: int, address: int) -> None:
        self._link_local[sw_if_index] = address
        self._seen.set(LINK_LOCAL_FIBS + sw_if_index, address, 128, RECEIVE6, sw_if_index, ours=True)

    def _count(self, sw_if_index: int, change: int) -> None:
        record = self._seen.interfaces[sw_if_index]
        was = int(record["enabled"])
        count = max(0, was + change)
        record["enabled"] = count
        if bool(count) != bool(was):
            for arc in ARCS:
                self._engine.plane.arcs[arc].enable(sw_if_index, "ip6-not-enabled", not count)
