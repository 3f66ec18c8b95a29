"""Copies of what an interface receives or sends need that interface, and the one that gets them."""

from __future__ import annotations

from vectorplane.backends.items import Span
from vectorplane.control.descriptors import keys
from vectorplane.control.descriptors.descriptor import Descriptor
from vectorplane.control.descriptors.need import Need


def _needs(item: Span) -> tuple[Need, ...]:
    return (keys.interface(item.source), keys.interface(item.target))


def _in_place(old: Span, new: Span) -> bool:
    return True


SPAN = Descriptor(Span, 11, _needs, in_place=_in_place)
