"""Tag rewrites need their interface, with its place in L2 for good: they are gone when it goes back to L3."""

from __future__ import annotations

from vectorplane.backends.items import TagRewrite
from vectorplane.control.descriptors import keys
from vectorplane.control.descriptors.descriptor import Descriptor
from vectorplane.control.descriptors.need import Need


def _needs(item: TagRewrite) -> tuple[Need, ...]:
    return (keys.interface(item.interface), keys.settled_port(item.interface))


def _in_place(old: TagRewrite, new: TagRewrite) -> bool:
    return True


TAG_REWRITE = Descriptor(TagRewrite, 6, _needs, in_place=_in_place)
