"""Drives one handler of an agent without an agent: events go in, items come out."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from ipaddress import ip_address, ip_interface
from typing import Any

from vectorplane.backends.items import Item
from vectorplane.control.cluster.agent.event import AddPod, DeletePod, Event, StateChange
from vectorplane.control.cluster.agent.wanted import Wanted
from vectorplane.control.cluster.ipam.ipam import Ipam
from vectorplane.control.cluster.ipam.pod import PodId
from vectorplane.control.cluster.settings import ClusterSettings
from vectorplane.control.cluster.simulated.wiring import SimWiring
from vectorplane.control.cluster.state import AnyRecord, Changed, ClusterState
from vectorplane.control.cluster.this_node import LocalPod, Nic, ThisNode

NIC = "GigabitEthernet0/8/0"


class Driver:
    """``make`` makes the handler: a class whose objects take (node, state, wanted)."""

    def __init__(
        self,
        make: Callable[[ThisNode, ClusterState, Wanted], Any],
        *,
        node_id: int = 1,
        name: str = "node-1",
        settings: ClusterSettings | None = None,
        address: str | None = "192.168.16.1/24",
        gateway: str | None = None,
        host_addresses: Iterable[str] = (),
    ) -> None:
        settings = settings or ClusterSettings()
        self.state = ClusterState()
        self.node = ThisNode(
            name,
            node_id,
            settings,
            Ipam(settings.ipam, node_id),
            SimWiring(),
            nic=Nic(NIC, ip_interface(address)) if address else None,
            gateway=ip_address(gateway) if gateway else None,
            host_addresses=tuple(map(ip_address, host_addresses)),
        )
        self.wanted = Wanted()
        self._make = make
        self.handler = make(self.node, self.state, self.wanted)
        self.resync()

    @property
    def items(self) -> dict[str, Item]:
        """What is wanted, by key."""
        return {item.key: item for item in self.wanted}

    def resync(self) -> None:
        """Everything anew."""
        self.wanted.begin(whole=True)
        self.handler.resync()
        self.wanted.change()

    def put(self, *records: AnyRecord) -> str:
        """Records of the store come or change, in one transaction."""
        return self._changed([self.state.put_record(r) for r in records])

    def delete(self, *records: AnyRecord) -> str:
        """Records go."""
        return self._changed([self.state.delete_record(r) for r in records])

    def _changed(self, changes: list[Changed | None]) -> str:
        return self.event(StateChange([c for c in changes if c is not None]))

    def event(self, event: Event) -> str:
        """One event."""
        self.wanted.begin()
        told = self.handler.update(event)
        self.wanted.change()
        return told

    def add_pod(self, namespace: str, name: str, address: str | None = None) -> LocalPod:
        """A pod starts on this node. ``address``: instead of IPAM's."""
        pod = PodId(namespace, name)
        ip = ip_address(address) if address else self.node.ipam.allocate(pod)
        made = LocalPod(pod, f"{namespace}-{name}", ip)
        self.node.pods[pod] = made
        self.event(AddPod(pod, made.container))
        return made

    def delete_pod(self, namespace: str, name: str) -> None:
        """It ends."""
        pod = PodId(namespace, name)
        self.event(DeletePod(pod))
        del self.node.pods[pod]

    def check(self) -> None:
        """What came of the events is what a resync makes of their end: to be called often."""
        fresh = Wanted()
        handler = self._make(self.node, self.state, fresh)
        fresh.begin(whole=True)
        handler.resync()
        assert {i.key: i for i in fresh} == self.items
