"""ACLs, where they apply, and the Ethernet types that pass beside IP."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from vectorplane.backends.base import BackendError
from vectorplane.backends.engine.acl import rule
from vectorplane.backends.engine.kinds.kind import Kind
from vectorplane.backends.items import Acl, AclBinding, AclRule, EtypeWhitelist
from vectorplane.backends.items_acl import ACL_ACTIONS, Network
from vectorplane.backends.list_names import ListNames
from vectorplane.backends.networks import network

if TYPE_CHECKING:
    from vectorplane.backends.engine.engine import Engine


def _rule(given: AclRule) -> rule.AclRule:
    if given.action not in ACL_ACTIONS:
        raise BackendError(f"a rule is one of {', '.join(ACL_ACTIONS)}, not {given.action}")
    if given.src.version != given.dst.version:
        raise BackendError(f"a rule from {given.src} to {given.dst}: both must be of one family")
    return rule.AclRule(
        ACL_ACTIONS.index(given.action),
        given.src.version == 6,
        *_prefix(given.src),
        *_prefix(given.dst),
        given.proto,
        *given.sport,
        *given.dport,
        *given.tcp_flags,
    )


def _prefix(given: Network) -> tuple[int, int]:
    return int(given.network_address), given.prefixlen


def _item(given: rule.AclRule) -> AclRule:
    return AclRule(
        ACL_ACTIONS[min(given.action, len(ACL_ACTIONS) - 1)],
        network(given.src, given.src_len, given.ip6),
        network(given.dst, given.dst_len, given.ip6),
        given.proto,
        (given.sport_first, given.sport_last),
        (given.dport_first, given.dport_last),
        (given.tcp_flags_mask, given.tcp_flags_value),
    )


def _names(engine: Engine) -> ListNames:
    return ListNames("ACL", ((acl.index, acl.tag) for acl in engine.acls))


class Acls(Kind[Acl]):
    """See the module."""

    item = Acl

    def create(self, item: Acl) -> None:
        """A new list."""
        self.engine.acls.add_replace(None, item.name, [_rule(r) for r in item.rules])

    def update(self, old: Acl, new: Acl) -> None:
        """Other rules, at once wherever it applies."""
        number = _names(self.engine).number(old.name)
        self.engine.acls.add_replace(number, self.engine.acls[number].tag, [_rule(r) for r in new.rules])

    def delete(self, item: Acl) -> None:
        """Forget it."""
        try:
            self.engine.acls.delete(_names(self.engine).number(item.name))
        except ValueError as error:
            raise BackendError(str(error)) from None

    def dump(self) -> Iterable[Acl]:
        """All."""
        names = _names(self.engine)
        for acl in self.engine.acls:
            yield Acl(names.name(acl.index), tuple(_item(r) for r in acl.rules))


class AclBindings(Kind[AclBinding]):
    """See the module."""

    item = AclBinding

    def create(self, item: AclBinding) -> None:
        """Apply."""
        self._set(item, item.inputs, item.outputs)

    def update(self, old: AclBinding, new: AclBinding) -> None:
        """Others; a direction that is the same is left alone."""
        self._set(
            new,
            None if old.inputs == new.inputs else new.inputs,
            None if old.outputs == new.outputs else new.outputs,
        )

    def _set(self, item: AclBinding, *directions: tuple[str, ...] | None) -> None:
        names = _names(self.engine)
        lists = [None if wanted is None else [names.number(name) for name in wanted] for wanted in directions]
        try:
            self.engine.acls.set_lists(self.index(item.interface), *lists)
        except ValueError as error:
            raise BackendError(str(error)) from None

    def delete(self, item: AclBinding) -> None:
        """None."""
        self.engine.acls.set_lists(self.index(item.interface), (), ())

    def dump(self) -> Iterable[AclBinding]:
        """All."""
        acls = self.engine.acls
        names = _names(self.engine)
        for index in acls.interfaces:
            lists = (tuple(map(names.name, acls.inputs(index))), tuple(map(names.name, acls.outputs(index))))
            if self.name(index):
                yield AclBinding(self.name(index), *lists)


class EtypeWhitelists(Kind[EtypeWhitelist]):
    """See the module."""

    item = EtypeWhitelist

    def create(self, item: EtypeWhitelist) -> None:
        """Let these through."""
        try:
            self.engine.acl_whitelists.set(self.index(item.interface), item.inputs, item.outputs)
        except ValueError as error:
            raise BackendError(str(error)) from None

    def update(self, old: EtypeWhitelist, new: EtypeWhitelist) -> None:
        """Others."""
        self.create(new)

    def delete(self, item: EtypeWhitelist) -> None:
        """All."""
        self.engine.acl_whitelists.set(self.index(item.interface), (), ())

    def dump(self) -> Iterable[EtypeWhitelist]:
        """All."""
        for interface in self.each():
            inputs, outputs = self.engine.acl_whitelists.of(interface.sw_if_index)
            if inputs or outputs:
                yield EtypeWhitelist(interface.name, inputs, outputs)
