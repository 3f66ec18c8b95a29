"""Bridge domains: ``bridge_domain_add_del_v2``, ``bridge_domain_dump``.

``bridge_flags`` and ``bridge_domain_set_mac_age`` change what there is.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields

from vectorplane.backends.items import BridgeDomain
from vectorplane.backends.vpp.kinds.kind import Kind, Message, Steps

_FLAGS = {"learn": 1, "forward": 2, "flood": 4, "uu_flood": 8, "arp_term": 16, "arp_ufwd": 32}
_SAME = tuple(f.name for f in fields(BridgeDomain) if f.name not in ("id", "tag"))
"""Fields that messages call the same."""


class BridgeDomains(Kind[BridgeDomain]):
    """See the module."""

    item = BridgeDomain
    title = "bridge domains"
    messages = (
        ("bridge_domain_add_del_v2",),
        ("bridge_flags",),
        ("bridge_domain_set_mac_age",),
        ("bridge_domain_dump",),
    )
    single = False

    def create(self, item: BridgeDomain) -> Steps:
        """Make it."""
        yield self._message(True, item)

    def update(self, old: BridgeDomain, new: BridgeDomain) -> Steps:
        """What it does with frames, and how long it remembers; VPP does not change tags."""
        if old.tag != new.tag:
            yield from super().update(old, new)
        for on in (True, False):
            flags = sum(bit for name, bit in _FLAGS.items() if getattr(new, name) is on is not getattr(old, name))
            if flags:
                yield "bridge_flags", {"bd_id": new.id, "is_set": on, "flags": flags}
        if old.mac_age != new.mac_age:
            yield "bridge_domain_set_mac_age", {"bd_id": new.id, "mac_age": new.mac_age}

    def delete(self, item: BridgeDomain) -> Steps:
        """Remove it."""
        yield self._message(False, item)

    def _message(self, is_add: bool, item: BridgeDomain) -> Message:
        same = {name: getattr(item, name) for name in _SAME}
        return "bridge_domain_add_del_v2", {"is_add": is_add, "bd_id": item.id, "bd_tag": item.tag, **same}

    def dump(self) -> Iterable[BridgeDomain]:
        """All but VPP's own."""
        for d in self.link.connection.details("bridge_domain_dump"):
            if d.bd_id:
                yield BridgeDomain(d.bd_id, tag=d.bd_tag, **{name: getattr(d, name) for name in _SAME})
