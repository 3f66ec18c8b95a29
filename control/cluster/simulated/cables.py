"""The cables to the switch: from nodes' cards, and from the outside."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from vectorplane.backends.engine.network import Network
from vectorplane.backends.engine.sim_host.host_link import HostLink
from vectorplane.backends.engine.sim_host.sim_host import SimHost
from vectorplane.backends.engine.sim_link import Link
from vectorplane.control.cluster.simulated.cluster_node import ClusterNode, NicPort
from vectorplane.control.cluster.simulated.wire import Wire

WIRE_LATENCY = 5_000
"""Of a cable to the switch, in ns."""


class _Cable(NamedTuple):
    port: NicPort
    link: Link


class Cables:
    """Plugs in what has come and pulls what has gone. ``captures``: where to write what passes nodes' cards."""

    def __init__(self, network: Network, wire: Wire, captures: Path | None) -> None:
        self._network, self._wire, self._captures = network, wire, captures
        self._cables: dict[str, _Cable] = {}
        """By node."""
        self._lives: dict[str, int] = {}

    def attach(self, host: SimHost) -> None:
        """A host on the switch."""
        self._network.add_host_link(HostLink(host, self._wire.plug(host.name), WIRE_LATENCY))

    def sync(self, nodes: Iterable[ClusterNode]) -> None:
        """See to it that all nodes' cards that there are now, and no others, are joined to the switch."""
        wanted = {node.name: port for node in nodes if (port := node.nic()) is not None}
        for name, cable in list(self._cables.items()):
            if wanted.get(name) is not cable.port:
                self.forget(name)
        for name, port in wanted.items():
            if name not in self._cables:
                self._cables[name] = self._join(name, port)

    def forget(self, node: str) -> None:
        """The node's engine is about to go: pull its cable."""
        cable = self._cables.pop(node, None)
        if cable is not None:
            self._network.remove_link(cable.link)
            self._wire.unplug(node)

    def _join(self, node: str, port: NicPort) -> _Cable:
        if self._captures is not None:
            self._captures.mkdir(parents=True, exist_ok=True)
            life = self._lives[node] = self._lives.get(node, 0) + 1
            port.tap(self._captures / (f"{node}.pcap" if life == 1 else f"{node}-{life}.pcap"))
        link = Link(port, self._wire.plug(node), WIRE_LATENCY)
        self._network.add_link(link)
        return _Cable(port, link)
