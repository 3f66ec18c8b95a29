"""Which service has an address and port that several want: the one whose namespace and name come first.

Kubernetes takes care of cluster IPs and node ports, but not of external IPs. Which service asked first is not known
after a restart, so that can't decide.
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address
from typing import NamedTuple

from vectorplane.control.cluster.model.base import ObjectId


class Claim(NamedTuple):
    """A port of an address; ``address`` None: of all nodes' addresses, unless a claim names the address."""

    proto: int
    port: int
    address: IPv4Address | None


class Claims:
    """Claims of all services."""

    def __init__(self) -> None:
        self._of: dict[ObjectId, frozenset[Claim]] = {}
        self._who: dict[Claim, set[ObjectId]] = {}
        self._at: dict[tuple[int, int], set[IPv4Address]] = {}
        """By protocol and port the addresses that are claimed by name."""

    def put(self, service: ObjectId, claims: Iterable[Claim]) -> set[ObjectId]:
        """A service claims these and nothing else. Gives the other services that this may matter to."""
        new = frozenset(claims)
        old = self._of.get(service, frozenset())
        touched: set[ObjectId] = set()
        for claim in old - new:
            self._who[claim].discard(service)
            touched |= self._rivals(claim)
            if not self._who[claim]:
                del self._who[claim]
                self._unmark(claim)
        for claim in new - old:
            self._who.setdefault(claim, set()).add(service)
            touched |= self._rivals(claim)
            if claim.address is not None:
                self._at.setdefault((claim.proto, claim.port), set()).add(claim.address)
        if new:
            self._of[service] = new
        else:
            self._of.pop(service, None)
        return touched - {service}

    def winner(self, claim: Claim) -> ObjectId | None:
        """Whose it is."""
        who = self._who.get(claim)
        return min(who) if who else None

    def named(self, proto: int, port: int) -> frozenset[IPv4Address]:
        """Addresses where this port is claimed by name."""
        return frozenset(self._at.get((proto, port), ()))

    def clear(self) -> None:
        """Nobody claims anything."""
        self._of.clear()
        self._who.clear()
        self._at.clear()

    def _rivals(self, claim: Claim) -> set[ObjectId]:
        rivals = set(self._who[claim])
        if claim.address is not None:
            rivals |= self._who.get(claim._replace(address=None), set())
        return rivals

    def _unmark(self, claim: Claim) -> None:
        if claim.address is None:
            return
        left = self._at[claim.proto, claim.port]
        left.discard(claim.address)
        if not left:
            del self._at[claim.proto, claim.port]
