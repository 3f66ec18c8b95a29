"""Reassembly on interfaces: ``ip_reassembly_enable_disable``; ``feature_is_enabled`` says where it is on.

That does not tell who switched it on. NAT needs shallow virtual reassembly on its interfaces: there it is an item only
when it came by this connection.
"""

from __future__ import annotations

from collections.abc import Iterable

from vectorplane.backends.base import BackendError
from vectorplane.backends.items import REASSEMBLIES, Reassembly
from vectorplane.backends.vpp.kinds.kind import Kind, Message, Steps
from vectorplane.backends.vpp.kinds.nat44 import nat_interfaces
from vectorplane.backends.vpp.link import Link

ARC, FEATURES = "ip4-unicast", ("ip4-full-reassembly-feature", "ip4-sv-reassembly-feature")


class Reassemblies(Kind[Reassembly]):
    """See the module."""

    item = Reassembly
    title = "reassembly on interfaces"
    messages = (("ip_reassembly_enable_disable",), ("feature_is_enabled",))

    def __init__(self, link: Link) -> None:
        super().__init__(link)
        self._told: set[Reassembly] = set()

    def create(self, item: Reassembly) -> Steps:
        """On."""
        yield self._message(True, item)
        self._told.add(item)

    def delete(self, item: Reassembly) -> Steps:
        """Off."""
        yield self._message(False, item)
        self._told.discard(item)

    def _message(self, on: bool, item: Reassembly) -> Message:
        if item.how not in REASSEMBLIES:
            raise BackendError(f"reassembly is one of {', '.join(REASSEMBLIES)}, not {item.how}")
        return "ip_reassembly_enable_disable", {
            "sw_if_index": self.index(item.interface),
            "enable_ip4": on,
            "type": REASSEMBLIES.index(item.how),
        }

    def dump(self) -> Iterable[Reassembly]:
        """All."""
        of_nat = nat_interfaces(self.link)
        for interface, feature in self.link.having(ARC, FEATURES):
            item = Reassembly(interface.name, REASSEMBLIES[FEATURES.index(feature)])
            if item in self._told or item.how == "full" or interface.index not in of_nat:
                yield item
