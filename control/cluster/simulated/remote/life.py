"""The process of a node: it does what the cluster asks for, one thing after the other, until the cluster is gone."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import Any

from vectorplane.backends.engine.network import Network
from vectorplane.backends.engine.sim_host.probe import Probe
from vectorplane.backends.engine.sim_host.replay import Replay
from vectorplane.backends.engine.sim_host.sim_host import SimHost
from vectorplane.backends.engine.sim_nic import SimNic
from vectorplane.control.channel import Channel, ChannelError, Message
from vectorplane.control.cluster.ipam.arithmetic import Ip
from vectorplane.control.cluster.ipam.pod import PodId
from vectorplane.control.cluster.kube.model.pods import Pod
from vectorplane.control.cluster.settings import ClusterSettings
from vectorplane.control.cluster.simulated.containers import Containers
from vectorplane.control.cluster.simulated.forked_node import ForkedNode
from vectorplane.control.cluster.simulated.node import SimNode
from vectorplane.control.cluster.simulated.remote.failures import failure_out
from vectorplane.control.cluster.simulated.remote.frames import Outbox, unpack
from vectorplane.control.cluster.simulated.remote.probes import probe_out
from vectorplane.control.cluster.store.errors import StoreFailed
from vectorplane.control.cluster.store.remote import RemoteStore
from vectorplane.dataplane.region import lent

_CHANGING = frozenset(("pump", "restart_agent", "run_pod", "stop_pod", "cli"))
"""After these the node may stand otherwise than before."""


@dataclass(frozen=True)
class Birth:
    """What a node is at the beginning of its process."""

    name: str
    settings: ClusterSettings
    management: Ip
    seed: int
    containers: Containers
    now: int


def live(channel: Channel, birth: Birth) -> None:
    """The process's life, from the node's start on."""
    _Life(channel, birth).go()


class _Log(logging.Handler):
    """Keeps what is logged, for the cluster's side to log it."""

    def __init__(self) -> None:
        super().__init__()
        self._records: list[tuple[str, int, str]] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a record."""
        self._records.append((record.name, record.levelno, record.getMessage()))

    def take(self) -> list[tuple[str, int, str]]:
        """What was kept: who says it, how serious it is, and the text."""
        taken, self._records = self._records, []
        return taken


class _Life:
    def __init__(self, channel: Channel, birth: Birth) -> None:
        self._channel = channel
        self._log = _Log()
        logging.getLogger().handlers[:] = [self._log]
        self._network = Network([])
        self._network.run_until(birth.now)
        self._outbox = Outbox()
        self._nic: SimNic | None = None
        self._nics = 0
        """How many cards there were, each known by its number."""
        self._ended: list[tuple[int, Probe]] = []
        """Probes that have come to their ends, to be told."""
        self._replays: dict[int, Replay] = {}
        self._replay = 0
        self._copy: ForkedNode | None = None
        store = RemoteStore(self._ask_store)
        self._node = SimNode(
            birth.name, birth.settings, store, birth.management, birth.seed, self._network, birth.containers
        )
        self._node.start(birth.now)
        methods: tuple[Callable[[Message, bytes], Any], ...] = (
            *(self.wake, self.pump, self.restart_agent, self.run_pod, self.stop_pod, self.items),
            *(self.sender, self.host_at, self.label, self.cli, self.counts, self.history),
            *(self.replay, self.first_hop, self.copy, self.hop, self.end_copy),
        )
        self._methods = {method.__name__: method for method in methods}

    def go(self) -> None:
        """Answer until the cluster is gone."""
        with contextlib.suppress(ChannelError):
            while True:
                asked, data = self._channel.receive()
                self._answer(asked, data)

    def _answer(self, asked: Message, data: bytes) -> None:
        answer: Message = {}
        try:
            if asked["now"] > self._network.agenda.now:
                self._network.run_until(asked["now"])
            for begun in asked.get("begin", ()):
                self._begin(begun)
            if asked["op"] == "run":
                self._run(asked, data)
            else:
                answer["result"] = self._methods[asked["op"]](asked, data)
        except Exception as error:
            answer["error"] = failure_out(error)
        if asked["op"] in _CHANGING:
            self._plug_nic()
            answer["standing"] = self._standing()
        answer["due"] = self._network.due()
        answer["probes"] = [[number, probe_out(probe)] for number, probe in self._ended]
        self._ended.clear()
        answer["replays"] = [[n, r.sent, r.skipped, r.done] for n, r in self._replays.items()]
        self._replays = {n: replay for n, replay in self._replays.items() if not replay.done}
        answer["frames"], frames = self._outbox.take()
        answer["log"] = self._log.take()
        self._channel.send(answer, frames)

    def _ask_store(self, request: Message) -> Message:
        try:
            self._channel.send({"store": request})
            return self._channel.receive()[0]
        except ChannelError as error:
            raise StoreFailed(f"the cluster is gone: {error}") from None

    def _plug_nic(self) -> None:
        nic = self._node.nic()
        if nic is not self._nic:
            self._nic = nic
            self._nics += 1
            if nic is not None:
                nic.link = self._outbox

    def _standing(self) -> Message:
        node = self._node
        mac = node.nic_mac()
        return {
            "number": node.number,
            "address": None if node.address is None else str(node.address),
            "pod_subnet": node.pod_subnet,
            "next_time": node.next_time(),
            "nic": None if self._nic is None else self._nics,
            "mac": None if mac is None else mac.hex(),
            "made": node.containers.made,
        }

    # --- time

    def _run(self, asked: Message, data: bytes) -> None:
        """Frames arrive; everything up to a time happens."""
        until: int = asked["until"]
        if asked["frames"] and self._nic is not None:
            records, frames = unpack(asked["frames"], data)
            with lent(frames) as (address,):
                self._nic.receive(address, records)
        self._network.run_until(until)
        if self._nic is not None:
            self._nic.depart(until)

    def wake(self, asked: Message, data: bytes) -> None:
        """See `Network.wake`."""
        self._network.wake()

    # --- agent and pods

    def pump(self, asked: Message, data: bytes) -> bool:
        """See `ClusterNode.pump`."""
        return self._node.pump()

    def restart_agent(self, asked: Message, data: bytes) -> None:
        """See `ClusterNode.restart_agent`."""
        self._node.restart_agent()

    def run_pod(self, asked: Message, data: bytes) -> list[str]:
        """Start a pod, given as JSON; gives its address and its container."""
        pod = Pod.model_validate_json(data)
        address = self._node.run(pod)
        return [str(address), self._node.containers.sandboxes[PodId(pod.namespace, pod.name)].container]

    def stop_pod(self, asked: Message, data: bytes) -> None:
        """See `ClusterNode.stop`."""
        self._node.stop(PodId(*asked["pod"]))

    def items(self, asked: Message, data: bytes) -> int:
        """See `ClusterNode.items`."""
        return self._node.items()

    # --- questions

    def sender(self, asked: Message, data: bytes) -> list[str] | None:
        """A host's name and its interface."""
        found = self._node.sender(_pod(asked))
        return None if found is None else [found[0].name, found[1]]

    def host_at(self, asked: Message, data: bytes) -> str | None:
        """See `ClusterNode.host_at`."""
        return self._node.host_at(asked["interface"])

    def label(self, asked: Message, data: bytes) -> str:
        """See `ClusterNode.label`."""
        return self._node.label(asked["interface"])

    def cli(self, asked: Message, data: bytes) -> str:
        """See `ClusterNode.cli`."""
        return self._node.cli(asked["line"])

    def history(self, asked: Message, data: bytes) -> list[dict[str, Any]]:
        """See `ClusterNode.history`."""
        return self._node.history(asked["count"])

    def counts(self, asked: Message, data: bytes) -> dict[str, int]:
        """See `ClusterNode.counts`."""
        return dict(self._node.counts())

    # --- packets

    def _begin(self, asked: Message) -> None:
        """A host begins to ask something; what has come of it is told when it is over."""
        host, to, number = self._host(asked), IPv4Address(asked["destination"]), asked["id"]
        match asked["kind"]:
            case "tcp":
                probe = host.connect(to, asked["port"], timeout=asked["timeout"])
            case "udp":
                probe = host.send_udp(to, asked["port"], bytes.fromhex(asked["data"]))
            case "sctp":
                probe = host.sctp_init(to, asked["port"])
            case _:
                probe = host.ping(to)
        if probe.done:
            self._ended.append((number, probe))
        else:
            probe.on_done = lambda probe: self._ended.append((number, probe))

    def replay(self, asked: Message, data: bytes) -> int:
        """A host begins to send a capture; gives its number."""
        self._replay += 1
        self._replays[self._replay] = self._host(asked).replay_file(asked["path"], rewrite=asked["rewrite"])
        return self._replay

    def first_hop(self, asked: Message, data: bytes) -> list[str] | None:
        """See `HostStack.first_hop`."""
        found = self._host(asked).first_hop(asked["destination"])
        return None if found is None else [str(found.source), found.mac.hex(), found.next_mac.hex()]

    def _host(self, asked: Message) -> SimHost:
        found = self._node.sender(_pod(asked))
        if found is None:
            raise ValueError(f"node {self._node.name}: the host {asked['pod'] or 'of the node'} is not there any more")
        return found[0]

    # --- a copy

    def copy(self, asked: Message, data: bytes) -> None:
        """Make a copy of the node."""
        self.end_copy(asked, data)
        self._copy = self._node.copy()

    def hop(self, asked: Message, data: bytes) -> Message:
        """See `NodeCopy.hop`."""
        if self._copy is None:
            raise ValueError("there is no copy")
        return self._copy.hop(asked["interface"], data)

    def end_copy(self, asked: Message, data: bytes) -> None:
        """It is not needed any more."""
        copy, self._copy = self._copy, None
        if copy is not None:
            copy.close()


def _pod(asked: Message) -> PodId | None:
    return None if asked["pod"] is None else PodId(*asked["pod"])
