"""Addresses of a node's pods: the next one is that behind the last one given, all the way round.

So an address that was released is not soon another pod's: peers, sessions and caches that still know the old pod by
it have time to forget. Nothing is stored: after a restart the pods that are there tell which addresses are taken.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from itertools import chain

from vectorplane.control.cluster.ipam.arithmetic import Ip, address_at, index_of
from vectorplane.control.cluster.ipam.error import Exhausted
from vectorplane.control.cluster.ipam.pod import Holder, PodId
from vectorplane.control.cluster.ipam.pod_subnet import GATEWAY, PodSubnet


class PodPool:
    """The addresses of one subnet, of one node. It is used by one thread."""

    def __init__(self, subnet: PodSubnet) -> None:
        self.subnet = subnet
        self._last = GATEWAY
        self._places: dict[Holder, int] = {}
        self._holders: dict[int, list[Holder]] = {}

    def allocate(self, holder: Holder) -> Ip:
        """An address for that interface; the one that it has, if it has one.

        Raises:
            Exhausted: none is free.
        """
        known = self.address_of(holder)
        if known is not None:
            return known
        subnet = self.subnet
        for place in chain(range(self._last + 1, subnet.last + 1), range(subnet.first, self._last + 1)):
            if place not in self._holders:
                self._take(holder, place)
                self._last = place
                return address_at(subnet.network, place)
        raise Exhausted("pod_subnet", f"no address of {subnet.network} is free: all {subnet.size} are pods'")

    def release(self, holder: Holder) -> Ip | None:
        """The address that it had is free again. None: it had none, which is no mistake."""
        place = self._places.pop(holder, None)
        if place is None:
            return None
        self._holders[place].remove(holder)
        if not self._holders[place]:
            del self._holders[place]
        return address_at(self.subnet.network, place)

    def address_of(self, holder: Holder) -> Ip | None:
        """The address of an interface."""
        place = self._places.get(holder)
        return None if place is None else address_at(self.subnet.network, place)

    def holder_of(self, address: Ip) -> Holder | None:
        """Whose address it is."""
        place = index_of(self.subnet.network, address)
        return None if place is None or place not in self._holders else self._holders[place][0]

    def holders_of(self, pod: PodId) -> list[Holder]:
        """The interfaces of a pod that have an address here."""
        return sorted(holder for holder in self._places if holder.pod == pod)

    def allocations(self) -> dict[Holder, Ip]:
        """All that are given."""
        return {holder: address_at(self.subnet.network, place) for holder, place in sorted(self._places.items())}

    def conflicts(self) -> dict[Ip, tuple[Holder, ...]]:
        """Addresses that several were found with. They are free again when all of these are gone."""
        found = sorted((place, holders) for place, holders in self._holders.items() if len(holders) > 1)
        return {address_at(self.subnet.network, place): tuple(holders) for place, holders in found}

    def relearn(self, found: Iterable[tuple[Holder, Ip]], waiting: Collection[PodId] = ()) -> None:
        """Forget what was given and take what is there instead: at the start, and when something went wrong.

        The next address after a restart is that behind the highest one found; which was the last one given, nobody
        knows any more. (Contiv-VPP means to do so, too, but subtracts addresses of different widths.)

        Args:
            found: interfaces and their addresses; those outside the subnet are another node's, or no pod's.
            waiting: pods that are there and whose address has not been reported yet: they keep what they were given.
        """
        kept = {h: place for h, place in self._places.items() if h.pod in waiting}
        fresh = self._last == GATEWAY
        self._places, self._holders = {}, {}
        for holder, address in sorted(found, key=lambda pair: pair[0]):
            place = index_of(self.subnet.network, address)
            if place is not None and holder not in self._places:
                self._take(holder, place)
        for holder, place in kept.items():
            if holder not in self._places:
                self._take(holder, place)
        if fresh:
            pods = (p for p in self._holders if self.subnet.first <= p <= self.subnet.last)
            self._last = max(pods, default=GATEWAY)

    def _take(self, holder: Holder, place: int) -> None:
        self._places[holder] = place
        self._holders.setdefault(place, []).append(holder)
