"""VLAN tag rewrites of ports."""

from __future__ import annotations

from collections.abc import Iterable

from vectorplane.backends.base import BackendError
from vectorplane.backends.engine.kinds.kind import Kind
from vectorplane.backends.engine.l2.tag_rewrite import DISABLED, PUSH_1
from vectorplane.backends.items import TAG_REWRITES, TagRewrite


class TagRewrites(Kind[TagRewrite]):
    """See the module."""

    item = TagRewrite

    def create(self, item: TagRewrite) -> None:
        """Begin with it."""
        if item.op not in TAG_REWRITES:
            raise BackendError(f"{item.op} is no tag rewrite; known: {', '.join(TAG_REWRITES)}")
        tag1, tag2 = (*item.tags, 0, 0)[:2]
        op = TAG_REWRITES.index(item.op) + PUSH_1
        self.engine.tag_rewrites.set(self.index(item.interface), op, item.dot1q, tag1, tag2)

    def update(self, old: TagRewrite, new: TagRewrite) -> None:
        """Another one."""
        self.create(new)

    def delete(self, item: TagRewrite) -> None:
        """Leave tags as they are."""
        self.engine.tag_rewrites.set(self.index(item.interface), DISABLED)

    def dump(self) -> Iterable[TagRewrite]:
        """All."""
        for interface in self.each():
            found = self.engine.tag_rewrites.get(interface.sw_if_index)
            if found.op != DISABLED:
                op = TAG_REWRITES[found.op - PUSH_1]
                pushed = 0 if op.startswith("pop") else int(op[-1])
                yield TagRewrite(interface.name, op, found.dot1q, (found.tag1, found.tag2)[:pushed])
