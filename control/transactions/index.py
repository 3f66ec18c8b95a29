"""Who needs whom, for a set of items."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from vectorplane.backends.items import Item
from vectorplane.control.descriptors.descriptor import Descriptor
from vectorplane.control.descriptors.need import Need


class Index:
    """Needs of items by key, and by what is needed (a key, or a name that items provide) who needs it."""

    def __init__(self, descriptors: Mapping[type, Descriptor]) -> None:
        self._descriptors = descriptors
        self.needs: dict[str, tuple[Need, ...]] = {}
        self._dependents: dict[str, dict[str, None]] = {}
        self._providers: dict[str, dict[str, None]] = {}

    def add(self, key: str, item: Item) -> None:
        """Enter an item whose key is not in yet."""
        descriptor = self._descriptors[type(item)]
        self.needs[key] = needs = descriptor.needs(item)
        for need in needs:
            self._dependents.setdefault(need.key, {})[key] = None
        for name in descriptor.provides(item):
            self._providers.setdefault(name, {})[key] = None

    def remove(self, key: str, item: Item) -> None:
        """Forget an item that is in."""
        for need in self.needs.pop(key):
            self._discard(self._dependents, need.key, key)
        for name in self._descriptors[type(item)].provides(item):
            self._discard(self._providers, name, key)

    def dependents(self, name: str) -> Iterable[str]:
        """Keys of the items that need it."""
        return self._dependents.get(name, ())

    def providers(self, name: str) -> Iterable[str]:
        """Keys of the items that provide that name."""
        return self._providers.get(name, ())

    @staticmethod
    def _discard(where: dict[str, dict[str, None]], name: str, key: str) -> None:
        keys = where[name]
        keys.pop(key, None)
        if not keys:
            del where[name]
