"""Interfaces of the engine: names, addresses, state, sub-interfaces, and the nodes that each brings."""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import IPv4Interface
from typing import TYPE_CHECKING, Any

import numpy as np

from vectorplane.backends.engine.device import Device
from vectorplane.dataplane.interface import (
    ADMIN_UP,
    EXACT_MATCH,
    LINK_UP,
    PROMISCUOUS,
    SUB_INTERFACE,
)
from vectorplane.dataplane.region import Bump, Region
from vectorplane.graph_nodes.interface_output import OutputSlots

if TYPE_CHECKING:
    from vectorplane.backends.engine.engine import Engine

DEFAULT_MTU = 9000
INNER_ANY = 4095


def mac_bytes(text: str) -> bytes:
    """``02:fe:00:00:00:01`` as six bytes.

    Raises:
        ValueError: it is not a MAC address.
    """
    parts = text.replace("-", ":").split(":")
    if len(parts) != 6 or not all(len(p) in (1, 2) for p in parts):
        raise ValueError(f"{text!r} is not a MAC address")
    try:
        return bytes(int(p, 16) for p in parts)
    except ValueError:
        raise ValueError(f"{text!r} is not a MAC address") from None


def mac_text(mac: bytes) -> str:
    """Six bytes as ``02:fe:00:00:00:01``."""
    return mac.hex(":")


@dataclass
class Interface:
    """One software interface."""

    sw_if_index: int
    name: str
    mac: bytes
    device: Device
    sup: int
    addresses: list[IPv4Interface] = field(default_factory=list)
    tags: tuple[int, ...] = ()
    outer_type: int = 0x8100
    exact: bool = True
    default_subif: bool = False
    unnumbered: int | None = None


class Interfaces:
    """All interfaces of an engine, by sw_if_index."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._plane = engine.plane
        self.by_index: dict[int, Interface] = {}
        self._vlan_memory = Region(1 << 30, name="vlan tables")
        self._vlans = Bump(self._vlan_memory)

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

    def add(
        self,
        name: str,
        *,
        mac: bytes | None = None,
        device: Device | None = None,
        mtu: int = DEFAULT_MTU,
        promiscuous: bool = False,
    ) -> Interface:
        """A new interface, down, with its ``-output`` and ``-tx`` nodes.

        Raises:
            ValueError: the name is taken.
        """
        plane, graph = self._plane, self._plane.graph
        index = plane.add_interface(name)
        mac = mac or bytes.fromhex("02fe") + index.to_bytes(4, "big")
        device = device or Device()
        interface = Interface(index, name, mac, device, index)
        self.by_index[index] = interface
        record = self.record(index)
        record["mac"] = int.from_bytes(mac, "little")
        record["mtu"] = mtu
        record["flags"] = LINK_UP | (PROMISCUOUS if promiscuous else 0)
        output = graph.add(f"{name}-output", "interface-output-template")
        graph.add_next(output, f"{name}-tx", device.tx_node)
        record["output_node"] = output.index
        plane.shared(OutputSlots).set(index, output.name)
        plane.arcs["ip4-unicast"].enable(index, "ip4-not-enabled")
        plane.arcs["ip4-multicast"].enable(index, "ip4-not-enabled")
        device.attach(self._engine, index)
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
        sup = self[parent]
        tags = tags or (() if default else (sub_id,))
        for tag in tags:
            if not 0 <= tag <= INNER_ANY:
                raise ValueError(f"interface {sup.name}.{sub_id}: VLAN {tag} is not within 0 to 4095")
        for other in self.by_index.values():
            if other.sup == sup.sup and other.tags == tags and tags and other.outer_type == outer_type:
                raise ValueError(f"interface {sup.name}.{sub_id}: {other.name} has the same tags")
        index = self._plane.add_interface(f"{sup.name}.{sub_id}")
        sub = Interface(index, f"{sup.name}.{sub_id}", sup.mac, sup.device, sup.sup, tags=tags, outer_type=outer_type)
        sub.exact, sub.default_subif = exact, default
        self.by_index[index] = sub
        record, parent_record = self.record(index), self.record(sup.sw_if_index)
        for name in ("mac", "mtu", "output_node"):
            record[name] = parent_record[name]
        record["sup"] = sup.sw_if_index
        record["flags"] = LINK_UP | SUB_INTERFACE | (EXACT_MATCH if exact else 0)
        record["tag_count"] = len(tags)
        record["outer_type"] = outer_type
        record["device"] = 0  # the next sub-interface with the same outer VLAN
        if default:
            parent_record["default"] = index
        if tags:
            record["tags"] = tags[0] | (tags[1] << 16 if len(tags) > 1 else 0)
            table = self._vlan_table(parent_record)
            record["device"] = table[tags[0]]
            table[tags[0]] = index
        output = self._plane.graph.nodes[int(parent_record["output_node"])]
        self._plane.shared(OutputSlots).set(index, output.name)
        self._plane.arcs["ip4-unicast"].enable(index, "ip4-not-enabled")
        self._plane.arcs["ip4-multicast"].enable(index, "ip4-not-enabled")
        return sub

    def _vlan_table(self, parent_record: Any) -> Any:
        address = int(parent_record["vlans"])
        if not address:
            address = self._vlans.take(4 * 4096)
            parent_record["vlans"] = address
        return self._vlan_memory.view(np.dtype("i4"), address - self._vlan_memory.address, 4096)

    def set_up(self, sw_if_index: int, up: bool = True) -> None:
        """Administrative state."""
        record = self.record(sw_if_index)
        flags = int(record["flags"])
        record["flags"] = flags | ADMIN_UP if up else flags & ~ADMIN_UP
        self._engine.interface_changed(sw_if_index)

    def is_up(self, sw_if_index: int) -> bool:
        """Administratively up?"""
        return bool(int(self.record(sw_if_index)["flags"]) & ADMIN_UP)

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

    def set_mtu(self, sw_if_index: int, mtu: int) -> None:
        """Largest L3 packet, in bytes."""
        self.record(sw_if_index)["mtu"] = mtu
        self._engine.interface_changed(sw_if_index)

    def set_table(self, sw_if_index: int, table_id: int) -> None:
        """Put the interface into a table (VRF), which must exist.

        Raises:
            KeyError: no such table.
            ValueError: the interface has addresses; as in VPP they must go first.
        """
        self._engine.addresses.set_table(sw_if_index, table_id)

    def close(self) -> None:
        """Give the memory back."""
        self._vlan_memory.close()
