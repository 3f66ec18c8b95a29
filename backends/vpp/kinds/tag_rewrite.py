"""VLAN tag rewrites: ``l2_interface_vlan_tag_rewrite``; they are read back from ``sw_interface_dump``."""

from __future__ import annotations

from collections.abc import Iterable

from vectorplane.backends.base import BackendError
from vectorplane.backends.items import TAG_REWRITES, TagRewrite
from vectorplane.backends.vpp.kinds.kind import Kind, Steps

_OFF = 0


class TagRewrites(Kind[TagRewrite]):
    """See the module."""

    item = TagRewrite
    title = "tag rewrites"
    messages = (("l2_interface_vlan_tag_rewrite",),)

    def create(self, item: TagRewrite) -> Steps:
        """Begin with it."""
        if item.op not in TAG_REWRITES:
            raise BackendError(f"{item.op} is no tag rewrite; known: {', '.join(TAG_REWRITES)}")
        tag1, tag2 = (*item.tags, 0, 0)[:2]
        fields = {"vtr_op": TAG_REWRITES.index(item.op) + 1, "push_dot1q": item.dot1q, "tag1": tag1, "tag2": tag2}
        yield "l2_interface_vlan_tag_rewrite", {"sw_if_index": self.index(item.interface), **fields}

    def update(self, old: TagRewrite, new: TagRewrite) -> Steps:
        """Another one."""
        yield from self.create(new)

    def delete(self, item: TagRewrite) -> Steps:
        """Leave tags as they are."""
        yield "l2_interface_vlan_tag_rewrite", {"sw_if_index": self.index(item.interface), "vtr_op": _OFF}

    def dump(self) -> Iterable[TagRewrite]:
        """All."""
        self.link.interfaces.refresh()
        for known in self.link.interfaces:
            d = known.details
            if 0 < d.vtr_op <= len(TAG_REWRITES):
                op = TAG_REWRITES[d.vtr_op - 1]
                pushed = 0 if op.startswith("pop") else int(op[-1])
                tags = (d.vtr_tag1, d.vtr_tag2)[:pushed]
                yield TagRewrite(known.name, op, bool(d.vtr_push_dot1q) and bool(tags), tags)
