"""``vectorplane vpp``: the engine behind VPP's start-up configuration and VPP's sockets."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from vectorplane.cli.errors import fail, report
from vectorplane.cli.progress import compile_everything

if TYPE_CHECKING:
    from vectorplane.backends.engine.engine import Engine
    from vectorplane.control.startup import StartupConf


def run(words: Sequence[str]) -> None:
    """The command: parse, compile what is missing, open the sockets, serve until SIGTERM."""
    from vectorplane.control.startup import StartupError, parse_file, parse_words

    try:
        conf = parse_file(words[1]) if len(words) == 2 and words[0] == "-c" else parse_words(words)
    except StartupError as error:
        fail(str(error))
    _log(conf)
    compile_everything()  # any message may ask for any node, and answers must come at once
    engine = _engine(conf)
    try:
        _prepare(conf)
        asyncio.run(_serve(engine, conf, words))
    except OSError as error:
        if not report(error):
            raise
        sys.exit(1)
    finally:
        engine.close()
        if conf.unix.pidfile:
            _remove(conf.unix.pidfile)


def _log(conf: StartupConf) -> None:
    logging.basicConfig(
        level=logging.INFO,
        format="%(asctime)s %(name)s %(levelname)s %(message)s",
        **({"filename": conf.unix.log} if conf.unix.log else {"stream": sys.stderr}),  # type: ignore[call-overload]
    )


def _engine(conf: StartupConf) -> Engine:
    from vectorplane.backends.engine.engine import Engine
    from vectorplane.backends.engine.memif.sockets import MemifSockets

    engine = Engine(workers=max(1, conf.workers), clock="real", buffers=conf.buffers.per_numa or 16384)
    if conf.acl.max_sessions is not None:
        engine.acls.max_sessions = conf.acl.max_sessions
    engine.acls.reclassify = conf.acl.reclassify
    engine.plane.shared(MemifSockets).use_runtime_dir(conf.runtime_dir)
    engine.start_real_clock()
    return engine


def _prepare(conf: StartupConf) -> None:
    """What the unix section asks for before anything listens."""
    os.makedirs(conf.runtime_dir, exist_ok=True)
    if conf.unix.pidfile:
        with open(conf.unix.pidfile, "w") as f:
            f.write(f"{os.getpid()}\n")


def _remove(path: str) -> None:
    import contextlib

    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)


async def _serve(engine: Engine, conf: StartupConf, words: Sequence[str]) -> None:
    from vectorplane.control.debug_cli.cli import DebugCli
    from vectorplane.control.instance import Instance
    from vectorplane.control.vpp_services import vpp_services

    cli = DebugCli(engine, arguments=["vpp", *words])
    if conf.unix.exec_file:
        with engine.paused():
            print(cli.run(f"exec {conf.unix.exec_file}"), end="")
    services = vpp_services(
        engine,
        cli,
        api=conf.api_socket,
        stats=conf.stats_socket,
        cli_socket=conf.cli_socket,
        stats_interval=conf.statseg.update_interval,
    )
    # what was made until now stays for good: the collector need not look at it again
    gc.collect()
    gc.freeze()
    await Instance(engine, services).run()
