"""MACIP lists, and the interfaces that have one."""

from __future__ import annotations

from collections.abc import Iterable

from vectorplane.backends.base import BackendError
from vectorplane.backends.engine.acl import macip_rule
from vectorplane.backends.engine.kinds.kind import Kind
from vectorplane.backends.items import MacipAcl, MacipBinding, MacipRule
from vectorplane.backends.items_acl import MACIP_ACTIONS, ListNames
from vectorplane.backends.networks import network

_WORDS = {number: word for word, number in MACIP_ACTIONS.items()}


def _mac(text: str) -> bytes:
    return bytes.fromhex(text.replace(":", ""))


def _rule(given: MacipRule) -> macip_rule.MacipRule:
    if given.action not in MACIP_ACTIONS:
        raise BackendError(f"a rule is one of {', '.join(MACIP_ACTIONS)}, not {given.action}")
    return macip_rule.MacipRule(
        MACIP_ACTIONS[given.action],
        given.src.version == 6,
        _mac(given.mac),
        _mac(given.mask),
        int(given.src.network_address),
        given.src.prefixlen,
    )


def _item(given: macip_rule.MacipRule) -> MacipRule:
    action = _WORDS.get(given.action, "permit")
    return MacipRule(action, given.mac.hex(":"), given.mac_mask.hex(":"), network(given.src, given.src_len, given.ip6))


class MacipAcls(Kind[MacipAcl]):
    """See the module."""

    item = MacipAcl

    def _number(self, name: str) -> int:
        number = ListNames((m.index, m.tag) for m in self.engine.macips).number(name)
        if number is None:
            raise BackendError(f"there is no MACIP list {name}")
        return number

    def create(self, item: MacipAcl) -> None:
        """A new list."""
        self.engine.macips.add_replace(None, item.name, [_rule(r) for r in item.rules])

    def update(self, old: MacipAcl, new: MacipAcl) -> None:
        """Other rules."""
        number = self._number(old.name)
        self.engine.macips.add_replace(number, self.engine.macips[number].tag, [_rule(r) for r in new.rules])

    def delete(self, item: MacipAcl) -> None:
        """Forget it."""
        self.engine.macips.delete(self._number(item.name))

    def dump(self) -> Iterable[MacipAcl]:
        """All."""
        names = ListNames((m.index, m.tag) for m in self.engine.macips)
        for macip in self.engine.macips:
            yield MacipAcl(names.name(macip.index), tuple(_item(r) for r in macip.rules))


class MacipBindings(Kind[MacipBinding]):
    """See the module."""

    item = MacipBinding

    def create(self, item: MacipBinding) -> None:
        """Apply."""
        number = ListNames((m.index, m.tag) for m in self.engine.macips).number(item.acl)
        if number is None:
            raise BackendError(f"there is no MACIP list {item.acl}")
        self.engine.macips.apply(self.index(item.interface), number)

    def update(self, old: MacipBinding, new: MacipBinding) -> None:
        """Another one."""
        self.create(new)

    def delete(self, item: MacipBinding) -> None:
        """None."""
        self.engine.macips.remove(self.index(item.interface))

    def dump(self) -> Iterable[MacipBinding]:
        """All."""
        macips = self.engine.macips
        names = ListNames((m.index, m.tag) for m in macips)
        for interface in self.each():
            number = macips.of(interface.sw_if_index)
            if number is not None:
                yield MacipBinding(interface.name, names.name(number))
