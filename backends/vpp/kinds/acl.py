"""ACLs and where they apply: ``acl_add_replace``, ``acl_dump``, ``acl_interface_set_acl_list`` and their like."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from vectorplane.backends.base import BackendError
from vectorplane.backends.items import Acl, AclBinding, AclRule, EtypeWhitelist
from vectorplane.backends.items_acl import ACL_ACTIONS, Network
from vectorplane.backends.list_names import ListNames
from vectorplane.backends.vpp.interfaces import NO_INTERFACE
from vectorplane.backends.vpp.kinds.kind import Kind, Message, Steps
from vectorplane.backends.vpp.link import Link
from vectorplane.backends.vpp.values import network_of, pack_prefix

_NEW = 0xFFFFFFFF


def pack_network(given: Network) -> dict[str, Any]:
    """``vl_api_prefix_t``."""
    return pack_prefix(given.network_address, given.prefixlen)


def _pack(rule: AclRule) -> dict[str, Any]:
    if rule.action not in ACL_ACTIONS:
        raise BackendError(f"a rule is one of {', '.join(ACL_ACTIONS)}, not {rule.action}")
    return {
        "is_permit": ACL_ACTIONS.index(rule.action),
        "src_prefix": pack_network(rule.src),
        "dst_prefix": pack_network(rule.dst),
        "proto": rule.proto,
        "srcport_or_icmptype_first": rule.sport[0],
        "srcport_or_icmptype_last": rule.sport[1],
        "dstport_or_icmpcode_first": rule.dport[0],
        "dstport_or_icmpcode_last": rule.dport[1],
        "tcp_flags_mask": rule.tcp_flags[0],
        "tcp_flags_value": rule.tcp_flags[1],
    }


def _item(given: Any) -> AclRule:
    return AclRule(
        ACL_ACTIONS[min(int(given.is_permit), len(ACL_ACTIONS) - 1)],
        network_of(given.src_prefix),
        network_of(given.dst_prefix),
        int(given.proto),
        (given.srcport_or_icmptype_first, given.srcport_or_icmptype_last),
        (given.dstport_or_icmpcode_first, given.dstport_or_icmpcode_last),
        (given.tcp_flags_mask, given.tcp_flags_value),
    )


def _details(link: Link) -> list[Any]:
    return list(link.connection.details("acl_dump", acl_index=_NEW))


def _names(details: Iterable[Any]) -> ListNames:
    return ListNames("ACL", ((d.acl_index, d.tag) for d in details))


class Acls(Kind[Acl]):
    """See the module."""

    item = Acl
    title = "ACLs"
    messages = (("acl_add_replace",), ("acl_del",), ("acl_dump",))

    def create(self, item: Acl) -> Steps:
        """A new list."""
        yield self._message(_NEW, item.name, item)

    def update(self, old: Acl, new: Acl) -> Steps:
        """Other rules, at once wherever it applies."""
        yield self._message(self._number(old.name), new.name, new)

    def delete(self, item: Acl) -> Steps:
        """Forget it."""
        yield "acl_del", {"acl_index": self._number(item.name)}

    def _number(self, name: str) -> int:
        return _names(_details(self.link)).number(name)

    def _message(self, number: int, tag: str, item: Acl) -> Message:
        rules = [_pack(r) for r in item.rules]
        return "acl_add_replace", {"acl_index": number, "tag": tag, "count": len(rules), "r": rules}

    def dump(self) -> Iterable[Acl]:
        """All."""
        details = _details(self.link)
        names = _names(details)
        for d in details:
            yield Acl(names.name(d.acl_index), tuple(_item(r) for r in d.r))


class AclBindings(Kind[AclBinding]):
    """See the module."""

    item = AclBinding
    title = "ACLs of interfaces"
    messages = (("acl_interface_set_acl_list",), ("acl_interface_list_dump",), ("acl_dump",))

    def create(self, item: AclBinding) -> Steps:
        """Apply."""
        names = _names(_details(self.link))
        numbers = [names.number(name) for name in (*item.inputs, *item.outputs)]
        yield self._message(item.interface, numbers, len(item.inputs))

    def update(self, old: AclBinding, new: AclBinding) -> Steps:
        """Others."""
        yield from self.create(new)

    def delete(self, item: AclBinding) -> Steps:
        """None."""
        yield self._message(item.interface, [], 0)

    def _message(self, interface: str, numbers: list[int], inputs: int) -> Message:
        return "acl_interface_set_acl_list", {
            "sw_if_index": self.index(interface),
            "count": len(numbers),
            "n_input": inputs,
            "acls": numbers,
        }

    def dump(self) -> Iterable[AclBinding]:
        """All."""
        names = _names(_details(self.link))
        self.link.interfaces.refresh()
        for d in self.link.connection.details("acl_interface_list_dump", sw_if_index=NO_INTERFACE):
            interface = self.link.interfaces.name(d.sw_if_index)
            if interface is not None and d.count:
                lists = [names.name(number) for number in d.acls]
                yield AclBinding(interface, tuple(lists[: d.n_input]), tuple(lists[d.n_input :]))


class EtypeWhitelists(Kind[EtypeWhitelist]):
    """See the module."""

    item = EtypeWhitelist
    title = "Ethernet types that pass beside ACLs"
    messages = (("acl_interface_set_etype_whitelist",), ("acl_interface_etype_whitelist_dump",))

    def create(self, item: EtypeWhitelist) -> Steps:
        """Let these through."""
        yield self._message(item.interface, item.inputs, item.outputs)

    def update(self, old: EtypeWhitelist, new: EtypeWhitelist) -> Steps:
        """Others."""
        yield from self.create(new)

    def delete(self, item: EtypeWhitelist) -> Steps:
        """All."""
        yield self._message(item.interface, (), ())

    def _message(self, interface: str, inputs: tuple[int, ...], outputs: tuple[int, ...]) -> Message:
        return "acl_interface_set_etype_whitelist", {
            "sw_if_index": self.index(interface),
            "count": len(inputs) + len(outputs),
            "n_input": len(inputs),
            "whitelist": [*inputs, *outputs],
        }

    def dump(self) -> Iterable[EtypeWhitelist]:
        """All."""
        self.link.interfaces.refresh()
        for d in self.link.connection.details("acl_interface_etype_whitelist_dump", sw_if_index=NO_INTERFACE):
            interface = self.link.interfaces.name(d.sw_if_index)
            if interface is not None and d.count:
                types = tuple(d.whitelist)
                yield EtypeWhitelist(interface, types[: d.n_input], types[d.n_input :])
