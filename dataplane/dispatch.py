"""The dispatcher: a compiled loop that polls input nodes and runs pending frames to completion.

It returns to Python only when there is something that Python must do: run timers, refill a capture's
window, write out what was transmitted, handle a slow-path event, run a node written in Python, stop.
Everything it needs to go on is in the worker's record, so the next call continues where this one left.

Time is charged without gaps: from one reading of the cycle counter to the next, each interval is
either a node's (its kernel and the enqueueing of what it sent on) or the dispatcher's own.
"""

from __future__ import annotations

from vectorplane.dataplane.abi import (
    ATTENTION,
    DEADLINE,
    F_BI,
    F_N,
    F_NODE,
    F_NX,
    FRAME_SIZE,
    IDLE,
    NEVER,
    NODE,
    POLLING,
    PYTHON,
    PYTHON_NODE,
    REAL,
    ROUNDS,
    STOPPED,
    TERMINAL,
    VIRTUAL,
    WORKER,
)
from vectorplane.dataplane.epoch import enter, leave, quiescent
from vectorplane.dataplane.frame import QUEUE, enqueue, frame_at, free_frame, new_frame, node_at, pend
from vectorplane.dataplane.trace import frame_is_traced, mark_frame
from vectorplane.jit.kernel import compiled, helper
from vectorplane.jit.ops import (
    call3,
    cycles,
    ld16s,
    ld32s,
    ld64,
    load_acquire,
    rec,
    st32,
    st64,
)


@helper
def all_same(frame: int, n: int) -> bool:
    """Do all packets of the frame go to one next?"""
    first = ld16s(frame + F_NX)
    different = 0
    for i in range(n):
        different |= ld16s(frame + F_NX + 2 * i) ^ first
    return different == 0


def _distribute(worker: int, node: int, number: int) -> int:
    """Hand the packets of frame ``number`` to the nodes in their slots; the frame is passed on or freed."""
    frame = frame_at(worker, number)
    n = ld32s(frame + F_N)
    nexts = rec(node, NODE).nexts
    if all_same(frame, n):
        slot = ld16s(frame + F_NX)
        if slot < 0:
            free_frame(worker, number)
            return 0
        target = ld32s(nexts + 4 * slot)
        waiting = rec(node_at(worker, target), NODE).open
        if waiting < 0:
            pend(worker, target, number)
            return 0
        to = frame_at(worker, waiting)
        have = ld32s(to + F_N)
        if have + n > FRAME_SIZE:
            pend(worker, target, number)
            return 0
        for i in range(n):
            st32(to + F_BI + 4 * (have + i), ld32s(frame + F_BI + 4 * i))
        st32(to + F_N, have + n)
    else:
        for i in range(n):
            slot = ld16s(frame + F_NX + 2 * i)
            if slot >= 0:
                enqueue(worker, ld32s(nexts + 4 * slot), ld32s(frame + F_BI + 4 * i))
    free_frame(worker, number)
    return 0


distribute = helper(_distribute)


@helper
def account(worker: int, index: int, n: int, started: int) -> None:
    """Charge the time since ``started`` to node ``index``."""
    w = rec(worker, WORKER)
    stopped = cycles()
    st64(w.node_clocks + 8 * index, ld64(w.node_clocks + 8 * index) + stopped - started)
    st64(w.node_vectors + 8 * index, ld64(w.node_vectors + 8 * index) + n)
    st64(w.node_calls + 8 * index, ld64(w.node_calls + 8 * index) + 1)
    w.dispatch_clocks += started - w.last_cycles
    w.last_cycles = stopped


def _run_node(worker: int, index: int, number: int) -> int:
    """Run one frame through one node and send its packets on."""
    started = cycles()
    node = node_at(worker, index)
    d = rec(node, NODE)
    frame = frame_at(worker, number)
    n = ld32s(frame + F_N)
    traced = False
    if d.tracer != 0 and rec(worker, WORKER).trace != 0:
        traced = frame_is_traced(worker, frame, n)
    if traced and d.trace_before != 0:
        call3(d.tracer, worker, node, frame)
    call3(d.function, worker, node, frame)
    if traced and d.trace_before == 0:
        call3(d.tracer, worker, node, frame)
    if d.kind == TERMINAL:
        free_frame(worker, number)
    else:
        distribute(worker, node, number)
    account(worker, index, n, started)
    return n


run_node = helper(_run_node)


