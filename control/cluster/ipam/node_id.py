"""The number of a node, which its addresses follow from: the lowest that no other node has.

Nodes choose for themselves and all at once; what they share is a store that puts a record only where there is none.
A node that comes back finds its record by its name, so it has the addresses it had. Who is gone keeps the number until
somebody deletes the record: a node can't know that it will not come back.
"""

from __future__ import annotations

from collections.abc import Container, Iterable
from typing import Annotated, Protocol

from pydantic import Field

from vectorplane.control.cluster.ipam.error import Exhausted, IpamError
from vectorplane.control.config_types import InterfaceAddress, Model

ATTEMPTS = 1000
"""Each lost one is a number for another node; so many lost ones are a store that does not keep its word."""


class NodeRecord(Model):
    """What all know about a node, at ``allocatedIDs/ID``. ``ip_addresses``: those of its VPP, where peers reach it."""

    id: Annotated[int, Field(ge=1, lt=1 << 32)]
    name: str
    ip_addresses: Annotated[tuple[InterfaceAddress, ...], Field(strict=False)] = ()


class NodeRecords(Protocol):
    """The store of the cluster's node records, as far as numbers need it."""

    def all(self) -> Iterable[NodeRecord]:
        """Every record."""
        ...

    def put_if_absent(self, record: NodeRecord) -> bool:
        """Put a record where there is none of that id, atomically. False: there is one."""
        ...

    def put(self, record: NodeRecord) -> None:
        """Put a record in the place of that node's own."""
        ...


def first_free(taken: Container[int], lowest: int = 1) -> int:
    """The lowest number that is not taken."""
    number = lowest
    while number in taken:
        number += 1
    return number


def claim(records: NodeRecords, name: str, most: int | None = None) -> NodeRecord:
    """This node's record: the one that bears its name, else a new one with the lowest free id.

    Args:
        records: the store.
        name: the node's name in Kubernetes.
        most: the highest id that there are addresses for (`Pools.most_nodes`).

    Raises:
        Exhausted: there are as many nodes as there are addresses for.
        IpamError: the node has no name, or the store takes no record.
    """
    if not name:
        raise IpamError("name", "expected the name of a node, got none")
    for _ in range(ATTEMPTS):
        known = {record.id: record for record in records.all()}
        mine = [number for number, record in known.items() if record.name == name]
        if mine:
            return known[min(mine)]
        number = first_free(known)
        if most is not None and number > most:
            raise Exhausted("node_id", f"there are addresses for {most} nodes, and all ids up to {most} are taken")
        record = NodeRecord(id=number, name=name)
        if records.put_if_absent(record):
            return record
    raise IpamError("node_id", f"no id for {name}: {ATTEMPTS} times another record was there first")


def publish(records: NodeRecords, record: NodeRecord, addresses: Iterable[InterfaceAddress]) -> NodeRecord:
    """The record with the addresses that the node's VPP has now; stored if they are not what others know already."""
    now = record.model_copy(update={"ip_addresses": tuple(addresses)})
    if now != record:
        records.put(now)
    return now
