"""``vectorplane replay``: configuration, engine, run, summary."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vectorplane.cli.errors import fail, warn
from vectorplane.cli.inputs import assign, rx_files, tx_files
from vectorplane.cli.play import play
from vectorplane.cli.progress import compile_control, compile_missing

if TYPE_CHECKING:
    from vectorplane.backends.engine.engine import Engine
    from vectorplane.backends.engine.network import Network
    from vectorplane.backends.engine.report import Report
    from vectorplane.control.config import Config


@dataclass(frozen=True)
class Options:
    """The options of the command; None: as the configuration says."""

    captures: list[str]
    config: Path | None = None
    out: Path | None = None
    clock: str | None = None
    loop: int = 1
    limit: int | None = None
    workers: int | None = None
    trace: int = 0
    json: bool = False
    strict: bool = False
    backend: str = "sim"
    api_dir: Path | None = None


def configuration(path: Path | None) -> tuple[Config, str]:
    """The configuration in a file, or the default router's; and the folder that its file names are relative to.

    Raises:
        ConfigError: it has mistakes.
    """
    if path is None:
        from vectorplane.control.default_router import default_router

        return default_router(), "."
    from vectorplane.control.config import load_config

    return load_config(path), str(path.parent)


def set_up(options: Options) -> tuple[Engine, Network | None]:
    """An engine as configured, its captures open, nothing played yet; and the network that runs it if it has links.

    Raises:
        ConfigError, CaptureError, OSError: what is wrong with the configuration or a file.
    """
    from vectorplane.cli.devices import factory
    from vectorplane.control.apply import apply, make_engine
    from vectorplane.control.config_device import DpdkSettings

    config, folder = configuration(options.config)
    changes = {k: v for k in ("clock", "workers") if (v := getattr(options, k)) is not None}
    config = config.model_copy(update={"engine": config.engine.model_copy(update=changes)})
    if options.backend == "dpdk" and config.engine.clock == "virtual":
        # DPDK's ports say no time: what is played takes none. Each packet shall know what those before it have taught
        # (ARP, sessions), so they travel one by one; `--clock fast` takes vectors
        one_by_one = {"clock": "fast", "vector_size": 1}
        config = config.model_copy(update={"engine": config.engine.model_copy(update=one_by_one)})
    rx = rx_files(config, folder, assign(config, options.captures))
    if options.loop > 1 and any("-" in files for files in rx.values()):
        fail("standard input cannot be played more than once: leave out --loop", 2)
    if not any(rx.values()) and not any(isinstance(i.device, DpdkSettings) for i in config.interfaces.values()):
        fail("nothing to replay: give a CAPTURE", 2)
    tx = tx_files(config, options.out, rx)
    compile_control()
    engine = make_engine(config)
    try:
        devices = factory(
            rx,
            tx,
            out=options.out,
            strict=options.strict,
            loops=options.loop,
            eal=config.engine.eal,
            dpdk=options.backend == "dpdk",
            ports=True,
        )
        done = apply(config, engine, devices, str(options.config or "config"))
        for item in done.pending:
            warn(f"{item.origin}: pending: {item.reason}")
        return engine, devices.network(engine)
    except BaseException:
        engine.close()
        raise


def run(options: Options) -> None:
    """The command. Ends the program with 130 when it was interrupted (after the summary)."""
    kind, _, place = options.backend.partition(":")
    if kind == "vpp":
        from vectorplane.cli.replay_vpp import run as through_vpp

        return through_vpp(options)
    if kind not in ("sim", "dpdk") or place:
        fail(f"--backend: expected sim, dpdk, vpp or vpp:SOCKET, got {options.backend!r}", 2)
    from vectorplane.backends.engine.replay import needed_units

    engine, network = set_up(options)
    try:
        compile_missing(needed_units(engine))
        if options.trace:
            from vectorplane.cli.trace import start

            start(engine, options.trace)
        outcome = play(engine, network, options.limit, options.loop)
        for warning in dict.fromkeys(outcome.report.warnings):
            warn(warning)
        _print(engine, outcome.report, options)
        if outcome.interrupted:
            warn("interrupted: what is above is what was done until then")
        if outcome.stuck:
            sys.stdout.flush()
            os._exit(130)  # a thread still waits for input: nothing may be taken away from it
    finally:
        engine.close()
    if outcome.interrupted:
        sys.exit(130)


def _print(engine: Engine, report: Report, options: Options) -> None:
    traces: Any = None
    if options.trace:
        from vectorplane.cli.trace import as_json, as_text

        traces = as_json(engine) if options.json else as_text(engine, options.trace)
    if options.json:
        import json

        print(json.dumps(report.json() | ({"trace": traces} if options.trace else {})))
        return
    if traces:
        print(traces)
    from vectorplane.cli.tables import summary
    from vectorplane.dataplane.abi import INPUT

    summary(report, {node.name for node in engine.plane.graph if node.type.kind == INPUT})
