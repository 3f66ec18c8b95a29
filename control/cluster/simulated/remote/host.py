"""A host in a node's process, as far as it is told to send something."""

from __future__ import annotations

from ipaddress import IPv4Address
from typing import TYPE_CHECKING, Any

from vectorplane.backends.engine.sim_host.host_stack import FirstHop
from vectorplane.backends.engine.sim_host.probe import Probe
from vectorplane.control.cluster.ipam.pod import PodId

if TYPE_CHECKING:
    from vectorplane.control.cluster.simulated.remote.engine import RemoteEngine


class RemoteReplay:
    """A `Sending`: as far as the process has told."""

    def __init__(self) -> None:
        self.sent = self.skipped = 0
        self.done = False


class RemoteHost:
    """A `Sender`: a pod's host, or (None) the node's own.

    Probes know their local port, and that they can't be, only when time goes on: they are begun together then.
    """

    def __init__(self, engine: RemoteEngine, pod: PodId | None, name: str) -> None:
        self.name = name
        self._engine = engine
        self._pod = None if pod is None else list(pod)

    def ping(self, destination: IPv4Address) -> Probe:
        """See `SimHost.ping`."""
        return self._begin("ping", destination)

    def connect(self, destination: IPv4Address, port: int, *, timeout: int) -> Probe:
        """See `SimHost.connect`."""
        return self._begin("tcp", destination, port, timeout=timeout)

    def send_udp(self, destination: IPv4Address, port: int, data: bytes) -> Probe:
        """See `SimHost.send_udp`."""
        return self._begin("udp", destination, port, data=data.hex())

    def sctp_init(self, destination: IPv4Address, port: int) -> Probe:
        """See `SimHost.sctp_init`."""
        return self._begin("sctp", destination, port)

    def replay_file(self, path: str, *, rewrite: bool) -> RemoteReplay:
        """See `SimHost.replay_file`."""
        return self._engine.begin_replay(pod=self._pod, path=path, rewrite=rewrite)

    def first_hop(self, destination: IPv4Address) -> FirstHop | None:
        """See `HostStack.first_hop`."""
        found = self._engine.call("first_hop", pod=self._pod, destination=str(destination))
        return None if found is None else FirstHop(IPv4Address(found[0]), *map(bytes.fromhex, found[1:]))

    def _begin(self, kind: str, destination: IPv4Address, port: int = 0, **more: Any) -> Probe:
        probe = Probe(kind, destination, port, 0, self._engine.now)
        self._engine.begin_probe(probe, pod=self._pod, **more)
        return probe
