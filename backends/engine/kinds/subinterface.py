"""VLAN sub-interfaces."""

from __future__ import annotations

from collections.abc import Iterable

from vectorplane.backends.engine.kinds.kind import Kind
from vectorplane.backends.engine.sub_interfaces import (
    DEFAULT,
    DOT1AD,
    EXACT,
    INNER_ANY,
    INNER_ANY_FLAG,
    NO_TAGS,
    ONE_TAG,
    TWO_TAGS,
)
from vectorplane.backends.items import SubInterface


class SubInterfaces(Kind[SubInterface]):
    """See the module."""

    item = SubInterface

    def create(self, item: SubInterface) -> None:
        """Make it."""
        if item.default:
            flags = DEFAULT
        elif item.outer is None:
            flags = NO_TAGS
        else:
            flags = ONE_TAG if item.inner is None else TWO_TAGS
        flags |= DOT1AD * item.dot1ad | EXACT * item.exact | INNER_ANY_FLAG * (item.inner == INNER_ANY)
        inner = 0 if item.inner is None or item.inner == INNER_ANY else item.inner
        self.engine.interfaces.create_sub(self.index(item.parent), item.id, flags, item.outer or 0, inner)

    def delete(self, item: SubInterface) -> None:
        """Remove it."""
        self.engine.interfaces.remove(self.index(item.name))

    def dump(self) -> Iterable[SubInterface]:
        """All."""
        for interface in self.each():
            if interface.is_sub:
                flags = interface.sub_flags
                tagged, two = bool(flags & (ONE_TAG | TWO_TAGS)), bool(flags & TWO_TAGS)
                inner = INNER_ANY if flags & INNER_ANY_FLAG else interface.inner_vlan
                yield SubInterface(
                    self.name(interface.sup),
                    interface.sub_id,
                    interface.outer_vlan if tagged else None,
                    inner if two else None,
                    bool(flags & DOT1AD),
                    bool(flags & EXACT),
                    bool(flags & DEFAULT),
                )
