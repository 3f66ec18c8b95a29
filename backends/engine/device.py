"""What an interface is attached to: a capture file, a simulated NIC, a packet-generator stream."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vectorplane.backends.engine.engine import Engine


class Device:
    """A device of the engine. This base is one that receives nothing and throws away what is sent (``null``)."""

    tx_node = "null-tx"
    """Type of the ``<interface>-tx`` node."""

    def attach(self, engine: Engine, sw_if_index: int) -> None:
        """Join the engine as this interface: add input nodes, fill the transmit node's runtime data."""

    def refill(self) -> None:
        """An input node ran out of packets (`ATTENTION_REFILL`): provide more, or mark the source as ended."""

    def flush(self) -> None:
        """Write out what was transmitted (`ATTENTION_FLUSH`, and at the end of each run)."""

    def pending(self) -> bool:
        """True while packets may still come from here."""
        return False

    def close(self) -> None:
        """Release files and memory."""
