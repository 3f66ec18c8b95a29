"""Who must not get what a pod of this node sends to a service: denied where it leaves for the service's backend."""

from __future__ import annotations

from collections.abc import Iterable

from vectorplane.control.cluster.ipam.pod import PodId
from vectorplane.control.cluster.policies.fronts import Backend
from vectorplane.control.cluster.policies.nets import Net
from vectorplane.control.cluster.policies.rule import DENY, Ports, Rule


class Refusals:
    """By the address of the backend."""

    def __init__(self) -> None:
        self._by_backend: dict[Net, dict[tuple[Net, Ports], set[PodId]]] = {}

    def change(self, sender: PodId, address: Net, old: Iterable[Backend], new: Iterable[Backend]) -> set[Net]:
        """A sender's are others now. Gives the backends whose rules are different.

        ``address``: the sender's, the same for old and new ones.
        """
        old, new = frozenset(old), frozenset(new)
        touched = set()
        for backend in old - new:
            touched.add(backend.address)
            there = self._by_backend[backend.address]
            there[address, backend.ports].discard(sender)
            if not there[address, backend.ports]:
                del there[address, backend.ports]
            if not there:
                del self._by_backend[backend.address]
        for backend in new - old:
            touched.add(backend.address)
            self._by_backend.setdefault(backend.address, {}).setdefault((address, backend.ports), set()).add(sender)
        return touched

    def at(self, backend: Net) -> list[Rule]:
        """The rules for what leaves for a backend."""
        return [Rule(src, backend, ports, DENY) for src, ports in self._by_backend.get(backend, ())]

    def elsewhere(self, here: Iterable[Net]) -> list[Rule]:
        """The rules for what leaves for any but these backends."""
        return [rule for backend in self._by_backend.keys() - set(here) for rule in self.at(backend)]

    def senders(self, rule: Rule) -> set[PodId]:
        """Whose refusal a rule is."""
        return self._by_backend.get(rule.dst, {}).get((rule.src, rule.ports), set())
