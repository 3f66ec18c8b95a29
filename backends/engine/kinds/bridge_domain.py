"""Bridge domains."""

from __future__ import annotations

from collections.abc import Iterable

from vectorplane.backends.engine.kinds.kind import Kind
from vectorplane.backends.engine.l2.bridges import ARP_TERM, ARP_UFWD, FLOOD, FWD, LEARN, UU_FLOOD
from vectorplane.backends.items import BridgeDomain

_FLAGS = {
    "flood": FLOOD,
    "uu_flood": UU_FLOOD,
    "forward": FWD,
    "learn": LEARN,
    "arp_term": ARP_TERM,
    "arp_ufwd": ARP_UFWD,
}


class BridgeDomains(Kind[BridgeDomain]):
    """See the module."""

    item = BridgeDomain

    def create(self, item: BridgeDomain) -> None:
        """Make it."""
        flags = {name: getattr(item, name) for name in _FLAGS}
        self.engine.bridges.create(item.id, **flags, mac_age=item.mac_age, tag=item.tag)

    def update(self, old: BridgeDomain, new: BridgeDomain) -> None:
        """What it does with frames, and how long it remembers."""
        if old.tag != new.tag:
            super().update(old, new)
        self.engine.bridges.set_mac_age(new.id, new.mac_age)
        for name, flag in _FLAGS.items():
            if getattr(old, name) != getattr(new, name):
                self.engine.bridges.set_flags(new.id, flag, getattr(new, name))

    def delete(self, item: BridgeDomain) -> None:
        """Remove it."""
        self.engine.bridges.delete(item.id)

    def dump(self) -> Iterable[BridgeDomain]:
        """All."""
        for number, domain in sorted(self.engine.bridges.domains.items()):
            flags = {name: getattr(domain, name) for name in _FLAGS}
            yield BridgeDomain(number, **flags, mac_age=domain.mac_age, tag=domain.tag)
