"""NAT44: the plugin, its pools and what interfaces are to it; messages ``nat44_...``."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address
from typing import Any

from vectorplane.backends.base import BackendError
from vectorplane.backends.items import NAT_ROLES, Nat44, NatAddress, NatInterface, NatInterfaceAddress
from vectorplane.backends.vpp.kinds.kind import Kind, Steps
from vectorplane.backends.vpp.link import Link
from vectorplane.backends.vpp.values import interface_address_of

NONE = 0xFFFFFFFF
TWICE_NAT, SELF_TWICE_NAT, OUT2IN_ONLY, ADDR_ONLY, OUTSIDE, INSIDE = 1, 2, 4, 8, 16, 32


def vrf_of(table: int) -> int:
    """A table id, or ~0."""
    return NONE if table < 0 else table


class Nat44s(Kind[Nat44]):
    """See the module."""

    item = Nat44
    title = "NAT44"
    messages = (
        ("nat44_ed_plugin_enable_disable",),
        ("nat44_show_running_config",),
        ("nat44_forwarding_enable_disable",),
        ("nat_set_timeouts",),
        ("nat_set_mss_clamping",),
        ("nat_get_mss_clamping",),
    )
    single = False

    def create(self, item: Nat44) -> Steps:
        """On."""
        yield (
            "nat44_ed_plugin_enable_disable",
            {
                "enable": True,
                "inside_vrf": item.inside_table,
                "outside_vrf": item.outside_table,
                "sessions": item.sessions,
            },
        )
        yield from self.update(item, item)

    def update(self, old: Nat44, new: Nat44) -> Steps:
        """Other settings."""
        yield "nat44_forwarding_enable_disable", {"enable": new.forwarding}
        names = ("udp", "tcp_established", "tcp_transitory", "icmp")
        yield "nat_set_timeouts", dict(zip(names, new.timeouts, strict=True))
        yield "nat_set_mss_clamping", {"enable": new.mss != 0, "mss_value": new.mss}

    def delete(self, item: Nat44) -> Steps:
        """Off."""
        yield "nat44_ed_plugin_enable_disable", {"enable": False}

    def dump(self) -> Iterable[Nat44]:
        """It, when it is on: VPP then says how many sessions there may be."""
        connection = self.link.connection
        config = connection.finish(connection.send("nat44_show_running_config"))
        if config.sessions:
            mss = connection.finish(connection.send("nat_get_mss_clamping"))
            t = config.timeouts
            yield Nat44(
                config.inside_vrf,
                config.outside_vrf,
                config.sessions,
                bool(config.forwarding_enabled),
                t.udp,
                t.tcp_established,
                t.tcp_transitory,
                t.icmp,
                mss.mss_value if mss.enable else 0,
            )


class NatAddresses(Kind[NatAddress]):
    """See the module."""

    item = NatAddress
    title = "NAT addresses"
    messages = (("nat44_add_del_address_range",), ("nat44_address_dump",), ("nat44_interface_addr_dump",))

    def create(self, item: NatAddress) -> Steps:
        """One more."""
        yield self._message(item, True)

    def delete(self, item: NatAddress) -> Steps:
        """One less."""
        yield self._message(item, False)

    @staticmethod
    def _message(item: NatAddress, on: bool) -> Any:
        return "nat44_add_del_address_range", {
            "first_ip_address": item.address.packed,
            "last_ip_address": item.address.packed,
            "vrf_id": vrf_of(item.table),
            "is_add": on,
            "flags": TWICE_NAT if item.twice_nat else 0,
        }

    def dump(self) -> Iterable[NatAddress]:
        """All but those that are an interface's."""
        firsts = interface_addresses(self)
        for d in self.link.connection.details("nat44_address_dump"):
            address, twice = IPv4Address(bytes(d.ip_address)), bool(d.flags & TWICE_NAT)
            if d.vrf_id != NONE or (address, twice) not in firsts:
                yield NatAddress(address, -1 if d.vrf_id == NONE else d.vrf_id, twice)


