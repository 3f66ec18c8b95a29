"""Sub-interfaces: ``create_subif``, ``delete_subif``."""

from __future__ import annotations

from collections.abc import Iterable

from vectorplane.backends.items import SubInterface
from vectorplane.backends.vpp.kinds.kind import Kind, Steps

NO_TAGS, ONE_TAG, TWO_TAGS, DOT1AD, EXACT, DEFAULT, OUTER_ANY, INNER_ANY = (1 << i for i in range(8))
ANY = 4095


class SubInterfaces(Kind[SubInterface]):
    """See the module."""

    item = SubInterface
    title = "sub-interfaces"
    messages = (("create_subif",), ("delete_subif",))
    single = False

    def create(self, item: SubInterface) -> Steps:
        """Make it."""
        if item.default:
            flags = DEFAULT
        elif item.outer is None:
            flags = NO_TAGS
        else:
            flags = ONE_TAG if item.inner is None else TWO_TAGS
        flags |= DOT1AD * item.dot1ad | EXACT * item.exact | INNER_ANY * (item.inner == ANY)
        yield (
            "create_subif",
            {
                "sw_if_index": self.index(item.parent),
                "sub_id": item.id,
                "sub_if_flags": flags,
                "outer_vlan_id": item.outer or 0,
                "inner_vlan_id": 0 if item.inner in (None, ANY) else item.inner,
            },
        )
        self.link.interfaces.forget()

    def delete(self, item: SubInterface) -> Steps:
        """Remove it."""
        yield "delete_subif", {"sw_if_index": self.index(item.name)}
        self.link.interfaces.forget()

    def dump(self) -> Iterable[SubInterface]:
        """All whose parent is known."""
        self.link.interfaces.refresh()
        for known in self.link.interfaces:
            parent = None if known.parent is None else self.link.interfaces.name(known.parent)
            if parent is None:
                continue
            d = known.details
            flags = int(d.sub_if_flags)
            tagged = bool(flags & (ONE_TAG | TWO_TAGS))
            inner = (ANY if flags & INNER_ANY else d.sub_inner_vlan_id) if flags & TWO_TAGS else None
            yield SubInterface(
                parent,
                d.sub_id,
                d.sub_outer_vlan_id if tagged else None,
                inner,
                bool(flags & DOT1AD),
                bool(flags & EXACT),
                bool(flags & DEFAULT),
            )
