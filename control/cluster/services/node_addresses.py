"""The addresses at which node ports are: each node's own ones, and those of its host."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address

from vectorplane.control.cluster.ipam.arithmetic import Ip
from vectorplane.control.cluster.peers import peers
from vectorplane.control.cluster.state import ClusterState
from vectorplane.control.cluster.this_node import ThisNode


@dataclass(frozen=True, slots=True)
class AtNode:
    """Addresses of a node: of its ``vpp``, and of its host (``management``), without those that another node has."""

    number: int
    mine: bool
    vpp: tuple[IPv4Address, ...]
    management: tuple[IPv4Address, ...]

    @property
    def addresses(self) -> tuple[IPv4Address, ...]:
        """All."""
        return self.vpp + self.management


class NodeAddresses:
    """Of all nodes, by number."""

    def __init__(self, node: ThisNode, state: ClusterState) -> None:
        self._node, self._state = node, state
        self._of: dict[int, AtNode] = {}
        self._all: frozenset[IPv4Address] = frozenset()

    def of(self, number: int) -> AtNode | None:
        """Of a node; None: there is none, or nothing is known of it."""
        return self._of.get(number)

    def has(self, address: IPv4Address | None) -> bool:
        """Is it an address of a node?"""
        return address in self._all

    def refresh(self) -> tuple[set[int], frozenset[IPv4Address]]:
        """Look again. Gives the nodes whose addresses are different, and the addresses that came or went.

        Nodes without an address of VPP have no node ports yet: VPP does not run there. An address that several nodes
        say they have counts for this node, else for the one with the lowest number.
        """
        before, self._of = self._of, {}
        taken: set[Ip] = set()
        for peer in sorted(peers(self._state), key=lambda p: (p.id != self._node.id, p.id)):
            if not peer.addresses:
                continue
            vpp = _fresh(peer.addresses, taken)
            management = _fresh(peer.management, taken)
            if vpp or management:
                self._of[peer.id] = AtNode(peer.id, peer.id == self._node.id, vpp, management)
        was, self._all = self._all, frozenset(a for at in self._of.values() for a in at.addresses)
        return {n for n in before.keys() | self._of.keys() if before.get(n) != self._of.get(n)}, was ^ self._all


def _fresh(addresses: tuple[Ip, ...], taken: set[Ip]) -> tuple[IPv4Address, ...]:
    found = []
    for address in addresses:
        if isinstance(address, IPv4Address) and address not in taken:
            taken.add(address)
            found.append(address)
    return tuple(found)
