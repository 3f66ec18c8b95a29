"""Lets a packet arrive on an interface, as its input node would."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vectorplane.backends.engine.device import Device
from vectorplane.backends.engine.pg_device import PgDevice
from vectorplane.backends.engine.rss import capture_rss
from vectorplane.backends.engine.sim_nic import SimNic
from vectorplane.dataplane.buffer import buffer_at
from vectorplane.dataplane.feature import feature_start
from vectorplane.dataplane.inject import enqueue_packet, make_packet
from vectorplane.jit.kernel import compiled

if TYPE_CHECKING:
    from vectorplane.backends.engine.engine import Engine

INPUT = "pg-input"
"""The input node whose next nodes are used: all that start the arc device-input have the same."""


@compiled
def _start(worker: int, arc: int, sw_if: int, index: int) -> int:
    """The slot of the first feature of the arc on an interface; -1: it has none."""
    return feature_start(arc, sw_if, buffer_at(worker, index))


def port_of(engine: Engine, sw_if_index: int) -> int:
    """The interface where packets of an interface arrive: itself, or what it is a sub-interface of.

    Raises:
        ValueError: nothing arrives there from outside.
    """
    interface = engine.interfaces[sw_if_index]
    device = interface.device
    if device.kind == "local":
        raise ValueError(f"{interface.name} receives nothing")
    if device.output_node is not None:
        raise ValueError(f"{interface.name} is a tunnel: name the interface where its packets arrive, and give them so")
    if device.looped or device.kind in ("loopback", "bvi"):
        raise ValueError(f"{interface.name} receives nothing from outside, only what the router itself sends by it")
    return interface.sup


def receive(engine: Engine, sw_if_index: int, data: bytes) -> int:
    """A packet of these bytes arrives on an interface now (on its super-interface, if it has one).

    Gives its buffer; it waits for its first node. No worker may be dispatching.

    Raises:
        ValueError: nothing arrives there, or there is no buffer.
    """
    plane, port = engine.plane, port_of(engine, sw_if_index)
    device: Device = engine.interfaces[port].device
    worker, partition = _place(engine, device, data)
    index = make_packet(plane, data, worker)
    if index < 0:
        raise ValueError("there is no free buffer for the packet")
    meta = plane.pool.meta[index]
    meta["rx_sw_if"], meta["tx_sw_if"], meta["time"] = port, -1, engine.now
    meta["partition"] = partition
    counters = plane.if_stats["rx"].thread(worker)[port]
    counters["packets"] += 1
    counters["bytes"] += len(data)
    node = device.input_node if isinstance(device, PgDevice) else "ethernet-input"
    if plane.arcs["device-input"].chain(port):
        input_node = plane.graph.add(INPUT)
        slot = _start(plane.workers[worker].address, plane.arcs["device-input"].address, port, index)
        node = input_node.next_names()[slot] if slot >= 0 else node
    enqueue_packet(plane, node, index, worker)
    return index


def _place(engine: Engine, device: Device, frame: bytes) -> tuple[int, int]:
    """The worker that gets a frame, and the partition of its flow: as captures and simulated cards are spread."""
    workers = len(engine.plane.workers)
    if isinstance(device, PgDevice):
        return 0, 0
    if isinstance(device, SimNic):
        queue, _ = device.rss.queue_of(frame)
        return queue % workers, queue
    return capture_rss(workers).queue_of(frame)
