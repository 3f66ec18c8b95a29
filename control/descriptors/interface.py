"""Interfaces: another device, or other settings of it, make another interface."""

from __future__ import annotations

from vectorplane.backends.items import Interface
from vectorplane.control.descriptors.descriptor import Descriptor

INTERFACE = Descriptor(Interface, 1)
