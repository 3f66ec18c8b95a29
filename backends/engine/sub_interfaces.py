"""VLAN sub-interfaces: which tagged frames are whose, in VPP's terms (its flags), and the tables that kernels read.

A frame belongs to the sub-interface with both its tags, else to that with its outer tag and any inner one, else to
that with its outer tag alone (for two tags: unless that is exact), else to the default one. Frames without tags are
always the interface's own: as in VPP no sub-interface can take them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from vectorplane.dataplane.interface import EXACT_MATCH, LINK_UP, SUB_INTERFACE
from vectorplane.dataplane.region import Bump, Region

if TYPE_CHECKING:
    from vectorplane.backends.engine.engine import Engine
    from vectorplane.backends.engine.interfaces import Interface

NO_TAGS, ONE_TAG, TWO_TAGS, DOT1AD, EXACT, DEFAULT, OUTER_ANY, INNER_ANY_FLAG = (1 << n for n in range(8))
"""VPP's flags of a sub-interface."""
INNER_ANY = 4095
"""As an inner VLAN id: any."""
_UNTAGGED = "untagged"


class SubInterfaceExists(ValueError):
    """The interface has a sub-interface with this number."""


class SubInterfaceRefused(ValueError):
    """Its frames are another one's, or there can be no sub-interface like that."""


def check_flags(flags: int) -> None:
    """Raise `SubInterfaceRefused` for what VPP does not take: both tags exactly, but one of them any."""
    if flags & TWO_TAGS and flags & EXACT and flags & (OUTER_ANY | INNER_ANY_FLAG):
        raise SubInterfaceRefused("inner-dot1q any exact-match is unsupported")


def slot_of(flags: int, outer: int, inner: int) -> tuple[int | str, ...]:
    """Which frames of its interface a sub-interface takes; one that is there has no other's.

    Raises:
        SubInterfaceRefused: VPP cannot do that either.
    """
    if flags & DEFAULT:
        return ("default",)
    if flags == 0 or flags & NO_TAGS:
        return (_UNTAGGED,)
    if not 0 <= outer <= 4095 or not 0 <= inner <= 4095:
        raise SubInterfaceRefused(f"VLAN {outer} or {inner} is not within 0 to 4095")
    kind = 0x88A8 if flags & DOT1AD else 0x8100
    if flags & OUTER_ANY and flags & (ONE_TAG | INNER_ANY_FLAG):
        raise SubInterfaceRefused("any outer VLAN is not implemented yet")
    if flags & ONE_TAG:
        return (kind, outer)
    return (kind, outer, INNER_ANY if flags & INNER_ANY_FLAG else inner)


class SubInterfaces:
    """The sub-interfaces of an engine, as the interfaces' part that knows about tags."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._memory = Region(1 << 30, name="vlan tables")
        self._tables = Bump(self._memory)
        self._slots: dict[tuple[int, tuple[int | str, ...]], int] = {}
        """By super-interface and what `slot_of` gives."""
        self._numbers: dict[int, dict[int, int]] = {}
        """By super-interface: sw_if_index by sub-interface number."""
        self._free_tables: list[int] = []

    def check(self, sup: Interface, sub_id: int, flags: int, outer: int, inner: int) -> tuple[int | str, ...]:
        """What a new sub-interface takes.

        Raises:
            SubInterfaceExists: there is one with this number.
            SubInterfaceRefused: see there.
        """
        name = f"{sup.name}.{sub_id}"
        if sub_id in self._numbers.get(sup.sw_if_index, {}):
            raise SubInterfaceExists(f"interface {name} exists")
        try:
            slot = slot_of(flags, outer, inner)
            if slot == (_UNTAGGED,) or (sup.sup, slot) in self._slots:
                raise SubInterfaceRefused("vlan is already in use")
            if not sup.device.ethernet:
                raise SubInterfaceRefused("the interface has no Ethernet frames")
        except SubInterfaceRefused as error:
            raise SubInterfaceRefused(f"interface {name}: {error}") from None
        return slot

    def of(self, sw_if_index: int) -> list[Interface]:
        """The sub-interfaces of an interface, by index."""
        by_index = self._engine.interfaces.by_index
        return [by_index[i] for i in sorted(self._numbers.get(sw_if_index, {}).values())]

    def join(self, sub: Interface, slot: tuple[int | str, ...]) -> None:
        """Fill the kernels' record of a new sub-interface, and let frames find it."""
        interfaces = self._engine.interfaces
        record, parent = interfaces.record(sub.sw_if_index), interfaces.record(sub.sup)
        record["mac"], record["output_node"] = parent["mac"], parent["output_node"]
        record["sup"] = sub.sup
        record["flags"] = LINK_UP | SUB_INTERFACE | (EXACT_MATCH if sub.sub_flags & EXACT else 0)
        record["device"] = 0  # the next sub-interface with the same outer VLAN
        self._slots[sub.sup, slot] = sub.sw_if_index
        self._numbers.setdefault(sub.sup, {})[sub.sub_id] = sub.sw_if_index
        if slot == ("default",):
            parent["default"] = sub.sw_if_index
            return
        tags = [int(tag) for tag in slot[1:]]
        record["outer_type"], record["tag_count"] = int(slot[0]), len(tags)
        record["tags"] = tags[0] | (tags[1] << 16 if len(tags) > 1 else 0)
        table = self._table(parent)
        record["device"] = table[tags[0]]
        table[tags[0]] = sub.sw_if_index

    def leave(self, sub: Interface) -> None:
        """No frame finds the sub-interface any more."""
        interfaces = self._engine.interfaces
        record, parent = interfaces.record(sub.sw_if_index), interfaces.record(sub.sup)
        del self._numbers[sub.sup][sub.sub_id]
        for key in [k for k, index in self._slots.items() if index == sub.sw_if_index]:
            del self._slots[key]
        if int(parent["default"]) == sub.sw_if_index:
            parent["default"] = -1
            return
        table, outer = self._table(parent), int(record["tags"]) & 0xFFFF
        if int(table[outer]) == sub.sw_if_index:
            table[outer] = record["device"]
            return
        at = int(table[outer])
        while at and int(interfaces.record(at)["device"]) != sub.sw_if_index:
            at = int(interfaces.record(at)["device"])
        if at:
            interfaces.record(at)["device"] = record["device"]

    def forget(self, sup: Interface) -> None:
        """The super-interface goes, its sub-interfaces have left: its table may be another's."""
        record = self._engine.interfaces.record(sup.sw_if_index)
        self._numbers.pop(sup.sw_if_index, None)
        if int(record["vlans"]):
            self._free_tables.append(int(record["vlans"]))
            record["vlans"] = 0

    def _table(self, parent: Any) -> Any:
        address = int(parent["vlans"])
        if not address:
            address = self._free_tables.pop() if self._free_tables else self._tables.take(4 * 4096)
            parent["vlans"] = address
        return self._memory.view(np.dtype("i4"), address - self._memory.address, 4096)

    def close(self) -> None:
        """Give the memory back."""
        self._memory.close()
