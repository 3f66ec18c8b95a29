"""Routes that make an outside address this router's own: so it answers ARP for it, and packets to it are received.

As in VPP: an exclusive receive entry in the table of each outside interface, of a source of its own that comes behind
all others but recursive ones; counted, since an address may be in the pool and in several mappings. The entry names one
interface. VPP rewrites all of them for each interface that comes, to name that; here the first one stays as long as it
is outside, since with a thousand mappings and an outside interface for each pod that would take longer than all else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vectorplane.backends.engine.fib_entries import NAT
from vectorplane.backends.engine.route_paths import LOCAL, Path

if TYPE_CHECKING:
    from vectorplane.backends.engine.engine import Engine


class ReceiveRoutes:
    """Users of an address on an interface."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._users: dict[tuple[int, int], int] = {}
        self._fibs: dict[tuple[int, int], int] = {}
        self._by_route: dict[tuple[int, int], list[int]] = {}
        """By FIB and address: the interfaces that want it, the one whose route it is first."""

    def use(self, address: int, sw_if_index: int) -> None:
        """One user more."""
        key = (address, sw_if_index)
        self._users[key] = self._users.get(key, 0) + 1
        if self._users[key] == 1:
            fib = self._fibs[key] = self._engine.addresses.fib_of(sw_if_index)
            users = self._by_route.setdefault((fib, address), [])
            users.append(sw_if_index)
            if len(users) == 1:
                self._set(fib, address, sw_if_index)

    def leave(self, address: int, sw_if_index: int) -> None:
        """One user less."""
        key = (address, sw_if_index)
        if key not in self._users:
            return
        self._users[key] -= 1
        if self._users[key]:
            return
        del self._users[key]
        fib = self._fibs.pop(key)
        left = self._by_route[fib, address]
        was_named = left[0] == sw_if_index
        left.remove(sw_if_index)
        if left:
            if was_named:
                self._set(fib, address, left[0])
            return
        del self._by_route[fib, address]
        control = self._engine.routes.control
        entry = control.find(fib, address, 32)
        if entry is not None and NAT in entry.sources:
            control.drop_source(entry, NAT)

    def _set(self, fib: int, address: int, sw_if_index: int) -> None:
        self._engine.routes.control.set_source(fib, address, 32, NAT, (Path(address, sw_if_index, kind=LOCAL),))
