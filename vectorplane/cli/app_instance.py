"""The commands of a running instance: `run`, and those that ask one over its management socket."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vectorplane.cli.options import JsonOption

SocketOption = Annotated[
    Path | None,
    typer.Option("--socket", "-s", metavar="PATH", help="Management socket of a running instance."),
]
OtherConfig = Annotated[
    Path | None,
    typer.Argument(metavar="[CONFIG]", help="Configuration (YAML); default: the instance's own file as it is now."),
]
_SOCKET = "PATH|default"


def run(
    config: Annotated[Path, typer.Option("--config", "-c", metavar="FILE", help="Configuration (YAML); watched.")],
    backend: Annotated[
        str,
        typer.Option(
            metavar="BACKEND", help="sim: our engine; dpdk: the same, its NICs DPDK ports; vpp or vpp:SOCKET: a VPP."
        ),
    ] = "sim",
    socket: SocketOption = None,
    run_dir: Annotated[
        Path | None, typer.Option("--run-dir", metavar="DIR", help="Where sockets are (/run/vectorplane).")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", metavar="DIR", help="Write captures there.")] = None,
    api_dir: Annotated[
        Path | None, typer.Option("--api-dir", metavar="DIR", help="Definitions of VPP's messages, *.api.json (vpp).")
    ] = None,
    api_socket: Annotated[
        str | None, typer.Option("--api-socket", metavar=_SOCKET, help="Serve VPP's binary API there (sim).")
    ] = None,
    cli_socket: Annotated[
        str | None, typer.Option("--cli-socket", metavar=_SOCKET, help="Serve VPP's debug CLI there (sim).")
    ] = None,
    stats_socket: Annotated[
        str | None, typer.Option("--stats-socket", metavar=_SOCKET, help="Serve VPP's statistics there (sim).")
    ] = None,
) -> None:
    """Bring a backend to a configuration and keep it there until SIGTERM; the file is read again when it changes."""
    from vectorplane.cli.run import Options
    from vectorplane.cli.run import run as work

    work(Options(config, backend, socket, run_dir, out, api_socket, cli_socket, stats_socket, api_dir))


def plan(config: OtherConfig = None, socket: SocketOption = None, json: JsonOption = False) -> None:
    """What a running instance would do to come to a configuration; nothing is touched."""
    from vectorplane.cli.running import plan

    plan(config, socket, json)


def apply(config: OtherConfig = None, socket: SocketOption = None, json: JsonOption = False) -> None:
    """Give a running instance a configuration. Exit status 1 when not all of it could be brought."""
    from vectorplane.cli.running import apply

    apply(config, socket, json)


def dump(
    kind: Annotated[str | None, typer.Argument(metavar="[KIND]", help="interface, address, route ...")] = None,
    socket: SocketOption = None,
    json: JsonOption = False,
) -> None:
    """What the backend of a running instance really holds."""
    from vectorplane.cli.running import dump

    dump(kind, socket, json)


def diff(socket: SocketOption = None, json: JsonOption = False) -> None:
    """Where the backend is not as it should be. Exit status 0 nowhere, 1 somewhere, 2 trouble."""
    from vectorplane.cli.running import diff

    diff(socket, json)


def explain(
    key: Annotated[str, typer.Argument(metavar="KEY", help="As `show items` prints it: route/0/10.0.0.0/8")],
    socket: SocketOption = None,
    json: JsonOption = False,
) -> None:
    """Why an item of a running instance is in the state it is in."""
    from vectorplane.cli.running import explain

    explain(key, socket, json)


def history(
    number: Annotated[int | None, typer.Argument(metavar="[NUMBER]", help="Only this transaction.")] = None,
    socket: SocketOption = None,
    json: JsonOption = False,
) -> None:
    """The last transactions of a running instance: what was planned and what happened."""
    from vectorplane.cli.running import history

    history(number, socket, json)


def show_items(
    prefix: Annotated[str, typer.Argument(metavar="[PREFIX]", help="Only keys that begin so.")] = "",
    socket: SocketOption = None,
    json: JsonOption = False,
) -> None:
    """All items of a running instance: key, state, who wants it, and why it is not there."""
    from vectorplane.cli.running import items

    items(prefix, socket, json)


def show_status(socket: SocketOption = None, json: JsonOption = False) -> None:
    """Backend, configuration and its mistakes, numbers of items of a running instance."""
    from vectorplane.cli.running import status

    status(socket, json)


def show_counters(socket: SocketOption = None) -> None:
    """All counters of a running instance, as JSON."""
    from vectorplane.cli.running import counters

    counters(socket)


def trace_add(
    node: Annotated[str, typer.Argument(metavar="NODE", help="An input node, such as pg-input.")],
    count: Annotated[int, typer.Argument(metavar="N", min=1, max=1_000_000)],
    socket: SocketOption = None,
) -> None:
    """Trace the next N packets that a node takes."""
    from vectorplane.cli.errors import fail
    from vectorplane.cli.running import line

    if not node or any(c.isspace() for c in node):
        fail(f"there is no node {node!r}", 2)
    line(f"trace add {node} {count}", socket)


def trace_show(
    count: Annotated[int, typer.Option("--max", metavar="N", min=1, help="At most N packets.")] = 50,
    socket: SocketOption = None,
) -> None:
    """Print the ways of the traced packets."""
    from vectorplane.cli.running import line

    line(f"show trace max {count}", socket)


def trace_clear(socket: SocketOption = None) -> None:
    """Forget the traces."""
    from vectorplane.cli.running import line

    line("clear trace", socket)


def add(app: typer.Typer, show: typer.Typer) -> None:
    """Put these commands into the program."""
    for command in (run, plan, apply, dump, diff, explain, history):
        app.command()(command)
    show.command("items")(show_items)
    show.command("status")(show_status)
    show.command("counters")(show_counters)
    trace = typer.Typer(help="Packet traces of a running instance.", no_args_is_help=True)
    app.add_typer(trace, name="trace")
    trace.command("add")(trace_add)
    trace.command("show")(trace_show)
    trace.command("clear")(trace_clear)
