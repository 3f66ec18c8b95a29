"""MACIP lists of an engine, and on which interfaces they apply (VPP's acl plugin)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vectorplane.backends.engine.acl.macip_rule import MacipRule
from vectorplane.backends.engine.acl.users import Users
from vectorplane.backends.engine.interface import DELETED
from vectorplane.backends.engine.slots import Slots
from vectorplane.graph_nodes.acl.macip import MacipLists
from vectorplane.graph_nodes.acl.macip_table import MacipTable
from vectorplane.graph_nodes.l2.features import ACL, OUT_ACL

if TYPE_CHECKING:
    from vectorplane.backends.engine.engine import Engine


@dataclass(frozen=True, slots=True)
class Macip:
    """One list."""

    index: int
    tag: str
    rules: tuple[MacipRule, ...]


class MacipNotThere(KeyError):
    """No MACIP list has this number."""

    def __str__(self) -> str:
        return str(self.args[0])


class Macips:
    """The lists of an engine. An interface has at most one."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lists: dict[int, Macip] = {}
        self._slots = Slots()
        self._tables: dict[int, MacipTable] = {}
        self._on: dict[int, int] = {}
        """List by interface."""
        self._users = Users()
        self._switched: set[tuple[int, bool]] = set()
        """Interfaces and directions (True: input) whose nodes are on."""
        self._seen = 0
        self.reach = 0
        """One more than the highest number of a list that ever applied (see `reach.Reach`)."""
        engine.interfaces.on_change.append(self._interface_changed)

    def add_replace(self, index: int | None, tag: str, rules: Sequence[MacipRule]) -> int:
        """Make a list, or give one other rules at once wherever it applies; gives its number.

        Raises:
            MacipNotThere: there is none with the number ``index``.
        """
        if index is None:
            index = self._slots.take()
        elif index not in self._lists:
            raise MacipNotThere(f"there is no MACIP list {index}")
        before = self._tables.get(index)
        self._lists[index] = Macip(index, tag, tuple(rules))
        self._tables[index] = MacipTable(rules)
        for sw_if_index, applied in self._on.items():
            if applied == index:
                self._write(sw_if_index)
        if before is not None:
            self._engine.plane.epochs.retire(before.close)
        return index

    def delete(self, index: int) -> None:
        """Forget a list; interfaces that have it have none any more. Raises `MacipNotThere`."""
        self[index]
        for sw_if_index in [i for i, applied in self._on.items() if applied == index]:
            self.remove(sw_if_index)
        del self._lists[index]
        self._slots.give(index)
        self._engine.plane.epochs.retire(self._tables.pop(index).close)

    def __getitem__(self, index: int) -> Macip:
        """The list with this number. Raises `MacipNotThere`."""
        try:
            return self._lists[index]
        except KeyError:
            raise MacipNotThere(f"there is no MACIP list {index}") from None

    def __iter__(self) -> Iterator[Macip]:
        """All, by number."""
        for index in sorted(self._lists):
            yield self._lists[index]

    def apply(self, sw_if_index: int, index: int) -> None:
        """Check what an interface receives. Raises `MacipNotThere`, and `KeyError`: no such interface."""
        self[index]
        self._engine.interfaces[sw_if_index]
        self._use(sw_if_index, [index])
        self._on[sw_if_index] = index
        self.reach = max(self.reach, index + 1)
        self._seen = max(self._seen, sw_if_index + 1)
        self._write(sw_if_index)

    def remove(self, sw_if_index: int) -> None:
        """Check nothing any more. Raises `KeyError`: the interface has no list."""
        if sw_if_index not in self._on:
            raise KeyError(f"interface {sw_if_index} has no MACIP list")
        self._use(sw_if_index, [])
        del self._on[sw_if_index]
        self._write(sw_if_index)

    def of(self, sw_if_index: int) -> int | None:
        """The list of an interface."""
        return self._on.get(sw_if_index)

    def applied(self, index: int) -> list[int]:
        """The interfaces that have a list, in VPP's order (`Users`)."""
        return self._users.of(index)

    def by_interface(self) -> list[int | None]:
        """The list of each interface by its number, up to the last one that ever had one."""
        return [self._on.get(i) for i in range(self._seen)]

    def joins_l2(self, sw_if_index: int) -> None:
        """The interface is a port now, or another one: its bits are gone."""
        for is_input in (True, False):
            if (sw_if_index, is_input) in self._switched:
                self._bits(sw_if_index, is_input, True)

    def _use(self, sw_if_index: int, now: list[int]) -> None:
        before = self._on.get(sw_if_index)
        self._users.change(sw_if_index, [] if before is None else [before], now)

    def _write(self, sw_if_index: int) -> None:
        index = self._on.get(sw_if_index)
        table = None if index is None else self._tables[index]
        lists = self._engine.plane.shared(MacipLists).lists
        for is_input in (True, False):
            on = table is not None and not table.is_empty and (is_input or table.checks_output)
            if on and table is not None:
                lists[int(is_input), sw_if_index] = table.address
            if on != ((sw_if_index, is_input) in self._switched):
                self._switched ^= {(sw_if_index, is_input)}
                self._switch(sw_if_index, is_input, on)
            if not on:
                lists[int(is_input), sw_if_index] = 0

    def _switch(self, sw_if_index: int, is_input: bool, on: bool) -> None:
        arcs = self._engine.plane.arcs
        if is_input:
            arcs["ip4-unicast"].enable(sw_if_index, "ip4-inacl", on)
            arcs["ip6-unicast"].enable(sw_if_index, "ip6-inacl", on)
        else:
            arcs["ip4-output"].enable(sw_if_index, "ip4-outacl", on)
            self._engine.routes.features_changed(sw_if_index)
        self._bits(sw_if_index, is_input, on)

    def _bits(self, sw_if_index: int, is_input: bool, on: bool) -> None:
        bridges = self._engine.bridges
        if is_input:
            bridges.set_port_features(sw_if_index, ACL, on)
        else:
            bridges.set_output_features(sw_if_index, OUT_ACL, on)

    def _interface_changed(self, sw_if_index: int, what: str) -> None:
        if what == DELETED and sw_if_index in self._on:
            self.remove(sw_if_index)
