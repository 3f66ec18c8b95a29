"""The sockets by which an engine looks like a VPP: statistics segment, debug CLI, binary API."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from vectorplane.control.debug_cli.cli import DebugCli
from vectorplane.control.debug_cli.socket import CliSocket
from vectorplane.control.vppapi.server import ApiServer
from vectorplane.control.vppapi.stats_socket import INTERVAL, StatsServer

if TYPE_CHECKING:
    from vectorplane.backends.engine.engine import Engine
    from vectorplane.control.instance import Service


def vpp_services(
    engine: Engine,
    cli: DebugCli,
    *,
    api: str | None,
    stats: str | None,
    cli_socket: str | None,
    stats_interval: float = INTERVAL,
) -> list[Service]:
    """Those services whose socket path is given. The API comes last: who sees its socket may use all of them.

    The gauges of the statistics segment are brought up to date every ``stats_interval`` seconds; its names and symlinks
    follow the interfaces within the API call that changes them.
    """
    services: list[Service] = []
    follow = None
    if stats is not None:
        statistics = StatsServer(engine, Path(stats), stats_interval)
        follow = statistics.directory.follow
        services.append(statistics)
    if cli_socket is not None:
        services.append(CliSocket(cli, Path(cli_socket)))
    if api is not None:
        server = ApiServer(engine, Path(api), cli, after=follow)
        cli.clients = server.clients
        services.append(server)
    return services
