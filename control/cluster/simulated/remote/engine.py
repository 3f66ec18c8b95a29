"""What stands in the cluster's network for a node's engine: the process in which that is, and its one card."""

from __future__ import annotations

import logging
from typing import Any

from vectorplane.backends.engine.sim_host.probe import Probe, ProbeState
from vectorplane.control.channel import ChannelError, Message
from vectorplane.control.cluster.simulated.cluster_node import NodeDown
from vectorplane.control.cluster.simulated.remote.failures import failure_in
from vectorplane.control.cluster.simulated.remote.host import RemoteReplay
from vectorplane.control.cluster.simulated.remote.port import RemotePort
from vectorplane.control.cluster.simulated.remote.probes import bring
from vectorplane.control.cluster.simulated.remote.process import Process
from vectorplane.control.cluster.store.serve import StoreServer
from vectorplane.control.cluster.store.store import Store
from vectorplane.dataplane.abi import NEVER

log = logging.getLogger(__name__)


class RemoteEngine:
    """A `Member`, for one life of a process.

    The process is given one thing to do at a time. `run_until` does not wait for it, so that the processes of several
    nodes run at the same time; whatever is asked next does. One that dies has nothing to do any more, for ever.
    """

    clock = "virtual"

    def __init__(self, name: str, process: Process, store: Store, now: int) -> None:
        self.name, self.process, self.now = name, process, now
        self.port: RemotePort | None = None
        """Of its card; None: it has none now."""
        self.standing: Message = {}
        """What the node is, as it was told last (`life.py`); empty: not yet."""
        self._server = StoreServer(store)
        self._due = NEVER
        self._running = self._dirty = False
        self._begin: list[Message] = []
        """Probes that the process has not been told of yet."""
        self._asked = 0
        self._probes: dict[int, Probe] = {}
        self._replays: dict[int, RemoteReplay] = {}
        self._down = ""

    # --- its life

    @property
    def down(self) -> str:
        """Why it does not run; empty: it runs."""
        if not self._down and self.process.ended() is not None:
            self._died("")
        return self._down

    def end(self, why: str) -> None:
        """Kill the process; what it had to do has come to its end."""
        self._down = self._down or why
        self.process.kill()
        self._server.close()
        self._running, self._due = False, NEVER
        if self.port is not None:
            self.port.close()
            self.port = None
        for probe in self._probes.values():
            probe.finish(ProbeState.TIMED_OUT, self.now)
        for replay in self._replays.values():
            replay.done = True
        self._probes.clear()
        self._replays.clear()

    def _died(self, why: str) -> None:
        """The process is of no use any more."""
        how = self.process.ended()
        if how is None:
            self.process.kill()
            how = self.process.ended()
        self.end(f"node {self.name} is down: its process {how}" + (f" ({why})" if why else ""))
        log.error("%s", self._down)

    # --- what is asked of it

    def call(self, op: str, data: bytes = b"", **args: Any) -> Any:
        """Have the process do something (`life.py`), and wait for it.

        Raises:
            NodeDown: it does not run, or died of it.
        """
        self.collect()
        if not self.down:
            self._dirty = True
            try:
                begin, self._begin = self._begin, []
                self.process.channel.send({"op": op, "now": self.now, "begin": begin, **args}, data)
                return self._receive()
            except ChannelError as error:
                self._died(str(error))
        raise NodeDown(self._down)

    def begin_probe(self, probe: Probe, **args: Any) -> None:
        """Have a host ask something, at the present time, as soon as the process is asked for anything.

        Raises:
            NodeDown: it does not run.
        """
        if self.down:
            raise NodeDown(self._down)
        self._asked += 1
        self._probes[self._asked] = probe
        asked = {"id": self._asked, "kind": probe.kind, "destination": str(probe.destination), "port": probe.port}
        self._begin.append({**asked, **args})
        self._dirty = True

    def begin_replay(self, **args: Any) -> RemoteReplay:
        """Have a host send a capture. Raises NodeDown, CaptureError."""
        replay = RemoteReplay()
        self._replays[self.call("replay", **args)] = replay
        return replay

    def _receive(self) -> Any:
        """The answer; meanwhile the process may ask for what the store says."""
        while True:
            answer, data = self.process.channel.receive()
            if "died" in answer:
                raise ChannelError(answer["died"])
            if "store" not in answer:
                break
            self.process.channel.send(self._server.answer(answer["store"]))
        for name, level, text in answer["log"]:
            logging.getLogger(name).log(level, "%s", text)
        if "standing" in answer:
            self._stands(answer["standing"])
        self._due = answer["due"]
        if self.port is not None:
            self.port.departed(answer["frames"], data)
        for number, told in answer["probes"]:
            if number in self._probes:
                bring(self._probes.pop(number), told)
        for number, sent, skipped, done in answer["replays"]:
            if number in self._replays:
                replay = self._replays[number]
                replay.sent, replay.skipped, replay.done = sent, skipped, done
        if "error" in answer:
            raise failure_in(answer["error"])
        return answer.get("result")

    def _stands(self, standing: Message) -> None:
        if standing["nic"] != self.standing.get("nic"):
            if self.port is not None:
                self.port.close()
            self.port = None if standing["nic"] is None else RemotePort(self, self.name)
        self.standing = standing

    # --- a member of the network

    def next_time(self) -> int:
        """See `Member`."""
        return self.due()

    def due(self) -> int:
        """See `Member`."""
        self.collect()
        first = None if self.port is None else self.port.arriving.first
        return self._due if first is None else min(self._due, first)

    def wake(self) -> None:
        """See `Member`."""
        if self._dirty and not self._down:
            try:
                self.call("wake")
            except NodeDown:
                return  # which was told
            self._dirty = False
        if self.port is not None:
            self.port.depart(self.now)

    def advance(self, now: int) -> None:
        """See `Member`."""
        self.collect()
        self.now = max(self.now, now)

    def run_until(self, limit: int) -> None:
        """See `Member`; `collect` waits for the end of it."""
        if self.due() <= limit:
            count, frames = (0, b"") if self.port is None else self.port.arriving.take()
            try:
                self.process.channel.send({"op": "run", "now": self.now, "until": limit, "frames": count}, frames)
                self._running = True
            except ChannelError as error:
                self._died(str(error))
        self.now = max(self.now, limit)

    def collect(self) -> None:
        """Wait until the process has run as far as it was to. Raises what it met: a capture that can't be read."""
        if self._running:
            self._running = False
            try:
                self._receive()
            except ChannelError as error:
                self._died(str(error))

    def run(self) -> None:
        """See `Member`."""
        self.run_until(self.due())

    def stop(self) -> None:
        """See `Member`: it never runs longer than it was told to."""
