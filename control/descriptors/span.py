"""Copies of what an interface receives or sends need that interface, and the one that gets them.

Those of bridged frames need both with their place in L2 for good: a port that goes back to L3 is mirrored no more.
"""

from __future__ import annotations

from vectorplane.backends.items import Span
from vectorplane.control.descriptors import keys
from vectorplane.control.descriptors.descriptor import Descriptor
from vectorplane.control.descriptors.need import Need


def _needs(item: Span) -> tuple[Need, ...]:
    ends = (item.source, item.target)
    places = tuple(keys.settled_port(name) for name in ends) if item.l2 else ()
    return (*(keys.interface(name) for name in ends), *places)


def _in_place(old: Span, new: Span) -> bool:
    return True


SPAN = Descriptor(Span, 11, _needs, in_place=_in_place)
