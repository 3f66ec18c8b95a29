"""Interfaces of the engine: how they come and go, with the nodes that each brings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vectorplane.backends.engine import sub_interfaces
from vectorplane.backends.engine.device import Device
from vectorplane.backends.engine.interface import (
    ADDED,
    ADMIN,
    DEFAULT_MTU,
    DELETED,
    LINK,
    MTU_IP4,
    MTU_IP6,
    MTU_L3,
    MTU_MPLS,
    RENAMED,
    Interface,
    SuperInterfaceState,
    mac_bytes,
    mac_text,
)
from vectorplane.backends.engine.interface_removal import clear_out
from vectorplane.backends.engine.interface_state import InterfaceStates
from vectorplane.backends.engine.sub_interfaces import INNER_ANY
from vectorplane.dataplane.interface import CHECKSUM_OFFLOAD, CUTS_TCP, LOOPED, PROMISCUOUS
from vectorplane.graph_nodes.interface_output import OutputSlots

if TYPE_CHECKING:
    pass

__all__ = [
    "ADDED",
    "ADMIN",
    "DEFAULT_MTU",
    "DELETED",
    "INNER_ANY",
    "LINK",
    "MTU_IP4",
    "MTU_IP6",
    "MTU_L3",
    "MTU_MPLS",
    "RENAMED",
    "Interface",
    "Interfaces",
    "SuperInterfaceState",
    "mac_bytes",
    "mac_text",
]


class Interfaces(InterfaceStates):
    """All interfaces of an engine, by sw_if_index.

    ``on_change`` holds callbacks ``(sw_if_index, what)`` with `ADDED`, `ADMIN`, `LINK`, `RENAMED` or `DELETED`. The
    last one comes while the interface is still there: who keeps something for it lets go of it then.
    """

    def add(
        self,
        name: str,
        *,
        mac: bytes | None = None,
        device: Device | None = None,
        mtu: int | None = None,
        promiscuous: bool = False,
    ) -> Interface:
        """A new interface, down, with its ``-output`` and ``-tx`` nodes.

        Raises:
            ValueError: the name is taken.
            Exception: what the device raises when it cannot be attached; there is no interface then.
        """
        plane, graph = self._plane, self._plane.graph
        index = plane.add_interface(name)
        device = device or Device()
        if mac is None or not device.ethernet:
            mac = device.default_mac(index, name)
        link_mtu = device.default_mtu if device.link_mtu is None else device.link_mtu
        interface = Interface(index, name, mac, device, index, link_mtu=link_mtu)
        self.by_index[index] = interface
        record = self.record(index)
        record["mac"] = int.from_bytes(mac, "little")
        record["flags"] = (
            (PROMISCUOUS if promiscuous else 0)
            | (LOOPED if device.looped or device.output_node is not None else 0)
            | (CHECKSUM_OFFLOAD if device.checksum_offload else 0)
            | (CUTS_TCP if device.cuts_tcp else 0)
        )
        if device.output_node is not None:
            output = graph.add(device.output_node)
        else:
            self._use_nodes_again(name, device)
            output = graph.add(f"{name}-output", "interface-output-template")
            graph.add_next(output, f"{name}-tx", device.tx_node)
        record["output_node"] = output.index
        self._joined(interface, device.default_mtu if mtu is None else mtu, output.name)
        self.tell(index, ADDED)
        try:
            device.attach(self._engine, index)
        except BaseException:
            clear_out(self._engine, interface)
            raise
        return interface

    def add_sub(
        self,
        parent: str | int,
        sub_id: int,
        *,
        tags: tuple[int, ...] = (),
        outer_type: int = 0x8100,
        exact: bool = True,
        default: bool = False,
    ) -> Interface:
        """A VLAN sub-interface ``parent.sub_id``: one or two tags (the inner one may be `INNER_ANY`), or default.

        Raises:
            ValueError: a VLAN id out of range, or the same tags twice.
        """
        flags = sub_interfaces.EXACT if exact else 0
        if default:
            return self._new_sub(parent, sub_id, flags | sub_interfaces.DEFAULT, 0, 0)
        tags = tags or (sub_id,)
        flags |= sub_interfaces.ONE_TAG if len(tags) == 1 else sub_interfaces.TWO_TAGS
        flags |= sub_interfaces.INNER_ANY_FLAG if tags[1:] == (INNER_ANY,) else 0
        flags |= sub_interfaces.DOT1AD if outer_type == 0x88A8 else 0
        return self._new_sub(parent, sub_id, flags, tags[0], tags[1] if len(tags) > 1 else 0)

    def create_sub(self, parent: str | int, sub_id: int, flags: int, outer: int = 0, inner: int = 0) -> Interface:
        """A sub-interface ``parent.sub_id``, down; ``flags`` as in VPP's ``create_subif``.

        Raises:
            KeyError: no such parent.
            SubInterfaceExists, SubInterfaceRefused: see there.
        """
        sub_interfaces.check_flags(flags)
        return self._new_sub(parent, sub_id, flags, outer, inner)

    def _new_sub(self, parent: str | int, sub_id: int, flags: int, outer: int, inner: int) -> Interface:
        sup = self[self[parent].sup]
        slot = self.subs.check(sup, sub_id, flags, outer, inner)
        index = self._plane.add_interface(f"{sup.name}.{sub_id}")
        sub = Interface(index, f"{sup.name}.{sub_id}", sup.mac, sup.device, sup.sw_if_index, link_mtu=sup.link_mtu)
        sub.sub_id, sub.sub_flags, sub.outer_vlan, sub.inner_vlan = sub_id, flags, outer, inner
        self.by_index[index] = sub
        self.subs.join(sub, slot)
        self._joined(sub, 0, self._plane.graph.nodes[int(self.record(index)["output_node"])].name)
        self.tell(index, ADDED)
        return sub

    def remove(self, sw_if_index: int) -> None:
        """Remove an interface with its sub-interfaces and everything that is kept for it.

        Raises:
            KeyError: no such interface.
        """
        interface = self[sw_if_index]
        if interface.is_sub:
            clear_out(self._engine, interface)
            return
        for sub in self.subs.of(sw_if_index):
            clear_out(self._engine, sub)
        clear_out(self._engine, interface)
        interface.device.close()

    def rename(self, sw_if_index: int, name: str) -> None:
        """Give an interface, its nodes and its sub-interfaces another name. Raises `KeyError`, `ValueError`."""
        interface = self[sw_if_index]
        self._plane.interfaces.rename(sw_if_index, name)
        if not interface.is_sub:
            for end in ("output", "tx") if interface.device.output_node is None else ():
                self._set_aside(f"{name}-{end}")
                self._plane.graph.rename(self._plane.graph[f"{interface.name}-{end}"], f"{name}-{end}")
            for sub in self.subs.of(sw_if_index):
                self.rename(sub.sw_if_index, f"{name}.{sub.sub_id}")
        interface.name = name
        self.tell(sw_if_index, RENAMED)

    def set_table(self, sw_if_index: int, table_id: int) -> None:
        """Put the interface into a table (VRF), which must exist.

        Raises:
            KeyError: no such table.
            ValueError: the interface has addresses; as in VPP they must go first.
        """
        self._engine.addresses.set_table(sw_if_index, table_id)

    def close(self) -> None:
        """Give the memory back."""
        self.subs.close()

    # --- inner works

    def _joined(self, interface: Interface, mtu: int, output: str) -> None:
        index = interface.sw_if_index
        self._write_mtus(index, (mtu, 0, 0, 0))
        self._plane.shared(OutputSlots).set(index, output)
        self._plane.arcs["ip4-unicast"].enable(index, "ip4-not-enabled")
        self._plane.arcs["ip4-multicast"].enable(index, "ip4-not-enabled")

    def _use_nodes_again(self, name: str, device: Device) -> None:
        """The nodes of an interface that had this name are taken again, unless they are of another kind."""
        graph = self._plane.graph
        if f"{name}-tx" in graph and graph[f"{name}-tx"].type.name != device.tx_node:
            for end in ("output", "tx"):
                self._set_aside(f"{name}-{end}")

    def _set_aside(self, node: str) -> None:
        """Nodes cannot leave the graph: one that has no interface any more gets a name that says so."""
        graph = self._plane.graph
        if node in graph:
            end = node.rpartition("-")[2]
            graph.rename(graph[node], f"interface-{graph[node].index}-{end}-deleted")