def _poll(worker: int, index: int) -> int:
    """Let one input node take packets; gives how many it took."""
    started = cycles()
    node = node_at(worker, index)
    d = rec(node, NODE)
    number = new_frame(worker)
    frame = frame_at(worker, number)
    call3(d.function, worker, node, frame)
    n = ld32s(frame + F_N)
    if n == 0:
        free_frame(worker, number)
        return 0
    if d.trace_left > 0:
        mark_frame(worker, node, frame, n)
        if d.tracer != 0:
            call3(d.tracer, worker, node, frame)
    distribute(worker, node, number)
    account(worker, index, n, started)
    return n


poll = helper(_poll)


@helper
def read_clock(worker: int) -> None:
    """Real time: move the worker's clock on."""
    w = rec(worker, WORKER)
    if w.clock == REAL:
        ticks = cycles() - w.tsc_base
        # split so that the product stays below 2**63 for centuries
        w.now = w.ns_base + (ticks >> 20) * w.ns_per_mega_tick + (((ticks & 0xFFFFF) * w.ns_per_mega_tick) >> 20)


@compiled
def update_clock(worker: int) -> int:
    """Real time, while the worker stands still: move its clock on, never back."""
    w = rec(worker, WORKER)
    before = w.now
    read_clock(worker)
    if w.now < before:
        w.now = before
    return int(w.now)


def _poll_all(worker: int) -> int:
    """Poll every input node once (real time and no time)."""
    w = rec(worker, WORKER)
    read_clock(worker)
    w.horizon = w.now if w.clock == REAL else NEVER
    n = 0
    for i in range(w.n_inputs):
        index = ld32s(w.inputs + 4 * i)
        if rec(node_at(worker, index), NODE).state == POLLING:
            n += poll(worker, index)
    return n


poll_all = helper(_poll_all)


def _poll_earliest(worker: int) -> int:
    """Virtual time: poll the input whose next packet is due first, up to where another one's turn comes.

    Of packets due at the same time those of the input that is polled first come first, whatever the vector size.
    Gives the packets taken; -1 when the next packet lies beyond the deadline, -2 when no input has any.
    """
    w = rec(worker, WORKER)
    first = NEVER
    second = NEVER
    tie = 0  # 1: the second input is polled before the chosen one, and would win at equal times
    chosen = -1
    for i in range(w.n_inputs):
        index = ld32s(w.inputs + 4 * i)
        d = rec(node_at(worker, index), NODE)
        if d.state == POLLING:
            t = d.next_time
            if t < first:
                second = first
                tie = 1
                first = t
                chosen = index
            elif t < second:
                second = t
                tie = 0
    if chosen < 0:
        return -2
    if first > w.deadline:
        return -1
    if first > w.now:
        w.now = first
    w.horizon = min(second - tie, w.deadline)
    return poll(worker, chosen)


poll_earliest = helper(_poll_earliest)


def _dispatch(worker: int, rounds: int) -> int:
    """Run until Python is needed, or for ``rounds`` rounds of polling; gives the reason (abi.IDLE ...)."""
    w = rec(worker, WORKER)
    enter(w.epoch_own, w.epoch_global)
    w.last_cycles = cycles()
    done = 0
    while True:
        while w.head != w.tail:
            number = ld32s(w.pending + 4 * (w.head & (QUEUE - 1)))
            index = ld32s(frame_at(worker, number) + F_NODE)
            d = rec(node_at(worker, index), NODE)
            w.head += 1
            if d.open == number:
                d.open = -1
            if d.kind == PYTHON:
                w.python_frame = number
                return PYTHON_NODE
            run_node(worker, index, number)
        # nothing is held now: tables that were replaced before this moment may be reclaimed
        quiescent(w.epoch_own, w.epoch_global)
        reason = -1
        if w.attention != 0:
            reason = ATTENTION
        elif load_acquire(worker + STOP_OFFSET) != 0:
            reason = STOPPED
        elif done >= rounds:
            reason = ROUNDS
        if reason >= 0:
            break
        done += 1
        w.rounds += 1
        if w.clock == VIRTUAL:
            n = poll_earliest(worker)
            if n < 0:
                reason = DEADLINE if n == -1 else IDLE
                break
        elif poll_all(worker) == 0 and w.attention == 0:
            reason = IDLE
            break
    leave(w.epoch_own)
    return reason


STOP_OFFSET = int(WORKER.fields["stop"][1])  # type: ignore[index]
dispatch = compiled(_dispatch)
