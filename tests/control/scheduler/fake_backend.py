"""A backend in memory that checks the order of operations by rules of its own, and fails when it is told to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from vectorplane.backends.base import BackendError, CannotUpdate, Disconnected, Operation
from vectorplane.backends.items import (
    Acl,
    AclBinding,
    Interface,
    InterfaceAddress,
    InterfaceTable,
    InterfaceUp,
    Item,
    Neighbour,
    ProxyArpRange,
    Route,
    SubInterface,
    Table,
    Unnumbered,
)
from vectorplane.control.descriptors import DESCRIPTORS


def needed(item: Item, items: dict[str, Item]) -> list[str]:
    """Keys that must be there before an item; ``items`` tells interfaces from sub-interfaces."""
    match item:
        case Table() | Interface() | Acl():
            return []
        case AclBinding():
            return [f"interface/{item.interface}", *(f"acl/{name}" for name in (*item.inputs, *item.outputs))]
        case SubInterface():
            return [f"interface/{item.parent}"]
        case Route():
            tables = [item.table, *(p.table for p in item.paths)]
            family = f"ip{item.prefix.version}"
            return [f"interface/{p.interface}" for p in item.paths if p.interface] + [
                f"table/{family}/{t}" for t in tables if t > 0
            ]
        case ProxyArpRange():
            return [f"table/ip4/{item.table}"] if item.table else []
        case InterfaceTable():
            table = f"table/{'ip6' if item.ip6 else 'ip4'}/{item.table}"
            return [f"interface/{item.interface}", table]
        case InterfaceUp():
            own = f"interface/{item.interface}"
            sub = items.get(own)
            return [own, f"interface/{sub.parent}/up"] if isinstance(sub, SubInterface) else [own]
        case Unnumbered():
            return [f"interface/{item.interface}", f"interface/{item.lender}"]
        case _:
            return [f"interface/{item.interface}"]


class FakeBackend:
    """``refuse``: numbers of operations (the next one is 0) that are refused, True: "try again later"."""

    name = "fake"

    def __init__(self) -> None:
        self.items: dict[str, Item] = {}
        self.foreign: set[str] = set()
        self.on_reconnect: Callable[[], None] | None = None
        self.on_event: Callable[[str, dict[str, Any]], None] | None = None
        self.refuse: dict[int, bool] = {}
        self.stubborn: set[str] = set()
        """Keys of items that can't be changed in place."""
        self.vanish: int | None = None
        """The number of the operation at which it goes away."""
        self.faults: dict[str, str] = {}
        """Why items that are there do not work."""
        self.away = False
        self.count = 0
        self.log: list[tuple[str, str]] = []
        self.sizes: list[int] = []
        self.violations: list[str] = []
        self.cascaded: set[str] = set()
        """What others made that went with what it stood on."""

    # --- what a test does to it

    def calm(self) -> None:
        """No failures any more."""
        self.refuse, self.vanish, self.stubborn = {}, None, set()

    def arm(self, refuse: dict[int, bool], vanish: int | None = None) -> None:
        """Fail at these operations, counted from now."""
        self.refuse, self.vanish, self.count = refuse, vanish, 0

    def come_back(self, empty: bool) -> None:
        """It was away; now it is back."""
        self.away, self.vanish = False, None
        if empty:
            self.items, self.foreign = {}, set()
        assert self.on_reconnect is not None
        self.on_reconnect()

    def others(self, item: Item) -> None:
        """Someone else makes an item."""
        self.items[item.key] = self.canonical(item)
        self.foreign.add(item.key)

    # --- the protocol

    def kinds(self) -> tuple[type[Item], ...]:
        return tuple(DESCRIPTORS)

    @contextmanager
    def batch(self) -> Iterator[None]:
        yield

    def create(self, item: Item) -> None:
        self._one(Operation("create", item))

    def update(self, old: Item, new: Item) -> None:
        self._one(Operation("update", new, old))

    def delete(self, item: Item) -> None:
        self._one(Operation("delete", item))

    def apply(self, operations: Sequence[Operation]) -> list[BackendError | None]:
        assert len({(o.verb, type(o.item)) for o in operations}) == 1
        self.sizes.append(len(operations))
        results: list[BackendError | None] = []
        for operation in operations:
            try:
                self._one(operation)
                results.append(None)
            except Disconnected:
                raise
            except BackendError as error:
                results.append(error)
        return results

    def canonical(self, item: Item) -> Item:
        """It can't hold names of tables."""
        return replace(item, name="") if isinstance(item, Table) else item

    def fault(self, item: Item) -> str:
        return self.faults.get(item.key, "")

    def dump(self, kind: type[Item]) -> Iterable[Item]:
        if self.away:
            raise Disconnected("not there")
        return [replace(i) for i in self.items.values() if type(i) is kind]

    def counters(self) -> dict[str, Any]:
        return {}

    def cli(self, line: str) -> str:
        raise BackendError("no command line")

    def close(self) -> None:
        pass

    # --- inner works

    def _one(self, operation: Operation) -> None:
        number, self.count = self.count, self.count + 1
        verb, item = operation.verb, operation.item
        if self.away:
            raise Disconnected("not there")
        if number == self.vanish:
            self.away = True
            if number % 2:
                self._do(verb, item, operation.old)  # it was carried out, but nobody is told
            raise Disconnected("the connection broke")
        if number in self.refuse:
            raise BackendError("refused", retry=self.refuse[number])
        if verb == "update" and item.key in self.stubborn:
            raise CannotUpdate("not in place")
        self._do(verb, item, operation.old)

    def _do(self, verb: str, item: Item, old: Item | None) -> None:
        self._check(verb, item, old)
        self.log.append((verb, item.key))
        if verb == "delete":
            self.items.pop(item.key, None)
            self.foreign.discard(item.key)
            for key in [k for k in self.foreign if item.key in needed(self.items[k], self.items)]:
                if key in self.items:
                    self.cascaded.add(key)
                    self._do("delete", self.items[key], None)
        else:
            self.items[item.key] = self.canonical(item)
            self.foreign.discard(item.key)

    def _check(self, verb: str, item: Item, old: Item | None) -> None:
        there = self.items.get(item.key)
        problem = ""
        if verb == "create" and there is not None:
            problem = "is there already"
        elif verb != "create" and there is None:
            problem = "is not there"
        elif old is not None and self.canonical(old) != there:
            problem = f"was {there}, not {old}"
        elif verb != "delete":
            missing = [k for k in needed(item, self.items) if k not in self.items]
            problem = f"needs {missing}" if missing else ""
        else:
            users = [k for k, i in self.items.items() if item.key in needed(i, self.items) and k not in self.foreign]
            problem = f"is needed by {users}" if users else ""
        if isinstance(item, InterfaceTable) and not problem:
            problem = self._table_problem(item)
        if isinstance(item, Unnumbered) and verb == "create" and not problem:
            lenders = [i for i in self.items.values() if isinstance(i, InterfaceAddress) and i.interface == item.lender]
            problem = "" if lenders else "nothing to borrow"
        if isinstance(item, Neighbour) and item.address.version == 6:
            problem = "no IPv6 neighbours"
        if problem:
            self.violations.append(f"{verb} {item.key} {problem}")
            raise BackendError(f"{item.key} {problem}")

    def _table_problem(self, item: InterfaceTable) -> str:
        for other in self.items.values():
            mine = isinstance(other, InterfaceAddress) and other.interface == item.interface
            mine = mine and (other.address.version == 6) == item.ip6  # type: ignore[union-attr]
            borrows = isinstance(other, Unnumbered) and item.interface in (other.interface, other.lender)
            if (mine or borrows) and other.key not in self.foreign:
                return f"while {other.key} is there"
        return ""
