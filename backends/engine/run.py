"""The loop around the dispatcher: timers, slow-path events, refills and write-outs, in the engine's time.

With one worker it runs on the calling thread. With several, each worker dispatches on a thread of its own
until it needs Python; when all have come to that point (a barrier) Python does what is to be done, once, in a
fixed order. Where the barriers lie depends only on the packets, never on the speed of a thread.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from vectorplane.dataplane.abi import (
    ATTENTION_BARRIER,
    ATTENTION_EVENTS,
    ATTENTION_FLUSH,
    ATTENTION_REFILL,
    ATTENTION_SERVICE,
    DEADLINE,
    IDLE,
    NEVER,
    PYTHON_NODE,
)
from vectorplane.dataplane.python_node import run_python_node
from vectorplane.graph_nodes.capture_input import BARRIER_BEHIND, BARRIER_PASS, BARRIER_STOP
from vectorplane.graph_nodes.handoff import Handoffs

if TYPE_CHECKING:
    from vectorplane.backends.engine.engine import Engine
    from vectorplane.dataplane.worker import Worker

_ROUNDS = 1 << 14
"""Rounds of polling after which the dispatcher comes back anyway, so that signals are seen."""
_ENDLESS = 1 << 62
_SERVICE = 20_000_000
"""Longest time between two visits to the devices' control channels under load, ns."""
_ROUNDS_TOGETHER = 256
"""Real time, several workers: rounds after which all meet, so that one with packets does not keep idle ones waiting."""


