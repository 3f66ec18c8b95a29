"""All objects by kind and name, who wants to know when one changes, and indices that follow them."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import Any, Generic, TypeVar

from vectorplane.control.cluster.kube.model.base import KubeObject, Ref
from vectorplane.control.cluster.kube.model.kinds import ALL

Listener = Callable[[Ref, Any, Any], None]
"""Takes the identity, the object before (None: it is new), and the object now (None: it is gone)."""
K = TypeVar("K", bound=Hashable)
Kind = TypeVar("Kind", bound=KubeObject)


class Objects:
    """The objects. Listeners are told of each change when it is done; they note it, and change no object themselves."""

    def __init__(self) -> None:
        self._tables: dict[str, dict[Ref, KubeObject]] = {kind.KIND: {} for kind in ALL}
        self._listeners: list[Listener] = []

    def listen(self, listener: Listener) -> None:
        """Tell of all changes from now on, after those that asked before."""
        self._listeners.append(listener)

    def get(self, ref: Ref) -> Any:
        """An object; None: there is none."""
        return self._tables[ref.kind].get(ref)

    def one(self, kind: type[Kind], name: str, namespace: str = "") -> Kind | None:
        """An object of a kind. ``namespace``: empty for kinds that are in none."""
        found: Any = self._tables[kind.KIND].get(Ref(kind.KIND, namespace, name))
        return found

    def all(self, kind: type[Kind]) -> Iterator[Kind]:
        """All of a kind, in the order in which they came."""
        table: Any = self._tables[kind.KIND]
        return iter(table.values())

    def __iter__(self) -> Iterator[KubeObject]:
        for table in self._tables.values():
            yield from table.values()

    def put(self, new: KubeObject) -> None:
        """There is this object now, in place of that of its identity."""
        ref = new.ref
        table = self._tables[ref.kind]
        old = table.get(ref)
        table[ref] = new
        for listener in self._listeners:
            listener(ref, old, new)

    def remove(self, ref: Ref) -> None:
        """It is gone; nothing happens if it was not there."""
        old = self._tables[ref.kind].pop(ref, None)
        if old is not None:
            for listener in self._listeners:
                listener(ref, old, None)


class Index(Generic[K]):
    """Objects by what they have in common, in the order in which they came to have it."""

    def __init__(self, objects: Objects, kinds: Iterable[type[KubeObject]], keys: Callable[[Any], Iterable[K]]) -> None:
        self._objects, self._keys = objects, keys
        self._kinds = frozenset(kind.KIND for kind in kinds)
        self._found: dict[K, dict[Ref, None]] = {}
        objects.listen(self._changed)

    def refs(self, key: K) -> list[Ref]:
        """Who has it."""
        return list(self._found.get(key, ()))

    def count(self, key: K) -> int:
        """How many have it."""
        return len(self._found.get(key, ()))

    def objects(self, key: K) -> list[Any]:
        """Those that have it."""
        return [self._objects.get(ref) for ref in self._found.get(key, ())]

    def _changed(self, ref: Ref, old: Any, new: Any) -> None:
        if ref.kind not in self._kinds:
            return
        before = dict.fromkeys(self._keys(old)) if old is not None else {}
        after = dict.fromkeys(self._keys(new)) if new is not None else {}
        if before == after:
            return
        for key in before:
            if key not in after:
                has = self._found[key]
                del has[ref]
                if not has:
                    del self._found[key]
        for key in after:
            if key not in before:
                self._found.setdefault(key, {})[ref] = None
