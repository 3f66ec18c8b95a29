"""Leads a packet through an engine node by node, and has each step explained.

The engine really runs: sessions are made, addresses learnt, counters count. What a device would send is taken away
in front of it. What a running instance must not notice is done in a copy (`live`). No worker may be dispatching.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from vectorplane.control.packet_explain.explainers import EXPLAINERS, explainers_of
from vectorplane.control.packet_explain.explanation import (
    BECAME,
    CONSUMED,
    COPY,
    DROPPED,
    HELD,
    MADE,
    SENT,
    Explanation,
    Outcome,
    Packet,
    Step,
)
from vectorplane.control.packet_explain.header_text import difference, summary
from vectorplane.control.packet_explain.headers import ETHERNET, IP4, IP6, layers
from vectorplane.control.packet_explain.moment import Explainer, Explaining, Moment, Told, View
from vectorplane.control.packet_explain.receive import receive
from vectorplane.control.packet_explain.tally import Tally
from vectorplane.dataplane.abi import TERMINAL
from vectorplane.dataplane.buffer import LOCALLY_ORIGINATED, TRACED
from vectorplane.dataplane.inject import enqueue_packet, free_packet
from vectorplane.dataplane.stepper import Stepper, Waiting
from vectorplane.dataplane.trace_log import TraceLog
from vectorplane.graph_nodes.handoff import Handoffs

if TYPE_CHECKING:
    from vectorplane.backends.engine.engine import Engine
    from vectorplane.dataplane.trace_record import Record

MOST_STEPS = 4096
"""A frame that is flooded to a thousand ports is told of as far as this."""


class Journey:
    """One packet's way through ``engine``; `go` leads it. ``all_rules``: tell of each rule that was looked at."""

    def __init__(
        self, engine: Engine, *, all_rules: bool = False, explainers: tuple[Explainer, ...] = EXPLAINERS
    ) -> None:
        self._engine, self._plane, self._explainers = engine, engine.plane, explainers
        self._all_rules = all_rules
        self._stepper = Stepper(engine.plane)
        self._log = engine.plane.shared(TraceLog)
        self._log.clear()
        self._mark = self._log.take_number()
        self._tally = Tally(engine.plane)
        self._packets: dict[int, Packet] = {}
        """By buffer: the packets under way."""
        self._given = b""

    def go(self, sw_if_index: int, data: bytes) -> Explanation:
        """A packet of these bytes arrives on an interface now; all that comes of it.

        Raises:
            ValueError: the interface takes no packets from outside, or there is no buffer for it.
        """
        while self._stepper.take():
            pass  # what others have under way is not this packet's business; its buffers are lost to this copy
        interface = self._engine.interfaces[sw_if_index]
        kind = ETHERNET if interface.device.ethernet else _ip_kind(data)
        story = Explanation(interface.name, self._engine.now, data.hex(), summary(data, kind))
        if interface.is_sub:
            port = self._engine.interfaces[interface.sup].name
            story.notes.append(f"it arrives on {port}: its tags say that it is for {interface.name}, or not")
        first = Packet(1)
        story.packets.append(first)
        self._packets[receive(self._engine, sw_if_index, data)] = first
        self._given, self._story = data, story
        while True:
            frame = self._stepper.take() or self._passed_on()
            if not frame:
                break
            for i, packet in enumerate(frame):
                if len(story.steps) >= MOST_STEPS:
                    story.notes.append(f"the story ends here: it has {MOST_STEPS} steps")
                    return story
                self._step(packet, frame[i + 1 :])
        return story

    def _step(self, at: Waiting, others: Sequence[Waiting]) -> None:
        """One packet at one node; ``others`` were taken with it and come next."""
        packet = self._packets[at.buffer]
        moment = Moment(self._engine, at.node, at.worker, at.buffer, self._view(at.buffer), self._all_rules)
        if at.node.type.kind == TERMINAL and at.node.name.endswith("-tx"):
            self._sent(at, packet, moment)
            return
        explaining = [e.explain(moment) for e in explainers_of(at.node.type.name, self._explainers)]
        for each in explaining:
            next(each)
        known = {w.buffer for w in (*self._stepper.waiting(), *others)}
        records = self._run(at, moment)
        waiting = {w.buffer: w for w in self._stepper.waiting()}
        moved = waiting.get(at.buffer)
        if moved is not None:
            moment.after, moment.next = self._view(at.buffer), moved.node.name
        new = [b for b in waiting if b not in known and b != at.buffer]
        moment.made = len(new)
        told = [_finish(each) for each in explaining]
        self._note(packet, moment, told, records, bool(explaining))
        self._ended(at, packet, moment, [self._new(buffer, packet, at) for buffer in new])

    def _run(self, at: Waiting, moment: Moment) -> list[Record]:
        """Let the node run; its trace records."""
        meta = self._plane.pool.meta[at.buffer]
        meta["flags"] |= TRACED
        meta["trace"] = self._mark
        count = self._log.count(at.worker)
        self._tally.begin(at.worker)
        self._stepper.run(at)
        moment.counted = self._tally.counted()
        records = self._log.records(at.worker, count)
        moment.record = next((r for r in records if r.node is at.node), None)
        return records

    def _note(self, packet: Packet, moment: Moment, told: list[Told], records: list[Record], explained: bool) -> None:
        trace = "\n".join(text for r in records for _, text in r.text(self._plane)).strip("\n")
        facts: dict[str, Any] = {}
        lines: list[str] = []
        for each in told:
            lines += each.lines
            facts |= each.facts
            if each.disagreement is not None:
                self._story.disagreements.append(f"{moment.node.name}: {each.disagreement}")
        self._story.steps.append(
            Step(packet.number, moment.node.name, lines, facts, moment.next, moment.counted, trace, explained)
        )

    def _new(self, buffer: int, parent: Packet, at: Waiting) -> Packet:
        """A packet that the node has put on its way beside the one that it was given, or in its place."""
        ours = int(self._plane.pool.meta[buffer]["flags"]) & LOCALLY_ORIGINATED
        origin = MADE if ours or parent.origin == MADE else COPY
        packet = Packet(len(self._story.packets) + 1, origin, parent.number, at.node.name)
        self._story.packets.append(packet)
        self._packets[buffer] = packet
        return packet

    def _ended(self, at: Waiting, packet: Packet, moment: Moment, made: list[Packet]) -> None:
        """Has the packet's way ended at this node? What then goes on in its buffer is another packet (an answer)."""
        dropped, consumed = self._tally.dropped, self._tally.consumed
        copies = [p.number for p in made if p.origin in (packet.origin, COPY)]
        if dropped is not None:
            packet.outcome = Outcome(DROPPED, *dropped, severity="error")
        elif consumed is not None:
            packet.outcome = Outcome(CONSUMED, *consumed, severity="info")
        elif moment.next is not None or self._is_passed_on(at.buffer):
            return
        elif copies:
            packet.outcome = Outcome(BECAME, at.node.name, into=copies)
        else:
            packet.outcome = Outcome(HELD, at.node.name, "; ".join(moment.counted))
        self._packets.pop(at.buffer)
        if moment.next is not None:
            self._new(at.buffer, packet, at)

    def _sent(self, at: Waiting, packet: Packet, moment: Moment) -> None:
        """It is in front of a device: taken away there."""
        data, tx = moment.before.data, moment.before.tx
        interface = self._engine.interfaces.by_index.get(tx)
        ethernet = interface is None or interface.device.ethernet
        kind = ETHERNET if ethernet else _ip_kind(data)
        name = moment.interface(tx)
        outcome = Outcome(SENT, at.node.name, interface=name, hex=data.hex(), summary=summary(data, kind))
        if packet.origin != MADE:
            outcome.changes = difference(layers(self._given, self._given_kind()), layers(data, kind))
        packet.outcome = outcome
        step = Step(packet.number, at.node.name, [f"handed to the device of {name}"], {}, None, {}, "", True)
        step.facts = {"interface": name, "bytes": len(data)}
        self._story.steps.append(step)
        free_packet(self._plane, at.buffer, at.worker)
        self._packets.pop(at.buffer, None)

    def _given_kind(self) -> str:
        interface = self._engine.interfaces[self._story.interface]
        return ETHERNET if interface.device.ethernet else _ip_kind(self._given)

    # --- other workers

    def _is_passed_on(self, buffer: int) -> bool:
        """Does the packet lie in the ring of another worker?"""
        handoffs = Handoffs.of(self._plane)
        return handoffs is not None and any(buffer == b for _, b, _ in handoffs.under_way())

    def _passed_on(self) -> list[Waiting]:
        """What workers have passed to each other waits for its nodes; the first of them."""
        handoffs = Handoffs.of(self._plane)
        if handoffs is None:
            return []
        for worker, buffer, node in handoffs.take_all():
            if buffer in self._packets:
                enqueue_packet(self._plane, node, buffer, worker)
        return self._stepper.take()

    def _view(self, buffer: int) -> View:
        return View(self._plane.pool.data(buffer), self._plane.pool.meta[buffer].copy())


def _finish(explaining: Explaining) -> Told:
    try:
        next(explaining)
    except StopIteration as end:
        told: Told = end.value
        return told
    raise RuntimeError("an explainer has more than one yield")


def _ip_kind(data: bytes) -> str:
    return IP6 if data and data[0] >> 4 == 6 else IP4
