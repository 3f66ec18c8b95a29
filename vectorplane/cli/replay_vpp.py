"""``vectorplane replay --backend vpp``: the same configuration and captures, through a VPP.

What the configuration makes in VPP is taken away again afterwards; what was there before stays.
"""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from vectorplane.cli.api_definitions import definitions
from vectorplane.cli.errors import fail, warn
from vectorplane.cli.inputs import assign, rx_files, tx_files
from vectorplane.cli.replay import Options, configuration

if TYPE_CHECKING:
    from vectorplane.backends.report import Report
    from vectorplane.backends.vpp.backend import VppBackend
    from vectorplane.control.config import Config

_INPUT = "pg-input"


def run(options: Options) -> None:
    """The command. Ends the program with 130 when it was interrupted (after the summary)."""
    from vectorplane.backends.base import BackendError
    from vectorplane.backends.vpp.backend import DEFAULT_SOCKET, VppBackend

    for name in ("clock", "workers"):
        if getattr(options, name) is not None:
            fail(f"--{name} is for the simulator: a VPP has its own", 2)
    config, folder = configuration(options.config)
    try:
        with definitions(options.api_dir) as api_dir:
            backend = VppBackend(options.backend.partition(":")[2] or DEFAULT_SOCKET, api_dir)
        try:
            interrupted = _replay(options, config, folder, backend)
        finally:
            backend.close()
    except BackendError as error:
        fail(str(error))
    if interrupted:
        warn("interrupted: what is above is what was done until then")
        sys.exit(130)


def _replay(options: Options, config: Config, folder: str, backend: VppBackend) -> bool:
    from vectorplane.backends.vpp.replay import replay

    rx = rx_files(config, folder, assign(config, options.captures))
    if options.loop > 1 and any("-" in files for files in rx.values()):
        fail("standard input cannot be played more than once: leave out --loop", 2)
    rx = {name: files for name, files in rx.items() if files}
    if not rx:
        fail("nothing to replay: give a CAPTURE", 2)
    out = tx_files(config, options.out, rx)
    with _configured(config, str(options.config or "config"), backend), _stopped() as stopped:
        if options.trace:
            backend.cli("clear trace")
            backend.cli(f"trace add {_INPUT} {options.trace}")
        made = replay(
            backend,
            rx,
            out,
            strict=options.strict,
            loops=options.loop,
            limit=options.limit,
            stopped=stopped.is_set,
        )
        trace = backend.cli(f"show trace max {options.trace}") if options.trace else None
    for warning in dict.fromkeys(made.warnings):
        warn(warning)
    _print(made, trace, options.json)
    return stopped.is_set()


@contextmanager
def _configured(config: Config, file: str, backend: VppBackend) -> Iterator[None]:
    """VPP as the configuration says, for the time within."""
    from vectorplane.control.apply import bring
    from vectorplane.control.scheduler import Change, Scheduler
    from vectorplane.control.yaml_source import SOURCE, items_of

    scheduler = Scheduler(backend)
    scheduler.resync("start")
    before = {state.key for state in scheduler.items()}
    kept = Change(SOURCE, whole=True, text="after the replay")
    kept.put_all(item for item, _ in items_of(config) if item.key in before)
    try:
        for item in bring(config, scheduler, file).pending:
            warn(f"{item.origin}: pending: {item.reason}")
        yield
    finally:
        for step, error in scheduler.commit(kept).failures:
            warn(f"left behind in VPP: {step.key}: {error}")


@contextmanager
def _stopped() -> Iterator[threading.Event]:
    """Set by SIGINT and SIGTERM; a second signal ends the program at once."""
    stopped = threading.Event()

    def stop(number: int, frame: object) -> None:
        if stopped.is_set():
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
        stopped.set()

    previous = {s: signal.signal(s, stop) for s in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stopped
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def _print(report: Report, trace: str | None, as_json: bool) -> None:
    if as_json:
        import json

        print(json.dumps(report.json() | ({} if trace is None else {"trace": trace})))
        return
    if trace:
        print(trace)
    from vectorplane.cli.tables import summary

    summary(report, {_INPUT})
