"""The pods of this node: who is connected, with which address, and when that address may be another pod's.

An address is a pod's from its first ADD until there is no record of the pod in the store and it is not connected here.
Nothing of it is stored: what ADD answered is in the runtime's hands, and everything else was not given yet.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from vectorplane.control.cluster.agent.errors import EventFailed
from vectorplane.control.cluster.agent.event import AddPod, DeletePod
from vectorplane.control.cluster.agent.runtime import RunningPod
from vectorplane.control.cluster.ipam.arithmetic import Ip
from vectorplane.control.cluster.ipam.error import IpamError
from vectorplane.control.cluster.ipam.pod import PodId
from vectorplane.control.cluster.model.pod import Pod
from vectorplane.control.cluster.state import Changed, ClusterState
from vectorplane.control.cluster.this_node import LocalPod, ThisNode

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class AddResult:
    """The answer to CNI ADD. The pod's interface has the address alone (/32, /128), and all goes to the gateway."""

    interface: str
    address: Ip
    gateway: Ip
    mac: str
    """Of the pod's end."""


POD_END = "eth0"
"""The interface inside a pod (CNI's CNI_IFNAME, which Kubernetes always gives so)."""


class Pods:
    """Keeps `ThisNode.pods` and IPAM. ``mac``: the MAC address of a pod's end, by its container."""

    def __init__(self, node: ThisNode, state: ClusterState, mac: Callable[[str], str]) -> None:
        self._node, self._state, self._mac = node, state, mac

    def start(self, running: Iterable[RunningPod]) -> None:
        """The agent starts: these pods run here already."""
        found: dict[PodId, LocalPod] = {}
        for pod in running:
            address = pod.address or self._reported(pod.pod)
            if address is None:
                log.info("pod %s runs here without an address: its ADD was never answered", pod.pod)
                continue
            if pod.pod in found:
                log.error("pod %s has two sandboxes, %s counts", pod.pod, pod.container)
            found[pod.pod] = LocalPod(pod.pod, pod.container, address, pod.namespace_path)
        self._node.pods.clear()
        self._node.pods.update(found)
        self.relearn()

    def relearn(self) -> None:
        """Which addresses are given, from what is known now."""
        known = {pod.id: pod.ip_address for pod in self._state.pods.values()}
        known.update((pod.id, pod.address) for pod in self._node.pods.values())
        self._node.ipam.relearn(known)
        for address, holders in self._node.ipam.conflicts().items():
            log.error("%s is the address of several pods: %s", address, ", ".join(map(str, holders)))

    def connected(self, event: AddPod) -> bool:
        """Is the pod connected by this very sandbox?"""
        pod = self._node.pods.get(event.pod)
        return pod is not None and (pod.container, pod.namespace_path) == (event.container, event.namespace_path)

    def stale(self, event: AddPod) -> DeletePod | None:
        """What has to go before: the pod's former sandbox, which the runtime did not tell the end of."""
        pod = self._node.pods.get(event.pod)
        return None if pod is None or self.connected(event) else DeletePod(event.pod, pod.container)

    def add(self, event: AddPod) -> Callable[[], None]:
        """Give the pod an address, and it is one of the node's. Gives what undoes that.

        Raises:
            EventFailed: it can't be added.
        """
        ipam, pod = self._node.ipam, event.pod
        fresh = ipam.address_of(pod) is None
        try:
            address = ipam.take(pod, event.ipam_data) if ipam.external else ipam.allocate(pod)
        except IpamError as error:
            raise EventFailed(f"pod {pod}: {error}") from None
        self._node.pods[pod] = LocalPod(pod, event.container, address, event.namespace_path)

        def undo() -> None:
            del self._node.pods[pod]
            if fresh or pod not in self._state.pods:
                ipam.release(pod)

        return undo

    def answer(self, pod: PodId) -> AddResult:
        """What ADD answers for a pod that is connected."""
        local = self._node.pods[pod]
        return AddResult(POD_END, local.address, self._node.ipam.pod_subnet.gateway, self._mac(local.container))

    def is_end_of(self, event: DeletePod) -> bool:
        """Is a pod connected that this is the end of?"""
        pod = self._node.pods.get(event.pod)
        return pod is not None and event.container in ("", pod.container)

    def remove(self, pod: PodId, keep_address: bool = False) -> None:
        """It is disconnected. ``keep_address``: it is about to come again."""
        del self._node.pods[pod]
        if not keep_address and pod not in self._state.pods:
            self._node.ipam.release(pod)

    def records_changed(self, changes: Iterable[Changed]) -> None:
        """Addresses of pods whose records are gone are free, unless the pod is still connected: then at its end."""
        for change in changes:
            if change.kind is Pod and change.new is None and change.old.id not in self._node.pods:
                self._node.ipam.release(change.old.id)

    def check(self, event: AddPod) -> None:
        """Raises EventFailed: there can be no such pod."""
        for field, value in (
            ("pod", event.pod.name),
            ("namespace", event.pod.namespace),
            ("container", event.container),
        ):
            if not value:
                raise EventFailed(f"pod {event.pod}: {field}: expected a name, got none")
        interface = LocalPod(event.pod, event.container, self._node.ipam.pod_subnet.gateway).interface
        for other in self._node.pods.values():
            if other.interface == interface and other.id != event.pod:
                raise EventFailed(f"pod {event.pod}: container: {event.container} is that of pod {other.id}")

    def _reported(self, pod: PodId) -> Ip | None:
        record = self._state.pods.get(pod)
        return None if record is None else record.ip_address
