"""What interfaces are to NAT44: inside, outside, both, or with NAT as a feature of what they send."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vectorplane.backends.engine.interface import DELETED
from vectorplane.backends.engine.nat44.errors import NoSuchEntry, ValueExists
from vectorplane.backends.engine.nat44.order import PoolList, take_out
from vectorplane.graph_nodes.nat44.counters import NatCounters

if TYPE_CHECKING:
    from vectorplane.backends.engine.engine import Engine
    from vectorplane.backends.engine.nat44.nat44 import Nat44

INSIDE, OUTSIDE = 1, 2
_PRE = {INSIDE: "nat-pre-in2out", OUTSIDE: "nat-pre-out2in"}
_HANDOFF = {INSIDE: "nat44-in2out-worker-handoff", OUTSIDE: "nat44-out2in-worker-handoff"}


class NatInterfaces:
    """See the module's docstring."""

    def __init__(self, engine: Engine, nat: Nat44) -> None:
        self._engine, self._nat = engine, nat
        self._order: PoolList[int] = PoolList()
        self._roles: dict[int, int] = {}
        self.outputs: PoolList[int] = PoolList()
        """Those with NAT as an output feature, in VPP's order."""
        self._fib_users: dict[int, int] = {}
        self._outside_fibs: list[int] = []
        self._outside_users: dict[int, int] = {}
        engine.interfaces.on_change.append(self._interface_changed)
        engine.addresses.on_table_change.append(self.table_changed)
        engine.addresses.on_lender_change.append(self.addresses_changed)
        engine.tables.on_removal.append(self.fib_is_unused)

    @property
    def _several(self) -> bool:
        return len(self._engine.plane.workers) > 1

    @property
    def roles(self) -> dict[int, int]:
        """By sw_if_index, in VPP's order: `INSIDE`, `OUTSIDE` or both."""
        return {i: self._roles[i] for i in self._order}

    def outside(self) -> list[int]:
        """All that are outside, those of the output feature last."""
        return [*self._of_role(OUTSIDE), *self.outputs]

    def _of_role(self, role: int) -> list[int]:
        return [i for i in self._order if self._roles[i] & role]

    def uses(self, sw_if_index: int) -> bool:
        """Does NAT need shallow reassembly of what the interface receives?"""
        return sw_if_index in self._roles or sw_if_index in self.outputs

    def add(self, sw_if_index: int, is_inside: bool) -> None:
        """The interface is inside (outside), too.

        Raises:
            Unsupported: NAT is off.
            ValueExists: NAT is an output feature of it.
            KeyError: there is no such interface.
        """
        self._nat.need_enabled()
        self._engine.interfaces[sw_if_index]
        if sw_if_index in self.outputs:
            raise ValueExists("NAT is an output feature of the interface")
        role = INSIDE if is_inside else OUTSIDE
        had = self._roles.get(sw_if_index, 0)
        if had & role:
            return
        if not had:
            self._engine.plane.shared(NatCounters).clear(sw_if_index)
        self._engine.sv_reassembly.use(sw_if_index)
        if had:
            self._feature(sw_if_index, self._node(had), False)
        self._feature(sw_if_index, self._node(had | role), True)
        self._roles[sw_if_index] = had | role
        if not had:
            self._order.enter(sw_if_index)
        self._joined(sw_if_index, not is_inside)

    def delete(self, sw_if_index: int, is_inside: bool) -> None:
        """It is not any more; as in VPP, what an interface with one role is asked to lose is that role.

        Raises:
            Unsupported: NAT is off.
            NoSuchEntry: it was neither.
        """
        self._nat.need_enabled()
        had = self._roles.get(sw_if_index)
        if had is None:
            raise NoSuchEntry("the interface is neither inside nor outside of NAT")
        self._engine.sv_reassembly.use(sw_if_index, False)
        self._feature(sw_if_index, self._node(had), False)
        role = INSIDE if is_inside else OUTSIDE
        if had == INSIDE | OUTSIDE:
            self._roles[sw_if_index] = had & ~role
            self._feature(sw_if_index, self._node(had & ~role), True)
        else:
            role = had
            del self._roles[sw_if_index]
            self._order.leave(sw_if_index)
        self._left(sw_if_index, role == OUTSIDE)

    def add_output(self, sw_if_index: int) -> None:
        """NAT is a feature of what the interface sends.

        Raises:
            Unsupported: NAT is off.
            ValueExists: the interface has a role already.
            KeyError: there is no such interface.
        """
        self._nat.need_enabled()
        self._engine.interfaces[sw_if_index]
        if self.uses(sw_if_index):
            raise ValueExists("the interface has a role in NAT already")
        self._engine.sv_reassembly.use(sw_if_index)
        self._engine.sv_reassembly.use(sw_if_index, output=True)
        self._output_features(sw_if_index, True)
        self._engine.plane.shared(NatCounters).clear(sw_if_index)
        self.outputs.enter(sw_if_index)
        self._joined(sw_if_index, True)

    def delete_output(self, sw_if_index: int) -> None:
        """It is not any more.

        Raises:
            Unsupported: NAT is off.
            NoSuchEntry: it was not.
        """
        self._nat.need_enabled()
        if sw_if_index not in self.outputs:
            raise NoSuchEntry("NAT is no output feature of the interface")
        self._engine.sv_reassembly.use(sw_if_index, False)
        self._engine.sv_reassembly.use(sw_if_index, False, output=True)
        self._output_features(sw_if_index, False)
        self.outputs.leave(sw_if_index)
        self._left(sw_if_index, True)

    def clear(self) -> None:
        """All roles go."""
        for sw_if_index in list(self._order):
            self._forget(sw_if_index)
        for sw_if_index in list(self.outputs):
            self.delete_output(sw_if_index)
        self._order, self.outputs = PoolList(), PoolList()
        self._fib_users.clear()

    def _forget(self, sw_if_index: int) -> None:
        for is_inside in (True, False):
            if self._roles.get(sw_if_index, 0) & (INSIDE if is_inside else OUTSIDE):
                self.delete(sw_if_index, is_inside)

    # --- what follows from it

    def _node(self, role: int) -> str:
        if role == INSIDE | OUTSIDE:
            return "nat44-handoff-classify" if self._several else "nat44-ed-classify"
        return (_HANDOFF if self._several else _PRE)[role]

    def _feature(self, sw_if_index: int, node: str, on: bool) -> None:
        self._engine.plane.arcs["ip4-unicast"].enable(sw_if_index, node, on)

    def _output_features(self, sw_if_index: int, on: bool) -> None:
        self._feature(sw_if_index, self._node(OUTSIDE), on)
        node = "nat44-in2out-output-worker-handoff" if self._several else "nat-pre-in2out-output"
        self._engine.plane.arcs["ip4-output"].enable(sw_if_index, node, on)
        self._engine.routes.features_changed(sw_if_index)

    def _joined(self, sw_if_index: int, outside: bool) -> None:
        fib = self._engine.addresses.fib_of(sw_if_index)
        self._fib_users[fib] = self._fib_users.get(fib, 0) + 1
        if outside:
            self._add_outside_user(fib)
            for entry in self._nat.addresses.pool(False):
                self._nat.routes.use(entry.address, sw_if_index)
            for address in self._nat.mappings.received():
                self._nat.routes.use(address, sw_if_index)
        self._write()
        self._write_addresses(sw_if_index)
        if outside:
            self._nat.addresses.bind_all(sw_if_index)

    def _left(self, sw_if_index: int, outside: bool) -> None:
        fib = self._engine.addresses.fib_of(sw_if_index)
        if outside:
            self._drop_outside_user(fib)
            for entry in self._nat.addresses.pool(False):
                self._nat.routes.leave(entry.address, sw_if_index)
            for address in self._nat.mappings.received():
                self._nat.routes.leave(address, sw_if_index)
        self._write()
        if not self.uses(sw_if_index):
            self._nat.tables.set_interface_addresses(sw_if_index, [])
        if fib in self._fib_users:  # as in VPP an interface stays counted where it joined when it changes its table
            self._fib_users[fib] -= 1
            if not self._fib_users[fib]:
                del self._fib_users[fib]
                self.fib_is_unused(fib)

    def fib_is_unused(self, fib: int) -> None:
        """NAT has no interface in a FIB any more, or it goes: sessions of it end."""
        if self._nat.enabled:
            self._nat.sessions.end(lambda s: (s.in_fib == fib) | (s.out_fib == fib))

    def _add_outside_user(self, fib: int) -> None:
        users = self._outside_users.get(fib, 0)
        self._outside_users[fib] = users + 1
        if not users:
            self._outside_fibs.append(fib)

    def _drop_outside_user(self, fib: int) -> None:
        users = self._outside_users.get(fib, 0) - 1
        if users > 0:
            self._outside_users[fib] = users
        elif self._outside_users.pop(fib, None) is not None:
            take_out(self._outside_fibs, self._outside_fibs.index(fib))

    def _write(self) -> None:
        tables = self._nat.tables
        tables.set_outside_interfaces(self._of_role(OUTSIDE))
        tables.set_output_interfaces(self.outputs)
        tables.set_outside_fibs(self._outside_fibs)

    def _write_addresses(self, sw_if_index: int) -> None:
        own = [int(a) for a in self._engine.addresses.of(sw_if_index)]
        self._nat.tables.set_interface_addresses(sw_if_index, own)

    def addresses_changed(self, sw_if_index: int) -> None:
        """The own addresses of an interface, or of those that borrow them, are others."""
        for index in (*self._order, *self.outputs):
            if sw_if_index in (index, self._engine.interfaces[index].unnumbered):
                self._write_addresses(index)

    def table_changed(self, sw_if_index: int, old: int, new: int) -> None:
        """An interface moved from one FIB to another."""
        if self._nat.enabled and old != new and sw_if_index in self.outside():
            self._drop_outside_user(old)
            self._add_outside_user(new)
            self._write()

    def _interface_changed(self, sw_if_index: int, what: str) -> None:
        if what != DELETED or not self._nat.enabled:
            return
        self._forget(sw_if_index)
        if sw_if_index in self.outputs:
            self.delete_output(sw_if_index)
