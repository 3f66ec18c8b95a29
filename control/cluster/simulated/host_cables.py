"""The cables from a node's links to its own host and to its pods."""

from __future__ import annotations

from collections.abc import Iterable

from vectorplane.backends.engine.network import Network
from vectorplane.backends.engine.sim_host.host_link import HostLink
from vectorplane.backends.engine.sim_host.host_stack import HostStack
from vectorplane.backends.engine.sim_nic import SimNic

LATENCY = 1_000
"""Of a link to a pod or host, in ns."""


class HostCables:
    """Of one node, whose engine is in the network."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._links: dict[str, HostLink] = {}
        """By interface."""

    def ends(self) -> list[tuple[str, SimNic, HostStack]]:
        """What is joined: interface, port and host."""
        return [(interface, link.port, link.host) for interface, link in self._links.items() if link.port]

    def sync(self, wanted: Iterable[tuple[str, SimNic, HostStack]]) -> None:
        """See to it that these are joined, interface, port and host, and nothing else."""
        ends = {interface: (port, host) for interface, port, host in wanted}
        for interface, link in list(self._links.items()):
            if ends.get(interface) != (link.port, link.host):
                self._network.remove_host_link(self._links.pop(interface))
        for interface, (port, host) in ends.items():
            if interface not in self._links:
                link = self._links[interface] = HostLink(host, port, LATENCY)
                self._network.add_host_link(link)
