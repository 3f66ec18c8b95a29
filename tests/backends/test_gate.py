"""The gate: control work beside running packets."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise

from vectorplane.backends.engine.engine import Engine
from vectorplane.backends.engine.pg import PgDevice
from vectorplane.backends.engine.report import report

PACKET = (
    bytes.fromhex("02fe0000000002000000000108004500001c000000004011")
    + bytes.fromhex("66c00a0000020a00010200010002000800000000000000000000")
    + bytes(18)
)


@contextmanager
def serving(**options: object) -> Iterator[tuple[Engine, list[BaseException]]]:
    engine = Engine(clock="real", **options)  # type: ignore[arg-type]
    engine.start_real_clock()
    errors: list[BaseException] = []

    def serve() -> None:
        try:
            engine.serve()
        except BaseException as e:
            errors.append(e)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield engine, errors
    finally:
        engine.stop()
        thread.join(10)
        assert not thread.is_alive()
        engine.close()
    assert errors == []


def until(condition: object, seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.002)


def test_control_work_beside_packets() -> None:
    """An endless stream runs while routes come and go: nothing is lost and nothing stops."""
    with serving() as (engine, _):
        with engine.paused():
            for name, address in (("pg0", "10.0.0.1/24"), ("pg1", "10.0.1.1/24")):
                made = engine.interfaces.add(name, device=PgDevice())
                engine.addresses.add(made.sw_if_index, address)
                engine.interfaces.set_up(made.sw_if_index)
            engine.neighbours.add(2, "10.0.1.2", bytes.fromhex("020000000102"), static=True)
            engine.pg.add("x", 1, [PACKET], limit=0)
            engine.pg.enable("x")
        sent = int(engine.plane.if_stats["rx"].total(1)[0])
        for n in range(200):
            with engine.paused(), engine.paused():
                engine.routes.update(f"10.9.{n}.0/24", engine.routes.path("10.0.1.2", "pg1"))
        until(lambda: int(engine.plane.if_stats["rx"].total(1)[0]) > sent)
        with engine.paused():
            engine.pg.disable("x")
            engine.pg.delete("x")
            assert engine.routes.count() > 200
        until(lambda: report(engine.plane).missing == 0)


def test_an_idle_engine_sleeps_and_wakes() -> None:
    """Idle costs nothing; news from the control thread and timers wake it."""
    ran: list[int] = []
    with serving() as (engine, _):
        with engine.paused():
            pass
        before = time.process_time()
        time.sleep(0.3)
        assert time.process_time() - before < 0.1
        with engine.paused():
            engine.timers.at(engine.now + 20_000_000, ran.append)
        until(lambda: bool(ran))


def test_the_clock_may_be_moved() -> None:
    """What is due by then has run when `adjust_clock` returns."""
    ran: list[int] = []
    with serving() as (engine, _):
        with engine.paused():
            start = engine.now
            engine.timers.at(start + 3600 * 10**9, ran.append)
        engine.adjust_clock(3601)
        assert len(ran) == 1 and ran[0] >= start + 3600 * 10**9
        with engine.paused():
            assert engine.now >= start + 3601 * 10**9


def test_timers_run_at_their_own_time_when_the_clock_is_moved() -> None:
    """A timer that sets the next one: as many of them as fit in, a second apart (VPP keeps their order too)."""
    ran: list[int] = []

    with serving() as (engine, _):

        def again(now: int) -> None:
            ran.append(now)
            engine.timers.at(now + 10**9, again)

        with engine.paused():
            engine.timers.at(engine.now + 10**9, again)
        engine.adjust_clock(4.5)
        assert len(ran) == 4 and [b - a for a, b in pairwise(ran)] == [10**9] * 3


def test_a_clock_that_starts_beside_other_threads() -> None:
    """Whoever is in the gate meanwhile sees the old time or the new one, never a half-made clock."""
    for _ in range(20):
        engine = Engine(clock="real")
        seen: list[int] = []
        thread = threading.Thread(target=engine.serve)
        before = time.time_ns()
        thread.start()
        while not seen or seen[-1] == 0:
            with engine.paused():
                seen.append(engine.now)
        for _ in range(20):
            engine.adjust_clock(0.001)
            with engine.paused():
                seen.append(engine.now)
        engine.stop()
        thread.join(10)
        engine.close()
        assert all(n == 0 or before <= n < time.time_ns() + 10**9 for n in seen), seen


def test_two_workers_stand_still_too() -> None:
    with serving(workers=2) as (engine, _):
        for n in range(50):
            with engine.paused():
                engine.routes.update(f"10.9.{n}.0/24", engine.routes.path(kind="drop"))
        with engine.paused():
            assert engine.routes.count() >= 50
