"""What a cluster wants of a node, which lives in this process (`SimNode`) or in one of its own (`RemoteNode`)."""

from __future__ import annotations

from collections import Counter
from ipaddress import IPv4Address
from typing import Any, Protocol

from vectorplane.backends.engine.member import Port
from vectorplane.backends.engine.sim_host.host_stack import FirstHop
from vectorplane.backends.engine.sim_host.probe import Probe
from vectorplane.backends.engine.sim_tap import Tap
from vectorplane.control.cluster.ipam.arithmetic import Ip
from vectorplane.control.cluster.ipam.pod import PodId
from vectorplane.control.cluster.kube.model.pods import Pod


class NodeDown(Exception):
    """The node does not run; the text says which and why."""


class Sending(Protocol):
    """A capture that a host sends."""

    @property
    def done(self) -> bool:
        """Is all of it sent?"""

    @property
    def sent(self) -> int:
        """Packets sent."""

    @property
    def skipped(self) -> int:
        """Records that were none to send."""


class Sender(Protocol):
    """A host, as far as it sends what it is told to; a `SimHost` is one."""

    @property
    def name(self) -> str:
        """The host's name."""

    def ping(self, destination: IPv4Address) -> Probe:
        """See `SimHost.ping`."""

    def connect(self, destination: IPv4Address, port: int, *, timeout: int) -> Probe:
        """See `SimHost.connect`."""

    def send_udp(self, destination: IPv4Address, port: int, data: bytes) -> Probe:
        """See `SimHost.send_udp`."""

    def sctp_init(self, destination: IPv4Address, port: int) -> Probe:
        """See `SimHost.sctp_init`."""

    def replay_file(self, path: str, *, rewrite: bool) -> Sending:
        """See `SimHost.replay_file`."""

    def first_hop(self, destination: IPv4Address) -> FirstHop | None:
        """See `HostStack.first_hop`."""


class NicPort(Port, Protocol):
    """The port of a node's card."""

    def tap(self, path: Any) -> Tap:
        """See `SimNic.tap`."""


class NodeCopy(Protocol):
    """A copy of a node, to which things may happen without happening to the node."""

    def hop(self, interface: str, frame: bytes) -> dict[str, Any]:
        """Lead a frame that arrives at an interface through the copy; see `way.hop`. Raises CopyError."""

    def close(self) -> None:
        """It is not needed any more."""


class ClusterNode(Protocol):
    """A node: engine, agent, containers, hosts. Everything but `kill` and `start` raises NodeDown if it does not run.

    name, management: the node's name and its host's address in Kubernetes.
    down: why it does not run; empty: it runs.
    number: its id; address: of its card; pod_subnet: where its pods are; None as long as they are not known.
    """

    name: str
    management: Ip

    @property
    def down(self) -> str:
        """See above."""

    @property
    def number(self) -> int | None:
        """See above."""

    @property
    def address(self) -> IPv4Address | None:
        """See above."""

    @property
    def pod_subnet(self) -> str | None:
        """See above."""

    def start(self, now: int) -> None:
        """A new engine and a new agent, at this time (ns), join the network. The containers go on."""

    def kill(self) -> None:
        """Engine and agent are no more, and leave the network. Its card must be on no cable then."""

    def restart_agent(self) -> None:
        """The agent dies and comes back; the engine goes on with what it has."""

    def pump(self) -> bool:
        """Have the agent deal with all that waits; says whether there was anything."""

    def next_time(self) -> float | None:
        """When the agent has something to do by itself, in seconds; None: only when something happens."""

    def run(self, pod: Pod) -> Ip:
        """Start a pod. Raises KubeletError."""

    def stop(self, pod: PodId) -> None:
        """End a pod. Raises KubeletError."""

    def nic(self) -> NicPort | None:
        """The port of its card; None: there is none now."""

    def nic_mac(self) -> bytes | None:
        """Its card's address."""

    def sender(self, pod: PodId | None) -> tuple[Sender, str] | None:
        """A pod's host, or (None) the node's own, and the interface that it is linked to; None: it is not there."""

    def host_at(self, interface: str) -> str | None:
        """The name of the host that is linked to an interface."""

    def label(self, interface: str) -> str:
        """What people call an interface: whose link it is."""

    def cli(self, line: str) -> str:
        """A line of the debug CLI. Raises BackendError: it failed."""

    def counts(self) -> Counter[str]:
        """Packets of each interface, and errors, by their texts."""

    def items(self) -> int:
        """How many items the agent wants the dataplane to hold."""

    def history(self, count: int) -> list[dict[str, Any]]:
        """The last events of its agent (`EventRecord.json`), oldest first."""

    def copy(self) -> NodeCopy:
        """A copy of it as it is now. Raises CopyError."""
