"""The links of a simulated node: all are simulated cards."""

from __future__ import annotations

from vectorplane.backends.devices import options
from vectorplane.backends.items import Interface
from vectorplane.control.cluster.this_node import LocalPod

_POD_RING = 256
"""A pod is one host: it needs no long rings, and there may be many of them."""


class SimWiring:
    """A `Wiring`."""

    def nic(self, name: str) -> Interface:
        """A network card."""
        return Interface(name, "sim", options("sim"))

    def host_link(self, name: str) -> Interface:
        """The link to the node's own host."""
        return Interface(name, "sim", options("sim"))

    def pod(self, pod: LocalPod) -> Interface:
        """The link to a pod."""
        return Interface(pod.interface, "sim", options("sim", rx_ring=_POD_RING, tx_ring=_POD_RING))
