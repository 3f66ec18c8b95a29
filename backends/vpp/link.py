"""What the kinds work with: a live connection, what VPP can do, and its interfaces' names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from vectorplane.backends.vpp.compatibility import Compatibility
from vectorplane.backends.vpp.connection import Connection
from vectorplane.backends.vpp.interfaces import Interfaces, Known


@dataclass
class Link:
    """One connection's worth; a reconnect makes a new one."""

    connection: Connection
    compatibility: Compatibility
    interfaces: Interfaces

    def having(self, arc: str, features: Sequence[str]) -> Iterator[tuple[Known, str]]:
        """Interfaces that have one of these features of an arc on, with its name; asked without waiting for each."""
        self.interfaces.refresh()
        asked = [
            (
                interface,
                feature,
                self.connection.send(
                    "feature_is_enabled", arc_name=arc, feature_name=feature, sw_if_index=interface.index
                ),
            )
            for interface in self.interfaces
            for feature in features
        ]
        for interface, feature, request in asked:
            if self.connection.finish(request).is_enabled:
                yield interface, feature
