"""Lists of Ethernet types that ports with ACLs let through beside IP (VPP's ethertype whitelist)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from vectorplane.backends.engine.interface import DELETED
from vectorplane.graph_nodes.acl.nonip import MOST_TYPES, TypeLists

if TYPE_CHECKING:
    from vectorplane.backends.engine.engine import Engine


class Whitelists:
    """The lists of an engine. As in VPP one is in force only while the port has ACLs of its direction."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lists: dict[tuple[int, bool], tuple[int, ...]] = {}
        """By interface and direction (True: input); none: everything passes."""
        self._on: set[tuple[int, bool]] = set()
        engine.interfaces.on_change.append(self._interface_changed)

    def set(self, sw_if_index: int, inputs: Sequence[int], outputs: Sequence[int]) -> None:
        """The types (0 to 65535) that pass; () lets all pass.

        Raises:
            KeyError: no such interface.
            ValueError: too many, or one is no type.
        """
        self._engine.interfaces[sw_if_index]
        for types in (inputs, outputs):
            if len(types) > MOST_TYPES:
                raise ValueError(f"{len(types)} Ethernet types: at most {MOST_TYPES} are possible")
            if not all(0 <= kind <= 0xFFFF for kind in types):
                raise ValueError("an Ethernet type is not within 0 to 0xffff")
        for is_input, types in ((True, inputs), (False, outputs)):
            key = (sw_if_index, is_input)
            table = self._engine.plane.shared(TypeLists)
            table.counts[int(is_input), sw_if_index] = 0  # everything passes while it changes
            table.types[int(is_input), sw_if_index, : len(types)] = types
            table.counts[int(is_input), sw_if_index] = len(types)
            if types:
                self._lists[key] = tuple(types)
            else:
                self._lists.pop(key, None)
            self._switch(*key)

    def of(self, sw_if_index: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """The types of input and of output."""
        return self._lists.get((sw_if_index, True), ()), self._lists.get((sw_if_index, False), ())

    def acls_applied(self, sw_if_index: int, is_input: bool, on: bool) -> None:
        """The port has ACLs of a direction now, or none any more."""
        if on:
            self._switch(sw_if_index, is_input)
        else:
            self._turn(sw_if_index, is_input, False)

    def _switch(self, sw_if_index: int, is_input: bool) -> None:
        acls = self._engine.acls.inputs if is_input else self._engine.acls.outputs
        self._turn(sw_if_index, is_input, (sw_if_index, is_input) in self._lists and bool(acls(sw_if_index)))

    def _turn(self, sw_if_index: int, is_input: bool, on: bool) -> None:
        if ((sw_if_index, is_input) in self._on) == on:
            return
        self._on ^= {(sw_if_index, is_input)}
        arc, node = ("l2-input-nonip", "in") if is_input else ("l2-output-nonip", "out")
        self._engine.l2_features.enable(arc, f"acl-plugin-{node}-nonip-l2", sw_if_index, on)

    def _interface_changed(self, sw_if_index: int, what: str) -> None:
        if what == DELETED:
            self.set(sw_if_index, (), ())
