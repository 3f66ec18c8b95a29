"""Runs an engine so that signals end it cleanly: output files stay readable, and there is a summary.

The engine has a thread of its own and the main thread stays free to take signals: a compiled loop would not let them
through. A thread that waits for a pipe on which nothing comes cannot be told to stop; it is left behind.
"""

from __future__ import annotations

import signal
import threading
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotDone
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vectorplane.backends.engine.engine import Engine
    from vectorplane.backends.engine.network import Network
    from vectorplane.backends.engine.report import Report

_PATIENCE = 2.0
"""Seconds that a stopped engine gets to end."""


@dataclass(frozen=True)
class Outcome:
    """The report; whether a signal ended the run; whether the thread still waits for input (then close nothing)."""

    report: Report
    interrupted: bool = False
    stuck: bool = False


def play(engine: Engine, network: Network | None, limit: int | None, loops: int = 1) -> Outcome:
    """Replay to the end, or until SIGINT or SIGTERM. A second signal ends the program at once."""
    from vectorplane.backends.engine.replay import replay
    from vectorplane.cli.progress import replay_bar

    stopped = threading.Event()
    runner = network or engine
    done: Future[Report] = Future()

    def stop(number: int, frame: object) -> None:
        if stopped.is_set():  # only whole records are ever in a file
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
        stopped.set()
        runner.stop()

    def work() -> None:
        try:
            with replay_bar(loops == 1) as progress:
                done.set_result(replay(engine, progress, limit, runner.run))
        except BaseException as error:  # handed to the thread that waits
            done.set_exception(error)

    previous = {s: signal.signal(s, stop) for s in (signal.SIGINT, signal.SIGTERM)}
    try:
        threading.Thread(target=work, name="replay", daemon=True).start()
        return _wait(engine, done, stopped)
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def _wait(engine: Engine, done: Future[Report], stopped: threading.Event) -> Outcome:
    while not stopped.is_set():
        try:
            return Outcome(done.result(0.5), stopped.is_set())
        except NotDone:
            if done.done():
                raise  # the replay's own
    try:
        return Outcome(done.result(_PATIENCE), True)
    except NotDone:
        from vectorplane.backends.engine.report import report

        for device in engine.devices():
            device.flush()
        return Outcome(report(engine.plane), True, stuck=True)
