"""Traffic that goes on between pods which are always there, one on each node, and must lose nothing."""

from __future__ import annotations

from collections.abc import Container
from ipaddress import IPv4Address

from vectorplane.backends.engine.sim_host.probe import Probe
from vectorplane.control.cluster.kube.model.pods import Pod
from vectorplane.control.cluster.simulated.cluster import Cluster
from vectorplane.control.cluster.simulated.targets import source

NODES = ("node-1", "node-2", "node-3")
MANIFEST = "\n---\n".join(
    ["{apiVersion: v1, kind: Namespace, metadata: {name: steady}}"]
    + [
        f"{{apiVersion: v1, kind: Pod, metadata: {{name: on-{node}, namespace: steady}}, "
        f"spec: {{nodeName: {node}, containers: [{{name: a, image: a}}]}}}}"
        for node in NODES
    ]
)
REQUEST = b"." * 60_000 + b"\r\n\r\n"
_MS = 1_000_000


class Flows:
    """`start` sends in all directions; what happens then happens while packets are under way; `end` counts."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._running: list[tuple[str, str, Probe]] = []
        self.answered = 0
        self._segments: dict[tuple[str, str], int] = {}
        """How many segments a transfer takes that nothing disturbs."""
        self._meet()
        self._send(retries=0)
        cluster.wait_for(*(probe for *_, probe in self._running))
        self._segments = {(a, b): probe.sent for a, b, probe in self._running if probe.kind == "tcp"}
        self._running = []

    def _meet(self) -> None:
        """The nodes' cards learn of each other: of nodes that are new the first packets are lost, as in VPP."""
        self._send(retries=2)
        self._cluster.wait_for(*(probe for *_, probe in self._running))
        self._running = []

    def start(self, microseconds: int) -> None:
        """Send pings, datagrams and a file, nothing of it twice, and let so much time go by."""
        self._meet()
        self._send(retries=0)
        self._cluster.network.run_until(self._cluster.now + 1000 * microseconds)

    def end(self, without: Container[str] = ()) -> None:
        """All is answered that does not concern these nodes; of files no segment was sent again."""
        self._cluster.wait_for(*(probe for *_, probe in self._running))
        for a, b, probe in self._running:
            if a in without or b in without:
                continue
            assert probe.answered, (a, b, probe)
            assert probe.sent == (self._segments[a, b] if probe.kind == "tcp" else 1), (a, b, probe)
            self.answered += 1
        self._running = []

    def _send(self, retries: int) -> None:
        for a in NODES:
            host = source(self._cluster, f"steady/on-{a}", "").host
            for b in NODES:
                if a == b:
                    continue
                pod = self._cluster.kube.get(Pod, f"on-{b}", "steady")
                assert pod is not None and isinstance(pod.address, IPv4Address)
                to = pod.address
                self._running += [
                    (a, b, host.ping(to, retries=retries)),
                    (a, b, host.send_udp(to, 7, b"steady", retries=retries)),
                    (a, b, host.connect(to, 80, REQUEST)),
                ]
