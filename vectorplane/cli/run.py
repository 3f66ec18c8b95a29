"""``vectorplane run``: a backend that is kept as a configuration file says, until SIGTERM."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from vectorplane.cli.api_definitions import definitions
from vectorplane.cli.errors import fail, report
from vectorplane.control.config_engine import refuse_what_a_running_engine_cannot
from vectorplane.control.management_client import run_dir

if TYPE_CHECKING:
    from vectorplane.backends.base import Backend
    from vectorplane.backends.engine.engine import Engine
    from vectorplane.control.config import Config
    from vectorplane.control.debug_cli.cli import DebugCli
    from vectorplane.control.instance import Service

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Options:
    """The options of the command; sockets: a path, `default` (in the run directory) or None."""

    config: Path
    backend: str = "sim"
    socket: Path | None = None
    run_dir: Path | None = None
    out: Path | None = None
    api_socket: str | None = None
    cli_socket: str | None = None
    stats_socket: str | None = None
    api_dir: Path | None = None

    @property
    def folder(self) -> Path:
        """The run directory."""
        return (self.run_dir or run_dir()).absolute()

    def path(self, given: str | None, name: str) -> str | None:
        """The path of one of VPP's sockets."""
        return str(self.folder / name) if given == "default" else given

    @property
    def management(self) -> str:
        """The management socket."""
        return str(self.socket or self.folder / "management.sock")


def run(options: Options) -> None:
    """The command. Ends the program with 1 when it cannot begin, and when the packet thread fails."""
    from vectorplane.backends.base import BackendError
    from vectorplane.control.config import load_config

    kind, _, place = options.backend.partition(":")
    if kind not in ("sim", "dpdk", "vpp") or (place and kind != "vpp"):
        fail(f"--backend: expected sim, dpdk, vpp or vpp:SOCKET, got {options.backend!r}", 2)
    served = (options.api_socket, options.cli_socket, options.stats_socket)
    if kind == "vpp" and any(served):
        fail("--api-socket, --cli-socket and --stats-socket are for --backend sim and dpdk: a VPP has its own", 2)
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr, force=True
    )
    config = load_config(options.config)
    if kind != "vpp":
        refuse_what_a_running_engine_cannot(config, str(options.config))
    try:
        if kind != "vpp":
            _engine(options, config, dpdk=kind == "dpdk")
        else:
            _vpp(options, config, place)
    except BackendError as error:
        fail(str(error))
    except OSError as error:
        if not report(error):
            raise
        sys.exit(1)


def _engine(options: Options, config: Config, dpdk: bool) -> None:
    from vectorplane.backends.engine.backend import EngineBackend
    from vectorplane.backends.engine.devices import DeviceMaker
    from vectorplane.backends.engine.engine import Engine
    from vectorplane.cli.progress import compile_everything
    from vectorplane.control.apply import set_up_acls
    from vectorplane.control.debug_cli.backend_lines import backend_lines
    from vectorplane.control.debug_cli.cli import DebugCli

    compile_everything()  # the next configuration may ask for any node, and packets do not wait
    s = config.engine
    engine = Engine(workers=s.workers, buffers=s.buffers, clock="real", seed=s.seed, vector_size=s.vector_size)
    set_up_acls(engine, s.acl)
    engine.start_real_clock()
    try:
        cli = DebugCli(engine)
        services = _services(options, engine, cli)
        backend = EngineBackend(engine, DeviceMaker(eal=s.eal, dpdk=dpdk), backend_lines(cli))
        asyncio.run(_serve(options, config, backend, engine, services))
    finally:
        engine.close()


def _services(options: Options, engine: Engine, cli: DebugCli) -> list[Service]:
    """The sockets of a VPP that were asked for."""
    asked = (options.api_socket, options.stats_socket, options.cli_socket)
    if not any(asked):
        return []
    from vectorplane.control.vpp_services import vpp_services

    options.folder.mkdir(parents=True, exist_ok=True)
    api, stats, cli_socket = map(options.path, asked, ("api.sock", "stats.sock", "cli.sock"))
    return vpp_services(engine, cli, api=api, stats=stats, cli_socket=cli_socket)


def _vpp(options: Options, config: Config, place: str) -> None:
    from vectorplane.backends.vpp.backend import DEFAULT_SOCKET, VppBackend

    with definitions(options.api_dir) as folder:
        backend = VppBackend(place or DEFAULT_SOCKET, folder)

    async def main() -> None:
        backend.attach(asyncio.get_running_loop())
        await _serve(options, config, backend, None, [])

    try:
        asyncio.run(main())
    finally:
        backend.close()


def _check(began: Config, engine: Engine | None) -> Callable[[Config, str], None]:
    """Refuses what the backend cannot do, and warns of what it will do only when it is started again."""

    def check(config: Config, file: str) -> None:
        if engine is None:
            return
        refuse_what_a_running_engine_cannot(config, file)
        if config.engine != began.engine:
            log.warning("%s: engine: other settings than at the start; they count from the next start on", file)

    return check


async def _serve(
    options: Options, config: Config, backend: Backend, engine: Engine | None, services: list[Service]
) -> None:
    from vectorplane.control.controller import Controller
    from vectorplane.control.instance import Instance
    from vectorplane.control.management import ManagementServer
    from vectorplane.control.management_methods import Methods
    from vectorplane.control.scheduler import Scheduler
    from vectorplane.control.yaml_source import reader

    read = reader(_check(config, engine), options.out)
    controller = Controller(backend, Scheduler(backend), read, os.fspath(options.config))
    management = ManagementServer(options.management, Methods(controller).all())
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, controller.reload, "SIGHUP")
    # what was made until now stays for good: the collector need not look at it again
    gc.collect()
    gc.freeze()

    def ready() -> None:
        print(f"vectorplane: {backend.name} runs; management socket {options.management}", file=sys.stderr, flush=True)

    await Instance(engine, [controller, *services, management]).run(ready)
