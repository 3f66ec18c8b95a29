"""Entries of services as NAT44 mappings.

All are for packets from outside alone: a backend that begins a connection of its own is not its service then, and a
service's address need not be in the pool.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address

from vectorplane.backends.items import Item, NatAddress, NatBackend, NatIdentity, NatService
from vectorplane.control.cluster.services.nat44.node import IDENTITIES, NOBODYS_TABLE, exit_address, exit_interface
from vectorplane.control.cluster.services.record import Backend, Entry, Purpose, ServiceRecord
from vectorplane.control.cluster.this_node import ThisNode

TWICE, SELF_TWICE = "twice-nat", "self-twice-nat"
LONGEST_TAG = 63


class Mapping:
    """What an entry is at any of its addresses: worked out once, as a node port may be at hundreds.

    Where all its backends are outside, they see the node. Packets for them would else be translated twice, in two
    tables, and the answers once. Where pods are beside them, these are to see who asks; those outside are not reached.
    """

    def __init__(self, node: ThisNode, entry: Entry, affinity: int, tag: str) -> None:
        self._entry, self._affinity, self._tag = entry, affinity, tag[:LONGEST_TAG]
        away = exit_address(node) is not None and all(backend.outside for backend in entry.backends)
        self._twice = TWICE if entry.hides_client or away else SELF_TWICE
        backends = sorted(_backend(node, backend) for backend in entry.backends)
        self._backends = tuple(sorted((*backends, _idle(backends[0])) if len(backends) == 1 else backends))

    def at(self, address: IPv4Address) -> NatService | None:
        """The item at that address; None: nothing serves there."""
        entry = self._entry
        if not self._backends or address in entry.not_at:
            return None
        return NatService(
            address, entry.port, entry.proto, self._backends, self._twice, True, self._affinity, self._tag
        )


def external_addresses(node: ThisNode, service: ServiceRecord) -> Iterator[Item]:
    """What makes external addresses work where pods' packets get the node's address on their way out.

    A backend's reply has one as its source when it leaves. nat44-ed asks there whether it has translated the packet
    already, but in the table that the reply came from, the pods', whereas the session is of the table that the client
    is in; it would translate it again. An identity mapping keeps it from that. But then it sees nothing else of the
    address on an interface that is inside and outside (of a pod that is a backend, say), unless the pool has it, too.
    So it is there, for a table that nobody is in. Node ports need none of this: the node's address has it all.
    """
    out = exit_interface(node)
    if out is None or out.address is None:
        return
    for entry in service.entries:
        if entry.purpose is Purpose.EXTERNAL and entry.address is not None and entry.address != out.address.ip:
            yield NatIdentity(entry.address, table=node.settings.main_vrf, tag=IDENTITIES)
            yield NatAddress(entry.address, NOBODYS_TABLE)


def _idle(sole: NatBackend) -> NatBackend:
    """A second backend for a service that has one, since NAT44 balances over two or more.

    Its share is nothing, so nobody gets it. A plain mapping would do; but connections end when one kind of mapping
    becomes the other, and VPP takes a plain one that leads from an address to that same address (of a node's host:
    a node port there, a backend in its network) for an identity mapping. It has the address of the other one, since
    a VPP with several workers keeps backends apart by worker, and by address knows which worker.
    """
    return NatBackend(sole.address, 0, 0, sole.table)


def _backend(node: ThisNode, backend: Backend) -> NatBackend:
    weight = node.settings.service_local_endpoint_weight if backend.local else 1
    return NatBackend(backend.address, backend.port, weight, _table(node, backend))


def _table(node: ThisNode, backend: Backend) -> int:
    """Where the way to a backend begins."""
    settings = node.settings
    if backend.on_host or (backend.outside and exit_address(node) is not None) or not (node.overlay or backend.local):
        return settings.main_vrf
    return settings.pod_vrf