def interface_addresses(kind: Kind[Any]) -> set[tuple[IPv4Address, bool]]:
    """The addresses (and of which pool) that are there because they are an interface's first."""
    found = set()
    for d in kind.link.connection.details("nat44_interface_addr_dump"):
        first = first_address(kind, d.sw_if_index)
        if first is not None:
            found.add((first, bool(d.flags & TWICE_NAT)))
    return found


def first_address(kind: Kind[Any], sw_if_index: int) -> IPv4Address | None:
    """The first IPv4 address of an interface."""
    for d in kind.link.connection.details("ip_address_dump", sw_if_index=sw_if_index, is_ipv6=False):
        return IPv4Address(interface_address_of(d.prefix).ip)
    return None


class NatInterfaceAddresses(Kind[NatInterfaceAddress]):
    """See the module."""

    item = NatInterfaceAddress
    title = "NAT addresses of interfaces"
    messages = (("nat44_add_del_interface_addr",), ("nat44_interface_addr_dump",))

    def create(self, item: NatInterfaceAddress) -> Steps:
        """It belongs to the pool."""
        yield self._message(item, True)

    def delete(self, item: NatInterfaceAddress) -> Steps:
        """Not any more."""
        yield self._message(item, False)

    def _message(self, item: NatInterfaceAddress, on: bool) -> Any:
        flags = TWICE_NAT if item.twice_nat else 0
        fields = {"is_add": on, "sw_if_index": self.index(item.interface), "flags": flags}
        return "nat44_add_del_interface_addr", fields

    def dump(self) -> Iterable[NatInterfaceAddress]:
        """All."""
        self.link.interfaces.refresh()
        for d in self.link.connection.details("nat44_interface_addr_dump"):
            name = self.link.interfaces.name(d.sw_if_index)
            if name is not None:
                yield NatInterfaceAddress(name, bool(d.flags & TWICE_NAT))


class NatInterfaces(Kind[NatInterface]):
    """See the module."""

    item = NatInterface
    title = "NAT interfaces"
    messages = (
        ("nat44_interface_add_del_feature",),
        ("nat44_interface_dump",),
        ("nat44_ed_add_del_output_interface",),
        ("nat44_ed_output_interface_get",),
    )
    single = False

    def create(self, item: NatInterface) -> Steps:
        """It has that role."""
        yield from self._change(item, True)

    def delete(self, item: NatInterface) -> Steps:
        """Not any more."""
        yield from self._change(item, False)

    def _change(self, item: NatInterface, on: bool) -> Steps:
        if item.role not in NAT_ROLES:
            raise BackendError(f"an interface is one of {', '.join(NAT_ROLES)} to NAT, not {item.role}")
        fields = {"sw_if_index": self.index(item.interface), "is_add": on}
        if item.role == "output":
            yield "nat44_ed_add_del_output_interface", fields
        for name, flag in (("inside", INSIDE), ("outside", OUTSIDE)):
            if item.role in (name, "both"):
                yield "nat44_interface_add_del_feature", fields | {"flags": flag}

    def dump(self) -> Iterable[NatInterface]:
        """All."""
        self.link.interfaces.refresh()
        names = {INSIDE: "inside", OUTSIDE: "outside", INSIDE | OUTSIDE: "both"}
        for d in self.link.connection.details("nat44_interface_dump"):
            name = self.link.interfaces.name(d.sw_if_index)
            if name is not None and d.flags in names:
                yield NatInterface(name, names[d.flags])
        for d in self.link.connection.details("nat44_ed_output_interface_get", cursor=0):
            name = self.link.interfaces.name(d.sw_if_index)
            if name is not None:
                yield NatInterface(name, "output")


def nat_interfaces(link: Link) -> set[int]:
    """VPP's numbers of the interfaces that are something to NAT; none when it has no NAT44."""
    connection = link.connection
    found: set[int] = set()
    if connection.has("nat44_interface_dump"):
        found |= {d.sw_if_index for d in connection.details("nat44_interface_dump")}
    if connection.has("nat44_ed_output_interface_get"):
        found |= {d.sw_if_index for d in connection.details("nat44_ed_output_interface_get", cursor=0)}
    return found
