"""One node of a simulated cluster, kept by two more agents: one has an engine below it, the other one a VPP.

Both follow the store of the cluster and have the pods that the cluster's own node 1 has; the third, the cluster's own,
is there so that nodes, pods and records come about as they do in a cluster.
"""

from __future__ import annotations

from typing import Any, Generic, TypeVar

from tests.backends.items import dump
from tests.control.cluster.vpp.planes import EnginePlane, Plane, VppPlane
from vectorplane.backends.items import Item
from vectorplane.control.cluster.agent.agent import Agent
from vectorplane.control.cluster.agent.event import AddPod, DeletePod
from vectorplane.control.cluster.agent.node_config import NodeConfig
from vectorplane.control.cluster.ipam.pod import PodId
from vectorplane.control.cluster.ipnet import macs
from vectorplane.control.cluster.ipnet.ends import PodEnd, pod_end
from vectorplane.control.cluster.ipnet.handler import Ipnet
from vectorplane.control.cluster.kube.manifests.read import parse
from vectorplane.control.cluster.policies.handler import Policies
from vectorplane.control.cluster.services.handler import Services
from vectorplane.control.cluster.simulated.cluster import Cluster
from vectorplane.control.cluster.simulated.node import NIC
from vectorplane.control.cluster.simulated.wiring import SimWiring

NODE = "node-1"
NIC_MAC = "02:ca:00:00:00:01"


P = TypeVar("P", bound=Plane)


class Twin(Generic[P]):
    """An agent of the node, and what is below it."""

    def __init__(self, cluster: Cluster, plane: P) -> None:
        self.cluster, self.plane = cluster, plane
        self.start()

    def start(self) -> None:
        """A new agent (again): it finds what there is."""
        node = self.cluster.nodes[NODE]
        self.agent = Agent(
            NODE,
            self.cluster.settings,
            self.cluster.store,
            self.plane.scheduler,
            SimWiring(),
            node.containers,
            handlers=[Ipnet, Services, Policies],
            pod_mac=macs.pod_end,
            config=NodeConfig(nic=NIC, mac=NIC_MAC, host_addresses=(node.management,)),
        )
        self.agent.run_pending()
        self.healthy()

    def sync(self) -> None:
        """The pods and records that there are by now."""
        assert self.agent.node is not None
        pods, sandboxes = self.agent.node.pods, self.cluster.nodes[NODE].containers.sandboxes
        for gone in [pod for pod in pods if pod not in sandboxes]:
            self.agent.push_and_wait(DeletePod(gone, pods[gone].container))
        for sandbox in sandboxes.values():
            if sandbox.pod not in pods:
                result = self.agent.push_and_wait(AddPod(sandbox.pod, sandbox.container))
                assert result.address == sandbox.address
        self.agent.run_pending()
        self.healthy()

    def healthy(self) -> None:
        """All that is wanted is there, and nothing else."""
        last = list(self.plane.scheduler.history)[-1]
        assert last.outcome == "applied" and not last.failures and not last.pending, last.text
        assert self.plane.scheduler.verify() == []
        assert self.plane.scheduler.diff() == []

    def end_of(self, pod: str) -> PodEnd:
        """What the pod NAMESPACE/NAME of this node is configured with."""
        assert self.agent.node is not None
        return pod_end(self.agent.node, self.agent.node.pods[PodId(*pod.split("/"))])

    def done(self, since: int = 0) -> dict[str, int]:
        """What was done to the dataplane by this scheduler, from its record of that number on, by ``verb kind``."""
        found: dict[str, int] = {}
        for record in self.plane.scheduler.history:
            if record.number >= since:
                for what, count in record.done.items():
                    found[what] = found.get(what, 0) + count
        return found


class Twins:
    """The two, and the cluster that they are in."""

    def __init__(self, cluster: Cluster, engine: EnginePlane, vpp: VppPlane) -> None:
        self.cluster, self.engine, self.vpp = cluster, Twin(cluster, engine), Twin(cluster, vpp)
        self.same()

    def apply(self, text: str) -> None:
        """Manifests."""
        refused = [a for a in self.cluster.apply(self.objects(text)) if a.error is not None]
        assert not refused, refused
        self.sync()

    def delete(self, text: str) -> None:
        """What manifests name is gone."""
        self.cluster.delete(self.objects(text))
        self.sync()

    def sync(self) -> None:
        """Both follow, and hold the same."""
        for twin in (self.engine, self.vpp):
            twin.sync()
        self.same()

    def same(self) -> dict[str, Item]:
        """What both hold, as a VPP tells it: item by item the same."""
        ours, theirs = (dump(twin.plane.backend) for twin in (self.engine, self.vpp))
        canonical = self.vpp.plane.backend.canonical
        expected = {key: canonical(item) for key, item in ours.items()}
        assert theirs.keys() == expected.keys()
        assert theirs == expected, [(theirs[k], expected[k]) for k in expected if theirs[k] != expected[k]][:3]
        assert {i.key: canonical(i) for i in self.engine.agent.wanted} == theirs
        assert {i.key for i in self.vpp.agent.wanted} == theirs.keys()
        return theirs

    def settle(self) -> None:
        """The cluster comes to rest, and both follow."""
        self.cluster.settle()
        self.sync()

    @staticmethod
    def objects(text: str) -> list[Any]:
        """What manifests say."""
        return [m.object for m in parse(text, "test.yaml").manifests]