class Runner:
    """Runs the workers of one engine."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._threads: ThreadPoolExecutor | None = None

    def _dispatch(self, worker: Worker) -> int:
        # with several workers this thread only waits, and sees signals while it does: no need to come back for them
        several = _ROUNDS_TOGETHER if self._engine.clock == "real" else _ENDLESS
        rounds = _ROUNDS if len(self._engine.plane.workers) == 1 else several
        while True:
            reason = worker.dispatch(rounds)
            if reason != PYTHON_NODE:
                return reason
            run_python_node(self._engine.plane, worker)

    def round(self, deadline: int) -> set[int]:
        """Let all workers run up to ``deadline`` or until they need Python; the reasons that they gave."""
        workers = self._engine.plane.workers
        for w in workers:
            w.record["deadline"] = deadline
        if len(workers) == 1:
            return {self._dispatch(workers[0])}
        if self._threads is None:
            self._threads = ThreadPoolExecutor(len(workers), thread_name_prefix="vectorplane")
        return set(self._threads.map(self._dispatch, workers))

    def attend(self) -> bool:
        """Do what the workers' attention bits ask for; True when there was anything."""
        engine = self._engine
        bits, at_barrier = 0, True
        for w in engine.plane.workers:
            asked = int(w.record["attention"])
            bits |= asked
            at_barrier = at_barrier and bool(asked & ATTENTION_BARRIER)
            w.record["attention"] = 0
        if bits & ATTENTION_EVENTS:
            for w in engine.plane.workers:
                for event in w.events.drain():
                    handler = engine.event_handlers.get(int(event["kind"]))
                    if handler is not None:
                        handler(event)
            engine.link()
        if at_barrier:
            self._pass_barrier()
        if bits & ATTENTION_FLUSH:
            for device in engine.devices():
                device.flush()
        if bits & ATTENTION_REFILL:
            for device in engine.devices():
                if len(engine.plane.workers) > 1:
                    device.flush()  # all workers are at the end of one window: a good moment to merge
                device.refill()
        if bits & ATTENTION_SERVICE:
            for device in engine.devices():
                device.service()
        if engine.on_tick is not None:
            engine.on_tick()
        return bits != 0

    def _pass_barrier(self) -> None:
        """All workers stand before one ARP packet of one input node, or behind it: let them pass."""
        graph = self._engine.plane.graph
        nodes = [graph[name] for name in ("capture-input", "sim-input") if name in graph]
        for node in nodes:
            if (node.data["barrier"] == BARRIER_BEHIND).all():
                node.data["barrier"] = BARRIER_STOP
                return
        waiting = [n for n in nodes if (n.data["barrier"] == BARRIER_STOP).all()]
        first = min(waiting, key=lambda n: min(int(n.record(w)["next_time"]) for w in range(graph.workers)))
        first.data["barrier"] = BARRIER_PASS

    def run_until(self, limit: int = NEVER) -> None:
        """Run everything that is due up to ``limit`` ns; without a limit until no input has packets left.

        Timers run at their time, between packets. A run without limit does not go on for timers alone.
        """
        engine = self._engine
        engine.link()
        while not engine.stopped:
            timer = engine.timers.next_time()
            due = end = min(limit, timer)
            handoffs = Handoffs.of(self._engine.plane)
            if handoffs is not None and engine.clock == "virtual":
                end = min(due, engine.next_time() + max(min(handoffs.epoch, due), 1) - 1)
            reasons = self.round(end)
            engine.plane.epochs.poll()
            if self.attend():
                continue
            if not reasons <= {DEADLINE, IDLE}:
                continue
            if handoffs is not None and (handoffs.publish() or (end < due and DEADLINE in reasons)):
                continue
            if (DEADLINE in reasons or limit < NEVER) and timer <= limit:
                engine.advance(timer)
                engine.timers.run(timer)
                engine.link()
                continue
            break
        if limit < NEVER and not engine.stopped:
            engine.advance(limit)
        for device in engine.devices():
            device.flush()

    def run_real(self, endless: bool = False) -> None:
        """Real time: run until stopped, or (unless ``endless``) until no device can bring a packet any more.

        Without packets it sleeps until the next timer or packet that it knows of, or until another thread was in
        the engine (`vectorplane.backends.engine.gate`).
        """
        engine = self._engine
        gate = engine.gate
        woken, serviced, busy = True, 0, engine.now
        while not engine.stopped:
            gate.take_turn()
            try:
                if woken or engine.now - serviced > _SERVICE:
                    for device in engine.devices():
                        device.service()
                    woken, serviced = False, engine.now
                idle = self.turn()
                devices = engine.devices()
                if idle:
                    for device in devices:
                        device.flush()
                    idle = sum(d.arm() for d in devices) == 0  # every one is armed, whatever the others say
                pending = any(d.pending() for d in devices)
                fds = [fd for d in devices for fd in d.wait_fds()] if idle else []
                due = min(engine.next_time(), engine.timers.next_time())
                wait = None if due == NEVER else max(0.0, (due - engine.now) / 1e9)
                naps = [d.nap((engine.now - busy) / 1e9) for d in devices] if idle else []
            finally:
                gate.end_turn()
            if not idle or engine.stopped:  # `stop` may have come before this turn, which took its news
                busy = engine.now
                continue
            if not pending and not fds and not endless:
                break
            wait = min((w for w in (wait, *naps) if w is not None), default=None)
            woken = gate.sleep(wait, fds)
        for device in engine.devices():
            device.flush()

    def turn(self) -> bool:
        """Real time: one round of the workers and what Python has to do after it; True when there was nothing to do.

        The calling thread must have the engine for itself.
        """
        engine = self._engine
        engine.link()
        reasons = self.round(NEVER)
        engine.plane.epochs.poll()
        ran = engine.timers.run(engine.now)
        engine.link()
        if self.attend() or ran or reasons != {IDLE}:
            return False
        handoffs = Handoffs.of(self._engine.plane)
        return handoffs is None or not handoffs.publish()

    def settle(self) -> None:
        """Run what waits in the graph (packets that control work made, an ARP request say); nothing is polled.

        The calling thread must have the engine for itself.
        """
        engine, worker = self._engine, self._engine.plane.workers[0]
        if int(worker.record["head"]) == int(worker.record["tail"]):
            return
        engine.link()
        while worker.dispatch(0) == PYTHON_NODE:
            run_python_node(engine.plane, worker)
        for device in engine.devices():
            device.flush()

    def close(self) -> None:
        """End the worker threads."""
        if self._threads is not None:
            self._threads.shutdown()
