"""A cable between two simulated ports, of one engine or of two."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import numpy.typing as npt

if TYPE_CHECKING:
    from vectorplane.backends.engine.member import Port


class Cable(Protocol):
    """What continues a port's wire: a `Link`, or the link of a simulated host."""

    def carry(self, sender: Port, records: npt.NDArray[Any]) -> None:
        """Deliver what departed at ``sender`` (`RECORD`, offsets are addresses)."""


class Link:
    """Carries what departs at one port to the other, ``latency_ns`` later, in both directions and in order.

    A `Network` must run the engines: the latency is how far they may run ahead of each other.

    Raises:
        ValueError: the latency is not positive, a port belongs to no interface or has a link, or both are one.
    """

    def __init__(self, port_a: Port, port_b: Port, latency_ns: int = 1000) -> None:
        if latency_ns < 1:
            raise ValueError(f"a link needs a latency of at least 1 ns, not {latency_ns}")
        if port_a is port_b:
            raise ValueError(f"port {port_a.name} cannot be linked to itself")
        for port in (port_a, port_b):
            if port.sw_if_index < 0:
                raise ValueError("a port must be given to an interface before it is linked")
            if port.link is not None:
                raise ValueError(f"port {port.name} has a link already")
        self.ports = (port_a, port_b)
        self.latency_ns = latency_ns
        port_a.link = port_b.link = self

    def carry(self, sender: Port, records: npt.NDArray[Any]) -> None:
        """Deliver what departed at ``sender`` (`RECORD`, offsets are addresses)."""
        if len(records):
            other = self.ports[1] if sender is self.ports[0] else self.ports[0]
            other.receive(0, records, self.latency_ns)
