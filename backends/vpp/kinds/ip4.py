"""IPv4 on interfaces without addresses, remembered by the tag's word ``ip4``.

VPP has a message for it, ``sw_interface_ip4_enable_disable``, but that does the opposite of its name (in 26.10) or is
missing (23.10), and leaves ARP off. So the features are switched by the debug CLI, all that an address would switch;
the message is for servers whose CLI has no such command.
"""

from __future__ import annotations

from collections.abc import Iterable

from vectorplane.backends.base import BackendError
from vectorplane.backends.items import Ip4Enabled
from vectorplane.backends.vpp.kinds.kind import Kind, Steps
from vectorplane.backends.vpp.kinds.noted import note

WORD = "ip4"
FEATURES = (
    ("ip4-unicast", "ip4-not-enabled", False),
    ("ip4-multicast", "ip4-not-enabled", False),
    ("arp", "arp-reply", True),
    ("arp", "arp-disabled", False),
)
"""Arc, feature, and whether it is on where IPv4 is on."""


class Ip4(Kind[Ip4Enabled]):
    """See the module."""

    item = Ip4Enabled
    title = "IPv4 without an address"
    messages = (("cli_inband",),)
    single = False

    def create(self, item: Ip4Enabled) -> Steps:
        """Switch it on, then remember."""
        yield from self._switch(item.interface, True)
        yield from note(self.link, item.interface, WORD, True)

    def delete(self, item: Ip4Enabled) -> Steps:
        """Switch it off."""
        yield from note(self.link, item.interface, WORD, False)
        yield from self._switch(item.interface, False)

    def _switch(self, interface: str, on: bool) -> Steps:
        known = self.link.interfaces[interface]
        try:
            for arc, feature, when_on in FEATURES:
                end = "" if when_on == on else " disable"
                yield "cli_inband", {"cmd": f"set interface feature {known.vpp_name} {feature} arc {arc}{end}"}
        except BackendError:
            if not self.link.connection.has("sw_interface_ip4_enable_disable"):
                raise
            yield "sw_interface_ip4_enable_disable", {"sw_if_index": known.index, "enable": on}

    def dump(self) -> Iterable[Ip4Enabled]:
        """Those that we switched on."""
        self.link.interfaces.refresh()
        for known in self.link.interfaces:
            if WORD in (known.words or ()):
                yield Ip4Enabled(known.name)
