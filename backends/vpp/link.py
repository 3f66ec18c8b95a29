"""What the kinds work with: a live connection, what VPP can do, and its interfaces' names."""

from __future__ import annotations

from dataclasses import dataclass

from vectorplane.backends.vpp.compatibility import Compatibility
from vectorplane.backends.vpp.connection import Connection
from vectorplane.backends.vpp.interfaces import Interfaces


@dataclass
class Link:
    """One connection's worth; a reconnect makes a new one."""

    connection: Connection
    compatibility: Compatibility
    interfaces: Interfaces
