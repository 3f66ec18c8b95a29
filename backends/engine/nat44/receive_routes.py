"""Routes that make an outside address this router's own: so it answers ARP for it, and packets to it are received.

As in VPP: an exclusive receive entry for each outside interface, of a source of its own that comes behind all others
but recursive ones; counted, since an address may be in the pool and in several mappings.
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

    def use(self, address: int, sw_if_index: int) -> None:
        """One user more."""
        key = (address, sw_if_index)
        self._users[key] = self._users.get(key, 0) + 1
        if self._users[key] == 1:
            fib = self._fibs[key] = int(self._engine.interfaces.record(sw_if_index)["ip4_table"])
            path = Path(address, sw_if_index, kind=LOCAL)
            self._engine.routes.control.set_source(fib, address, 32, NAT, (path,))

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
        control = self._engine.routes.control
        others = [i for (a, i), f in self._fibs.items() if a == address and f == fib]
        entry = control.find(fib, address, 32)
        if others:
            control.set_source(fib, address, 32, NAT, (Path(address, others[-1], kind=LOCAL),))
        elif entry is not None and NAT in entry.sources:
            control.drop_source(entry, NAT)
