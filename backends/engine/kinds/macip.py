"""MACIP lists, and the interfaces that have one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from vectorplane.backends.base import BackendError
from vectorplane.backends.engine.acl import macip_rule
from vectorplane.backends.engine.interface import mac_bytes
from vectorplane.backends.engine.kinds.kind import Kind
from vectorplane.backends.items import MacipAcl, MacipBinding, MacipRule
from vectorplane.backends.items_acl import MACIP_ACTIONS
from vectorplane.backends.list_names import ListNames
from vectorplane.backends.networks import network

if TYPE_CHECKING:
    from vectorplane.backends.engine.engine import Engine

_WORDS = {number: word for word, number in MACIP_ACTIONS.items()}


def _rule(given: MacipRule) -> macip_rule.MacipRule:
    if given.action not in MACIP_ACTIONS:
        raise BackendError(f"a rule is one of {', '.join(MACIP_ACTIONS)}, not {given.action}")
    return macip_rule.MacipRule(
        MACIP_ACTIONS[given.action],
        given.src.version == 6,
        mac_bytes(given.mac),
        mac_bytes(given.mask),
        int(given.src.network_address),
        given.src.prefixlen,
    )


def _item(given: macip_rule.MacipRule) -> MacipRule:
    action = _WORDS.get(given.action, "permit")
    return MacipRule(action, given.mac.hex(":"), given.mac_mask.hex(":"), network(given.src, given.src_len, given.ip6))


def _names(engine: Engine) -> ListNames:
    return ListNames("MACIP list", ((macip.index, macip.tag) for macip in engine.macips))


class MacipAcls(Kind[MacipAcl]):
    """See the module."""

    item = MacipAcl

    def create(self, item: MacipAcl) -> None:
        """A new list."""
        self.engine.macips.add_replace(None, item.name, [_rule(r) for r in item.rules])

    def update(self, old: MacipAcl, new: MacipAcl) -> None:
        """Other rules."""
        number = _names(self.engine).number(old.name)
        self.engine.macips.add_replace(number, self.engine.macips[number].tag, [_rule(r) for r in new.rules])

    def delete(self, item: MacipAcl) -> None:
        """Forget it."""
        self.engine.macips.delete(_names(self.engine).number(item.name))

    def dump(self) -> Iterable[MacipAcl]:
        """All."""
        names = _names(self.engine)
        for macip in self.engine.macips:
            yield MacipAcl(names.name(macip.index), tuple(_item(r) for r in macip.rules))


class MacipBindings(Kind[MacipBinding]):
    """See the module."""

    item = MacipBinding

    def create(self, item: MacipBinding) -> None:
        """Apply."""
        self.engine.macips.apply(self.index(item.interface), _names(self.engine).number(item.acl))

    def update(self, old: MacipBinding, new: MacipBinding) -> None:
        """Another one."""
        self.create(new)

    def delete(self, item: MacipBinding) -> None:
        """None."""
        self.engine.macips.remove(self.index(item.interface))

    def dump(self) -> Iterable[MacipBinding]:
        """All."""
        macips = self.engine.macips
        names = _names(self.engine)
        for interface in self.each():
            number = macips.of(interface.sw_if_index)
            if number is not None:
                yield MacipBinding(interface.name, names.name(number))
