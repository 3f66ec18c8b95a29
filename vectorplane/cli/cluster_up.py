"""``vectorplane cluster up``: a cluster in this process, or in one that goes on behind."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from vectorplane.cli.cluster import cluster_socket
from vectorplane.cli.errors import fail, report, warn

if TYPE_CHECKING:
    from vectorplane.control.cluster.settings import ClusterSettings
    from vectorplane.control.cluster.simulated.cluster import Cluster


@dataclass(frozen=True)
class Options:
    """The options of the command."""

    files: tuple[Path, ...]
    nodes: int | None
    settings: Path | None
    store: Path | None
    capture: Path | None
    watch: bool
    detach: bool
    seed: int
    socket: Path | None
    processes: bool


def up(options: Options) -> None:
    """The command. Ends the program with 1 when the cluster can't begin."""
    for path in options.files:
        if not path.exists():
            fail(f"{path}: no such file or folder", 2)
    settings = _settings(options.settings)
    socket = cluster_socket(options.socket)
    _refuse_a_second(socket)
    from vectorplane.cli.progress import compile_everything

    compile_everything()
    ready = _detached(socket) if options.detach else None
    logging.basicConfig(level=logging.WARNING, format="vectorplane: %(levelname)s: %(message)s", stream=sys.stderr)
    try:
        _serve(options, settings, socket, ready)
    except Exception as error:
        if not _told(error):
            raise
        sys.exit(1)


def _told(error: Exception) -> bool:
    """Tell an error that a user can do something about."""
    from vectorplane.control.cluster.ipam.error import IpamError
    from vectorplane.control.cluster.store.errors import StoreError

    if isinstance(error, IpamError | StoreError):
        fail(str(error))
    return report(error)


def _settings(path: Path | None) -> ClusterSettings:
    from vectorplane.control.cluster.load import parse_settings
    from vectorplane.control.cluster.simulated.default_settings import DEFAULT_SETTINGS

    if path is None:
        return parse_settings(DEFAULT_SETTINGS)
    settings = parse_settings(path.read_bytes(), str(path))
    if settings.ipam.node_interconnect_cidr is None:
        fail(f"{path}: ipam.node_interconnect_cidr is missing: the simulated nodes need addresses", 2)
    return settings


def _refuse_a_second(socket: Path) -> None:
    from vectorplane.control.management_client import Client, NoInstance

    try:
        with Client(socket):
            fail(f"{socket}: a cluster is up there already: end it with `cluster down`, or name another --socket")
    except NoInstance:
        return


def _detached(socket: Path) -> Callable[[], None]:
    """Go on behind; the process in front ends when ``ready`` is called, or with status 1 when the other one ended.

    What the one behind has to say goes to a file beside the socket.
    """
    log = socket.with_suffix(".log")
    log.parent.mkdir(parents=True, exist_ok=True)
    kept = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o640)
    reading, writing = os.pipe()
    pid = os.fork()
    if pid:
        os.close(writing)
        told = os.read(reading, 1)
        if told:
            print(f"the cluster is up (process {pid}, socket {socket}, log {log}); `vectorplane cluster down` ends it")
        else:
            _, status = os.waitpid(pid, 0)
        os._exit(0 if told else os.waitstatus_to_exitcode(status) or 1)
    os.close(reading)
    os.setsid()

    def ready() -> None:
        sys.stdout.flush()
        null = os.open(os.devnull, os.O_RDONLY)
        for fd, to in ((0, null), (1, kept), (2, kept)):
            os.dup2(to, fd)
        os.write(writing, b"1")
        os.close(writing)

    return ready


def _serve(options: Options, settings: ClusterSettings, socket: Path, ready: Callable[[], None] | None) -> None:
    from vectorplane.control.cluster.simulated.cluster import Cluster
    from vectorplane.control.cluster.store.embedded import open_store

    store = open_store(options.store)
    cluster = Cluster(settings, store, seed=options.seed, captures=options.capture, processes=options.processes)
    try:
        look = _populate(cluster, options)
        _summary(cluster)
        asyncio.run(_run(cluster, str(socket), look, ready))
    finally:
        cluster.close()
        store.close()


def _populate(cluster: Cluster, options: Options) -> Callable[[], object] | None:
    """Nodes and manifests; gives what looks for changes of the files."""
    from vectorplane.control.cluster.kube.model.nodes import Node
    from vectorplane.control.cluster.kube.watcher import Watcher

    files = [str(path.absolute()) for path in options.files]
    watcher = Watcher(cluster.kube, files) if files else None
    if watcher is not None:
        watcher.start()
    cluster.add_nodes(options.nodes or max(1, sum(1 for _ in cluster.kube.objects.all(Node))))
    return watcher.poll if watcher is not None and options.watch else None


def _summary(cluster: Cluster) -> None:
    """What there is."""
    from vectorplane.control.cluster.simulated.listing import listing

    for kind in ("nodes", "pods", "services"):
        print(listing(cluster, kind, None, None)["text"])
        print()
    for ref, why in cluster.kube.errors().items():
        warn(f"{ref} does not run: {why}")
    sys.stdout.flush()


async def _run(
    cluster: Cluster, socket: str, look: Callable[[], object] | None, ready: Callable[[], None] | None
) -> None:
    from vectorplane.control.cluster.simulated.methods import Methods
    from vectorplane.control.cluster.simulated.service import ClusterService
    from vectorplane.control.instance import Instance
    from vectorplane.control.management import ManagementServer

    methods = Methods(cluster, lambda: instance.stop()).all()
    instance = Instance(None, [ClusterService(cluster, look), ManagementServer(socket, methods)])

    def up() -> None:
        if ready is not None:
            ready()
        else:
            print(f"vectorplane: the cluster is up; socket {socket}; Ctrl-C ends it", file=sys.stderr, flush=True)

    await instance.run(up)
