"""Packets explained on a running engine: nothing happens to it, unless that was asked for."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from vectorplane.backends.engine.acl.rule import REFLECT, AclRule
from vectorplane.backends.engine.engine import Engine
from vectorplane.backends.engine.loopback import LoopbackDevice
from vectorplane.backends.engine.pg import PgDevice
from vectorplane.control.packet_explain.copy_of_process import CopyError, in_a_copy
from vectorplane.control.packet_explain.given import GivenError
from vectorplane.control.packet_explain.live import COPY_NOTE, Request, explain_live
from vectorplane.dataplane.trace_log import TraceLog
from vectorplane.jit.kernel import JIT

FLOW = "udp 10.0.1.2:7 -> 10.0.2.2:9"


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    """pg1 and pg2, an ACL that makes sessions, and the engine runs."""
    made = Engine(clock="real", buffers=4096)
    for n in (1, 2):
        made.interfaces.add(f"pg{n}", device=PgDevice())
        made.interfaces.set_up(n)
        made.addresses.add(n, f"10.0.{n}.1/24")
        made.neighbours.add(n, f"10.0.{n}.2", bytes(5) + bytes([n]), static=True)
    made.acls.set_lists(1, [made.acls.add_replace(None, "all", [AclRule(REFLECT)])], None)
    made.interfaces.add("loop0", device=LoopbackDevice())
    made.start_real_clock()
    thread = threading.Thread(target=made.serve, daemon=True)
    thread.start()
    yield made
    made.stop()
    thread.join(10)
    made.close()


def state(engine: Engine) -> dict[str, Any]:
    """What a packet would change."""
    with engine.paused():
        plane = engine.plane
        return {
            "sessions": engine.acls.sessions.totals(),
            "errors": plane.error_counts(),
            "rx": plane.if_stats["rx"].total().sum(),
            "tx": plane.if_stats["tx"].total().sum(),
            "buffers": plane.free_buffers(),
            "traces": len(plane.shared(TraceLog).packets()),
            "vectors": int(plane.node_stats["vectors"].total().sum()),
            "descriptors": len(os.listdir("/proc/self/fd")),
        }


def test_a_copy_is_asked(engine: Engine) -> None:
    before = state(engine)
    for _ in range(3):
        answer = explain_live(engine, Request("pg1", flow=FLOW))
        assert (answer["verdict"], answer["why"]) == ("sent", "by pg2")
        assert answer["notes"] == [COPY_NOTE] and answer["disagreements"] == []
        (acl,) = [s for s in answer["steps"] if s["node"] == "acl-plugin-in-ip4-fa"]
        assert acl["facts"]["session"] is None and acl["facts"]["made"]["flow"] == FLOW
        assert abs(answer["received"]["time"] - time.time_ns()) < 60e9
    assert state(engine) == before
    device = engine.interfaces["pg2"].device
    assert isinstance(device, PgDevice) and device.transmitted() == []


def test_injected(engine: Engine) -> None:
    device = engine.interfaces["pg2"].device
    assert isinstance(device, PgDevice)
    with engine.paused():
        added = engine.acls.sessions.totals()[0]
    answer = explain_live(engine, Request("pg1", flow="udp 10.0.1.2:70 -> 10.0.2.2:90", inject=True))
    assert "really received" in answer["notes"][0]
    with engine.paused():
        ((_, sent),) = device.transmitted()
        assert sent.hex() == answer["packets"][0]["outcome"]["hex"]
        assert engine.acls.sessions.totals()[0] == added + 1
    answer = explain_live(engine, Request("pg1", hex=answer["received"]["hex"]))
    (acl,) = [s for s in answer["steps"] if s["node"] == "acl-plugin-in-ip4-fa"]
    assert acl["facts"]["action"] == "session" and 0 <= acl["facts"]["session"]["age"] < 60


def test_beside_packets(engine: Engine) -> None:
    """Packets flow while copies are made: all of them arrive, and the copies are right."""
    device = engine.interfaces["pg2"].device
    assert isinstance(device, PgDevice)
    count = 200_000 if JIT else 2_000
    frame = bytes.fromhex(explain_live(engine, Request("pg1", flow=FLOW))["received"]["hex"])
    with engine.paused():
        before = engine.plane.if_stats["tx"].total(2)[0]
        engine.pg.add("many", 1, [frame], limit=count)
        engine.pg.enable("many")
    answers = [explain_live(engine, Request("pg1", flow=f"udp 10.0.1.2:{n} -> 10.0.2.2:1")) for n in range(5)]
    assert {a["verdict"] for a in answers} == {"sent"} and {len(a["packets"]) for a in answers} == {1}
    end = time.monotonic() + 60
    while time.monotonic() < end:
        with engine.paused():
            if not engine.pg.active("many"):
                break
        time.sleep(0.01)
    with engine.paused():
        assert engine.plane.if_stats["tx"].total(2)[0] - before == count
        engine.pg.delete("many")
        device.transmitted()


@pytest.mark.parametrize(
    ("request_", "why"),
    [
        (Request("pg9", flow=FLOW), "there is no interface pg9; known: pg1, pg2, loop0"),
        (Request("pg1", hex="0"), "hex: 1 digits"),
        (Request("pg1", flow="x"), "flow 'x'"),
        (Request("loop0", flow=FLOW), "loop0 receives nothing from outside"),
        (Request("local0", flow=FLOW), "local0 receives nothing"),
        (Request("pg1", flow=FLOW, mac="x"), "mac: 'x' is not a MAC address"),
    ],
)
def test_what_cannot_be_explained(engine: Engine, request_: Request, why: str) -> None:
    with pytest.raises(ValueError, match=why.replace("(", r"\(")):
        explain_live(engine, request_)
    with pytest.raises(GivenError):
        explain_live(engine, Request("none"))


def test_a_copy_that_fails(engine: Engine) -> None:
    def fails() -> None:
        raise RuntimeError("as it should")

    def dies() -> None:
        os._exit(3)

    for work, why in ((fails, "RuntimeError: as it should"), (dies, "died, or took too long")):
        with engine.paused():
            answers = in_a_copy([engine], work)
        with pytest.raises(CopyError, match=why):
            answers()


def test_the_copy_s_memory_is_its_own(engine: Engine) -> None:
    def work() -> list[int]:
        engine.plane.errors.thread(0)[5] = 77
        engine.plane.pool.bytes[:8] = 9
        return [int(engine.plane.errors.thread(0)[5]), int(engine.plane.pool.bytes[0]), int(told[0])]

    told = np.zeros(1, np.int64)
    with engine.paused():
        before = int(engine.plane.errors.thread(0)[5]), int(engine.plane.pool.bytes[0])
        answers = in_a_copy([engine], work, lambda: told.fill(1))
    assert answers() == [77, 9, 0]
    with engine.paused():
        assert (int(engine.plane.errors.thread(0)[5]), int(engine.plane.pool.bytes[0])) == before
