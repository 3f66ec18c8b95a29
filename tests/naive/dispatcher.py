"""The dispatcher as queues of lists: which node runs when, on which packets, for the toy nodes of the tests.

A packet is a label (a number). A node's rule says for each label modulo 8 what it does with the packet.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

FRAME_SIZE = 256
HOLD, CONSUME, REPLICATE, RELEASE = -1, -2, -3, -4


@dataclass
class Frame:
    """Packets on their way to a node."""

    node: int
    packets: list[int]


@dataclass
class Dispatcher:
    """``nexts[node]``: its next nodes by slot; ``rules[node]``: eight actions, a slot or one of the above."""

    nexts: list[list[int]]
    rules: list[list[int]]
    pending: deque[Frame] = field(default_factory=deque)
    open: dict[int, Frame] = field(default_factory=dict)
    held: dict[int, list[int]] = field(default_factory=dict)
    log: list[tuple[int, list[int]]] = field(default_factory=list)
    """Each run of a node: the node and the labels of its packets."""
    freed: int = 0

    def enqueue(self, node: int, packet: int) -> None:
        """One packet more for a node: into its open frame, into a new one when that is full."""
        frame = self.open.get(node)
        if frame is None or len(frame.packets) == FRAME_SIZE:
            self.pend(Frame(node, []))
        self.open[node].packets.append(packet)

    def pend(self, frame: Frame) -> None:
        """A frame joins the end of the queue; what arrives for its node from now on joins it."""
        self.pending.append(frame)
        self.open[frame.node] = frame

    def hand_over(self, node: int, packets: list[int]) -> None:
        """All packets of a frame go to one next: as a whole."""
        waiting = self.open.get(node)
        if waiting is None or len(waiting.packets) + len(packets) > FRAME_SIZE:
            self.pend(Frame(node, packets))
        else:
            waiting.packets += packets

    def run(self) -> None:
        """Until nothing is pending."""
        while self.pending:
            frame = self.pending.popleft()
            if self.open.get(frame.node) is frame:
                del self.open[frame.node]
            self.log.append((frame.node, list(frame.packets)))
            self.run_node(frame.node, frame.packets)

    def run_node(self, node: int, packets: list[int]) -> None:
        """The toy node."""
        slots = []
        for packet in packets:
            action = self.rules[node][packet % 8]
            slot = -1
            if action >= 0:
                slot = action
            elif action == HOLD:
                self.held.setdefault(node, []).append(packet)
            elif action == CONSUME:
                self.freed += 1
            elif action == REPLICATE:
                self.enqueue(self.nexts[node][0], packet)
                self.enqueue(self.nexts[node][-1], packet + 1)
            elif action == RELEASE:
                for old in self.held.pop(node, []):
                    self.enqueue(self.nexts[node][0], old)
                slot = len(self.nexts[node]) - 1
            slots.append(slot)
        if len(set(slots)) == 1:
            if slots[0] >= 0:
                self.hand_over(self.nexts[node][slots[0]], list(packets))
            return
        for packet, slot in zip(packets, slots, strict=True):
            if slot >= 0:
                self.enqueue(self.nexts[node][slot], packet)
