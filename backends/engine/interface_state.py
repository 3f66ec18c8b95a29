"""The state of interfaces: up or down, link, MAC addresses, sizes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from vectorplane.backends.engine.interface import (
    ADMIN,
    DEFAULT_MTU,
    LINK,
    MTU_IP4,
    MTU_L3,
    Interface,
    SuperInterfaceState,
)
from vectorplane.backends.engine.sub_interfaces import SubInterfaces
from vectorplane.dataplane.interface import ADMIN_UP, LINK_UP, PROMISCUOUS

if TYPE_CHECKING:
    from vectorplane.backends.engine.engine import Engine

_LONGEST = 65535
"""No IP packet is longer."""


class InterfaceStates:
    """The interfaces of an engine and their state; `Interfaces` lets them come and go."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._plane = engine.plane
        self.by_index: dict[int, Interface] = {}
        self.subs = SubInterfaces(engine)
        self.on_change: list[Callable[[int, str], None]] = []

    def __getitem__(self, key: int | str) -> Interface:
        """An interface by sw_if_index or by name.

        Raises:
            KeyError: there is none.
        """
        index = self._plane.interfaces.by_name.get(key) if isinstance(key, str) else key
        if index is None or index not in self.by_index:
            raise KeyError(f"no interface {key}")
        return self.by_index[index]

    def record(self, sw_if_index: int) -> Any:
        """The kernels' record (`vectorplane.dataplane.interface.INTERFACE`)."""
        return self._plane.interfaces.records[sw_if_index]

    def tell(self, sw_if_index: int, what: str) -> None:
        """Call who wants to know of changes."""
        for callback in list(self.on_change):
            callback(sw_if_index, what)

    # --- state

    def set_up(self, sw_if_index: int, up: bool = True) -> None:
        """Administrative state. The link of an interface is down while it is down itself."""
        interface, record = self[sw_if_index], self.record(sw_if_index)
        flags = int(record["flags"])
        if bool(flags & ADMIN_UP) == up:
            return
        link = interface.is_sub or (up and interface.device.carrier())
        record["flags"] = flags & ~(ADMIN_UP | LINK_UP) | (ADMIN_UP if up else 0) | (LINK_UP if link else 0)
        self._engine.interface_changed(sw_if_index)
        self.tell(sw_if_index, ADMIN)
        if not interface.is_sub and bool(flags & LINK_UP) != link:
            self.tell(sw_if_index, LINK)

    def set_state(self, sw_if_index: int, up: bool) -> None:
        """As `set_up`, refusing what VPP refuses.

        Raises:
            SuperInterfaceState: a sub-interface is to be up, its super-interface is down.
        """
        interface = self[sw_if_index]
        if up and interface.is_sub and not self.is_up(interface.sup):
            raise SuperInterfaceState(f"super-interface {self[interface.sup].name} must be up")
        self.set_up(sw_if_index, up)

    def set_link(self, sw_if_index: int, up: bool) -> None:
        """The link of an interface (of a sub-interface: of its super-interface) comes or goes."""
        index = self[sw_if_index].sup
        record = self.record(index)
        flags = int(record["flags"])
        if bool(flags & LINK_UP) == up:
            return
        record["flags"] = flags | LINK_UP if up else flags & ~LINK_UP
        self._engine.interface_changed(index)
        self.tell(index, LINK)

    def is_up(self, sw_if_index: int) -> bool:
        """Administratively up?"""
        return bool(int(self.record(sw_if_index)["flags"]) & ADMIN_UP)

    def link_is_up(self, sw_if_index: int) -> bool:
        """Is there a link (at the super-interface of a sub-interface)?"""
        return bool(int(self.record(self[sw_if_index].sup)["flags"]) & LINK_UP)

    def set_promiscuous(self, sw_if_index: int, on: bool) -> None:
        """Take frames for all addresses, or for the interface's own only."""
        record = self.record(self[sw_if_index].sup)
        flags = int(record["flags"])
        record["flags"] = flags | PROMISCUOUS if on else flags & ~PROMISCUOUS
        self[sw_if_index].device.promiscuous_changed()

    def set_mac(self, sw_if_index: int, mac: bytes) -> None:
        """Change an interface's MAC address, and that of its sub-interfaces.

        Raises:
            KeyError: no such interface.
            ValueError: not six bytes; a sub-interface, or one without Ethernet (as in VPP).
        """
        interface = self[sw_if_index]
        if len(mac) != 6:
            raise ValueError(f"a MAC address has 6 bytes, not {len(mac)}")
        if interface.is_sub or not interface.device.ethernet:
            raise ValueError(f"the MAC address of {interface.name} cannot be changed")
        old = interface.mac
        for each in (interface, *self.subs.of(sw_if_index)):
            each.mac = mac
            self.record(each.sw_if_index)["mac"] = int.from_bytes(mac, "little")
        interface.device.mac_changed(mac)
        self._engine.bridges.mac_changed(sw_if_index, old, mac)
        self._engine.interface_changed(sw_if_index)

    def enable_ip4(self, sw_if_index: int, on: bool = True) -> None:
        """Let the interface take IPv4 packets (it has an address, or was told to): counted."""
        record = self.record(sw_if_index)
        count = int(record["ip4_enabled"]) + (1 if on else -1)
        record["ip4_enabled"] = count
        if (count == 1 and on) or (count == 0 and not on):
            for arc in ("ip4-unicast", "ip4-multicast"):
                self._plane.arcs[arc].enable(sw_if_index, "ip4-not-enabled", not on)
            self._plane.arcs["arp"].enable(sw_if_index, "arp-reply", on)
            self._plane.arcs["arp"].enable(sw_if_index, "arp-disabled", not on)

    # --- sizes

    def mtus(self, sw_if_index: int) -> tuple[int, int, int, int]:
        """L3, IPv4, IPv6 and MPLS MTU as they were told; 0: none of its own."""
        l3, ip4, ip6, mpls = self._plane.interfaces.mtus[sw_if_index]
        return l3, ip4, ip6, mpls

    def mtu_of(self, sw_if_index: int, protocol: int = MTU_IP4) -> int:
        """The largest packet of a protocol (`MTU_IP4` ...) that the interface lets through, in bytes."""
        told = self._plane.interfaces.mtus[sw_if_index]
        usual = min(self[sw_if_index].link_mtu or DEFAULT_MTU, DEFAULT_MTU)
        return told[protocol] or told[MTU_L3] or usual

    def set_mtu(self, sw_if_index: int, mtu: int) -> None:
        """Largest L3 packet, in bytes."""
        self.set_mtus(sw_if_index, (mtu, *self.mtus(sw_if_index)[1:]))

    def set_mtus(self, sw_if_index: int, mtus: Sequence[int]) -> None:
        """L3, IPv4, IPv6 and MPLS MTU; 0: none of its own."""
        if tuple(mtus) != self.mtus(sw_if_index):
            self._write_mtus(sw_if_index, mtus)
            self._engine.interface_changed(sw_if_index)

    def set_link_mtu(self, sw_if_index: int, mtu: int) -> None:
        """Largest frame of the device, less 22 bytes; the L3 MTU of the interface and its sub-interfaces follows.

        Raises:
            KeyError: no such interface.
            ValueError: the device's frames have one size.
        """
        interface = self[sw_if_index]
        if mtu == interface.link_mtu:
            return
        if interface.is_sub or not interface.device.frame_size_can_change:
            raise ValueError(f"{interface.name}: underlying driver doesn't support changing Max Frame Size")
        for each in (interface, *self.subs.of(sw_if_index)):
            each.link_mtu = mtu
            self.set_mtu(each.sw_if_index, mtu)

    def follow_link_mtu(self, sw_if_index: int, mtu: int) -> None:
        """The device's own MTU is another one now: the interface and its sub-interfaces have it, unless told others."""
        device = self[sw_if_index].device
        for each in (self[sw_if_index], *self.subs.of(sw_if_index)):
            each.link_mtu = mtu
            l3, *others = self.mtus(each.sw_if_index)
            self._write_mtus(each.sw_if_index, (mtu if l3 == device.default_mtu else l3, *others))
            self._engine.interface_changed(each.sw_if_index)
        device.default_mtu = mtu

    # --- inner works

    def _write_mtus(self, sw_if_index: int, mtus: Sequence[int]) -> None:
        self._plane.interfaces.mtus[sw_if_index] = list(mtus)
        self.record(sw_if_index)["mtu"] = min(self.mtu_of(sw_if_index), _LONGEST)
