"""Toy nodes: one kernel that can do all that the node ABI allows, by a rule in its runtime data, and logs its runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from vectorplane.dataplane.abi import (
    F_N,
    INPUT,
    KEPT,
    NODE,
    TERMINAL,
    WORKER,
    buffer_index,
    frame_n,
    put,
    set_next,
)
from vectorplane.dataplane.buffer import BUFFER, allocate, buffer_at, free
from vectorplane.dataplane.frame import emit
from vectorplane.dataplane.node import NodeType
from vectorplane.jit.kernel import kernel
from vectorplane.jit.ops import ld16s, ld32s, ld64, offsets, rec, st32, st64

if TYPE_CHECKING:
    from vectorplane.dataplane.graph import Node
    from vectorplane.dataplane.plane import Dataplane

MOST = 1 << 16
TOY = np.dtype(
    [
        ("rules", "i2", (8,)),  # by label modulo 8: a slot, or HOLD ...
        ("last_slot", "i4"),
        ("held_n", "i4"),
        ("log", "i8"),  # address of a shared log
        ("held", "i4", (8192,)),
    ],
    align=True,
)
HELD_AT, RULES_AT = offsets(TOY, "held", "rules")
HOLD, CONSUME, REPLICATE, RELEASE = -1, -2, -3, -4

LOG = np.dtype([("n", "i8"), ("words", "i4", (MOST,))])
"""Runs one behind the other: node, number of packets, their labels."""
WORDS_AT = offsets(LOG, "words")[0]


@kernel
def toy(worker: int, node: int, frame: int) -> int:
    """Log the run, then do with each packet (its label is `adj`) what the rule says."""
    d = rec(node, NODE)
    data = d.data
    r = rec(data, TOY)
    n = frame_n(frame)
    at = ld64(r.log)
    words = r.log + WORDS_AT
    st32(words + 4 * at, d.index)
    st32(words + 4 * at + 4, n)
    st64(r.log, at + 2 + n)
    for i in range(n):
        index = buffer_index(frame, i)
        label = rec(buffer_at(worker, index), BUFFER).adj
        st32(words + 4 * (at + 2 + i), label)
        action = ld16s(data + RULES_AT + 2 * (label & 7))
        slot = KEPT
        if action >= 0:
            slot = action
        elif action == HOLD:
            st32(data + HELD_AT + 4 * r.held_n, index)
            r.held_n += 1
        elif action == CONSUME:
            free(worker, index)
        elif action == REPLICATE:
            emit(worker, node, 0, index)
            copy = allocate(worker)
            rec(buffer_at(worker, copy), BUFFER).adj = label + 1
            emit(worker, node, r.last_slot, copy)
        else:
            for k in range(r.held_n):
                emit(worker, node, 0, ld32s(data + HELD_AT + 4 * k))
            r.held_n = 0
            slot = r.last_slot
        set_next(frame, i, slot)
    return n


SINK = np.dtype([("log", "i8")])


@kernel
def sink(worker: int, node: int, frame: int) -> int:
    """Terminal: logs and frees; leaves rubbish in the slots, which the dispatcher must not look at."""
    d = rec(node, NODE)
    log = rec(d.data, SINK).log
    n = frame_n(frame)
    at = ld64(log)
    st32(log + WORDS_AT + 4 * at, d.index)
    st32(log + WORDS_AT + 4 * at + 4, n)
    st64(log, at + 2 + n)
    for i in range(n):
        index = buffer_index(frame, i)
        st32(log + WORDS_AT + 4 * (at + 2 + i), rec(buffer_at(worker, index), BUFFER).adj)
        set_next(frame, i, 77)
        free(worker, index)
    return n


SOURCE = np.dtype([("left", "i8"), ("label", "i8"), ("slots", "i8"), ("step", "i8")])


@kernel
def source(worker: int, node: int, frame: int) -> int:
    """Input: makes `left` packets, labelled from `label` on, to `slots` next nodes in turn, `step` ns apart."""
    d = rec(node, NODE)
    r = rec(d.data, SOURCE)
    w = rec(worker, WORKER)
    n = 0
    while n < w.vector_size and r.left > 0 and d.next_time <= w.horizon:
        index = allocate(worker)
        if index < 0:
            break
        m = rec(buffer_at(worker, index), BUFFER)
        m.adj = r.label
        m.time = d.next_time
        put(frame, n, index, r.label % r.slots)
        d.next_time += r.step
        r.label += 1
        r.left -= 1
        n += 1
    if r.left == 0:
        d.next_time = (1 << 63) - 1
    st32(frame + F_N, n)
    return n


class Log:
    """What the toys of one dataplane logged."""

    def __init__(self, plane: Dataplane) -> None:
        from vectorplane.dataplane.region import Region

        self._region = Region(LOG.itemsize, name="toy log")
        self.address = self._region.address
        self._record = self._region.view(LOG, 0, 1)[0]

    def runs(self) -> list[tuple[int, list[int]]]:
        """(node index, labels) of each run, and forget them."""
        words = [int(x) for x in self._record["words"][: int(self._record["n"])]]
        self._record["n"] = 0
        runs, at = [], 0
        while at < len(words):
            runs.append((words[at], words[at + 2 : at + 2 + words[at + 1]]))
            at += 2 + words[at + 1]
        return runs

    def close(self) -> None:
        """Give the memory back."""
        self._region.close()


def _bind(plane: Dataplane, node: Node) -> None:
    node.data["log"] = plane.shared(Log).address


def toy_type(name: str, nexts: Sequence[str], rules: Sequence[int] = (0,) * 8) -> NodeType:
    """A toy node with these next nodes and this rule."""

    def bind(plane: Dataplane, node: Node) -> None:
        _bind(plane, node)
        node.data["rules"] = list(rules)
        node.data["last_slot"] = max(0, len(nexts) - 1)

    return NodeType(name=name, kernel=toy, nexts=tuple(nexts), runtime=TOY, bind=bind)


def sink_type(name: str) -> NodeType:
    """A terminal node."""
    return NodeType(name=name, kernel=sink, kind=TERMINAL, runtime=SINK, bind=_bind)


def source_type(name: str, nexts: Sequence[str]) -> NodeType:
    """An input node."""
    return NodeType(name=name, kernel=source, kind=INPUT, nexts=tuple(nexts), runtime=SOURCE)
