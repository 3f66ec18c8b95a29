"""Routing tables: they need nothing; interfaces, routes and proxy ARP ranges need them."""

from __future__ import annotations

from vectorplane.backends.items import Table
from vectorplane.control.descriptors.descriptor import Descriptor


def _in_place(old: Table, new: Table) -> bool:
    return old.name == new.name


TABLE = Descriptor(Table, 0, in_place=_in_place)
