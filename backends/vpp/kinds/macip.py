"""MACIP lists: ``macip_acl_add_replace``, ``macip_acl_dump``, ``macip_acl_interface_add_del`` and their like."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from vectorplane.backends.base import BackendError
from vectorplane.backends.items import MacipAcl, MacipBinding, MacipRule
from vectorplane.backends.items_acl import MACIP_ACTIONS
from vectorplane.backends.list_names import ListNames
from vectorplane.backends.vpp.interfaces import NO_INTERFACE
from vectorplane.backends.vpp.kinds.acl import pack_network
from vectorplane.backends.vpp.kinds.kind import Kind, Message, Steps
from vectorplane.backends.vpp.link import Link
from vectorplane.backends.vpp.values import mac_text, network_of, pack_mac

_NEW = 0xFFFFFFFF
_WORDS = {number: word for word, number in MACIP_ACTIONS.items()}


def _pack(rule: MacipRule) -> dict[str, Any]:
    if rule.action not in MACIP_ACTIONS:
        raise BackendError(f"a rule is one of {', '.join(MACIP_ACTIONS)}, not {rule.action}")
    return {
        "is_permit": MACIP_ACTIONS[rule.action],
        "src_mac": pack_mac(rule.mac),
        "src_mac_mask": pack_mac(rule.mask),
        "src_prefix": pack_network(rule.src),
    }


def _item(given: Any) -> MacipRule:
    action = _WORDS.get(int(given.is_permit), "permit")
    return MacipRule(action, mac_text(given.src_mac), mac_text(given.src_mac_mask), network_of(given.src_prefix))


def _details(link: Link) -> list[Any]:
    return list(link.connection.details("macip_acl_dump", acl_index=_NEW))


def _names(details: Iterable[Any]) -> ListNames:
    return ListNames("MACIP list", ((d.acl_index, d.tag) for d in details))


class MacipAcls(Kind[MacipAcl]):
    """See the module."""

    item = MacipAcl
    title = "MACIP lists"
    messages = (("macip_acl_add_replace",), ("macip_acl_del",), ("macip_acl_dump",))

    def create(self, item: MacipAcl) -> Steps:
        """A new list."""
        yield self._message(_NEW, item)

    def update(self, old: MacipAcl, new: MacipAcl) -> Steps:
        """Other rules."""
        yield self._message(self._number(old.name), new)

    def delete(self, item: MacipAcl) -> Steps:
        """Forget it."""
        yield "macip_acl_del", {"acl_index": self._number(item.name)}

    def _number(self, name: str) -> int:
        return _names(_details(self.link)).number(name)

    def _message(self, number: int, item: MacipAcl) -> Message:
        rules = [_pack(r) for r in item.rules]
        return "macip_acl_add_replace", {"acl_index": number, "tag": item.name, "count": len(rules), "r": rules}

    def dump(self) -> Iterable[MacipAcl]:
        """All."""
        details = _details(self.link)
        names = _names(details)
        for d in details:
            yield MacipAcl(names.name(d.acl_index), tuple(_item(r) for r in d.r))


class MacipBindings(Kind[MacipBinding]):
    """See the module."""

    item = MacipBinding
    title = "MACIP lists of interfaces"
    messages = (("macip_acl_interface_add_del",), ("macip_acl_interface_list_dump",), ("macip_acl_dump",))

    def create(self, item: MacipBinding) -> Steps:
        """Apply."""
        yield self._message(item.interface, _names(_details(self.link)).number(item.acl), True)

    def update(self, old: MacipBinding, new: MacipBinding) -> Steps:
        """Another one."""
        yield from self.create(new)

    def delete(self, item: MacipBinding) -> Steps:
        """None."""
        yield self._message(item.interface, 0, False)

    def _message(self, interface: str, number: int, is_add: bool) -> Message:
        return "macip_acl_interface_add_del", {
            "is_add": is_add,
            "sw_if_index": self.index(interface),
            "acl_index": number,
        }

    def dump(self) -> Iterable[MacipBinding]:
        """All."""
        names = _names(_details(self.link))
        self.link.interfaces.refresh()
        for d in self.link.connection.details("macip_acl_interface_list_dump", sw_if_index=NO_INTERFACE):
            interface = self.link.interfaces.name(d.sw_if_index)
            if interface is not None and d.acls and d.acls[0] != _NEW:
                yield MacipBinding(interface, names.name(d.acls[0]))
