"""Ports of bridge domains."""

from __future__ import annotations

from collections.abc import Iterable

from vectorplane.backends.base import BackendError
from vectorplane.backends.engine.kinds.kind import Kind
from vectorplane.backends.engine.l2.bridges import BVI, NORMAL, UU_FWD
from vectorplane.backends.items import BridgePort

_TYPES = {"normal": NORMAL, "bvi": BVI, "uu-fwd": UU_FWD}
_NAMES = {number: name for name, number in _TYPES.items()}


class BridgePorts(Kind[BridgePort]):
    """See the module."""

    item = BridgePort

    def create(self, item: BridgePort) -> None:
        """Put it into its domain."""
        if item.type not in _TYPES:
            raise BackendError(f"a port is of type {', '.join(_TYPES)}, not {item.type}")
        self.engine.bridges.attach(self.index(item.interface), item.domain, _TYPES[item.type], item.shg)

    def update(self, old: BridgePort, new: BridgePort) -> None:
        """Put it there anew."""
        self.create(new)

    def delete(self, item: BridgePort) -> None:
        """Back to L3."""
        self.engine.bridges.detach(self.index(item.interface))

    def dump(self) -> Iterable[BridgePort]:
        """All."""
        for index, port in sorted(self.engine.bridges.ports.items()):
            if port.domain is not None:
                yield BridgePort(self.name(index), port.domain.id, _NAMES[port.port_type], port.shg)
