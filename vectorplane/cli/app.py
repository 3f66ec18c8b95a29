"""The commands and their options. What they do is in the modules that they import when they run."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from vectorplane.cli import app_bench, app_cluster, app_instance, app_lab
from vectorplane.cli.app_instance import SocketOption
from vectorplane.cli.options import JsonOption

app = typer.Typer(
    name="vectorplane",
    help="A vector packet engine in the style of FD.io VPP, in Python compiled by numba.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
show = typer.Typer(help="Show nodes, errors, features and more; --socket: of a running instance.", no_args_is_help=True)
app.add_typer(show, name="show")


class Clock(StrEnum):
    """What `--clock` takes."""

    VIRTUAL = "virtual"
    REAL = "real"
    FAST = "fast"


ConfigOption = Annotated[
    Path | None, typer.Option("--config", "-c", metavar="FILE", help="Configuration (YAML); see `check`.")
]


def _version(wanted: bool) -> None:
    if wanted:
        from vectorplane import __version__

        print(f"vectorplane {__version__}")
        raise typer.Exit


@app.callback()
def top(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """A vector packet engine in the style of FD.io VPP, in Python compiled by numba."""


@app.command()
def replay(
    captures: Annotated[
        list[str] | None,
        typer.Argument(metavar="CAPTURE", help="pcap or pcapng, plain, gzip or zstd; - is standard input; NAME=FILE."),
    ] = None,
    config: ConfigOption = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="DIR", help="Write a capture an interface.")
    ] = None,
    clock: Annotated[Clock | None, typer.Option(help="Whose time counts: the capture's, ours, none.")] = None,
    loop: Annotated[int, typer.Option(metavar="N", min=1, help="Play each capture N times.")] = 1,
    limit: Annotated[int | None, typer.Option(metavar="N", min=1, help="Stop after N packets.")] = None,
    workers: Annotated[int | None, typer.Option(metavar="N", min=1, max=64, help="Threads.")] = None,
    trace: Annotated[int, typer.Option(metavar="N", min=0, help="Print the way of the first N packets.")] = 0,
    json: JsonOption = False,
    strict: Annotated[bool, typer.Option("--strict", help="A damaged capture is an error.")] = False,
    backend: Annotated[
        str,
        typer.Option(
            metavar="BACKEND", help="sim: our engine; dpdk: the same, its NICs DPDK ports; vpp or vpp:SOCKET: a VPP."
        ),
    ] = "sim",
    api_dir: Annotated[
        Path | None, typer.Option("--api-dir", metavar="DIR", help="Definitions of VPP's messages, *.api.json (vpp).")
    ] = None,
) -> None:
    """Play captures through a router and say where every packet went.

    A capture arrives on the interface named `in`, or else on the first one of the configuration without captures of
    its own; NAME=FILE names the interface. Several are merged by time stamp. Without a configuration everything
    that arrives on `in` and has an IPv4 destination is routed out of `out`.
    """
    from vectorplane.cli.replay import Options, run

    run(
        Options(
            captures=captures or [],
            config=config,
            out=out,
            clock=clock.value if clock else None,
            loop=loop,
            limit=limit,
            workers=workers,
            trace=trace,
            json=json,
            strict=strict,
            backend=backend,
            api_dir=api_dir,
        )
    )


@app.command("explain-packet")
def explain_packet(
    interface: Annotated[str, typer.Option("--interface", "-i", metavar="NAME", help="Where it arrives.")],
    config: ConfigOption = None,
    socket: Annotated[
        Path | None,
        typer.Option("--socket", "-s", metavar="PATH|default", help="Ask a running instance: its management socket."),
    ] = None,
    hex: Annotated[str | None, typer.Option("--hex", metavar="HEX", help="The packet, from its first byte on.")] = None,
    capture: Annotated[
        Path | None, typer.Option("--capture", metavar="FILE", help="A capture that holds the packet.")
    ] = None,
    number: Annotated[int, typer.Option("--number", metavar="N", min=1, help="Which packet of the capture.")] = 1,
    flow: Annotated[
        str | None,
        typer.Option("--flow", metavar="FLOW", help="'tcp 10.0.0.1:1234 -> 10.0.0.2:80 flags S'; see below."),
    ] = None,
    mac: Annotated[
        str | None, typer.Option("--mac", metavar="MAC", help="Its destination; of a flow else the interface's.")
    ] = None,
    before: Annotated[
        list[str] | None,
        typer.Option(
            "--before",
            metavar="[NAME=]FILE",
            help="Play a capture first (on that interface), so that sessions, MAC addresses, neighbours are there.",
        ),
    ] = None,
    play: Annotated[bool, typer.Option("--play", help="Play the packets before --number first.")] = False,
    wait: Annotated[
        float, typer.Option("--wait", metavar="SECONDS", min=0, help="Let time go by before the packet comes.")
    ] = 0,
    inject: Annotated[
        bool, typer.Option("--inject", help="Have the running instance really receive the packet, too.")
    ] = False,
    all_rules: Annotated[bool, typer.Option("--all-rules", help="Tell of each rule, however many there are.")] = False,
    trace: Annotated[bool, typer.Option("--trace", help="With the packet trace of each node.")] = False,
    json: JsonOption = False,
) -> None:
    """Why was this packet dropped? Each node that it passes, what was decided there and why, and what came out.

    The packet goes through a router made of the configuration (without one: replay's), or through a running instance.
    There it is a copy of the instance that is asked (its process is forked): the packet leaves nowhere, and no session,
    MAC address or counter of the instance changes. It stands still for some milliseconds meanwhile.

    FLOW: PROTOCOL SOURCE[:PORT] -> DESTINATION[:PORT], then flags SA, type N, code N, id N, ttl N, tos N, length N, df,
    fragment N, as needed. It gets the interface's address and tags.

    Exit status: 0 sent, consumed or held, 1 dropped, 2 trouble.
    """
    from vectorplane.cli.explain_packet import Options, run

    run(
        Options(
            interface=interface,
            config=config,
            socket=socket,
            hex=hex,
            capture=capture,
            number=number,
            flow=flow,
            mac=mac,
            before=before or [],
            play=play,
            wait=wait,
            inject=inject,
            all_rules=all_rules,
            trace=trace,
            json=json,
        )
    )


@app.command()
def check(config: Annotated[Path, typer.Argument(metavar="CONFIG", help="Configuration (YAML).")]) -> None:
    """Check a configuration without starting anything; every mistake with its line and field."""
    from vectorplane.cli.check import run

    run(config)


@app.command()
def graph(
    config: ConfigOption = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="FILE.dot or FILE.svg instead of standard output."),
    ] = None,
) -> None:
    """Draw the graph of nodes that a configuration (or replay without one) needs."""
    from vectorplane.cli.graph import run

    run(config, output)


@app.command()
def doctor(
    bare_metal: Annotated[
        bool, typer.Option("--bare-metal", help="Is this host ready for a real VPP with DPDK cards?")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Look at this machine: CPU, kernel cache, DPDK, huge pages, privileges, and what each means."""
    if bare_metal:
        from vectorplane.cli.doctor_bare_metal import run
    else:
        from vectorplane.cli.doctor import run

    run(json)


@app.command(
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "allow_interspersed_args": False}
)
def vpp(context: typer.Context) -> None:
    """Stand in for VPP: take its start-up configuration (as words, or `-c FILE`) and open its sockets."""
    from vectorplane.cli.vpp import run

    run(context.args)


@app.command(context_settings={"allow_interspersed_args": False})
def cli(
    words: Annotated[list[str] | None, typer.Argument(metavar="[LINE]", help="show interface, say.")] = None,
    socket: Annotated[
        Path | None, typer.Option("--socket", "-s", metavar="PATH", help="Debug CLI socket of an instance or a VPP.")
    ] = None,
) -> None:
    """One line for the debug CLI of a running instance, or (without words) one after the other.

    Exit status 1 when the line failed, 2 when nobody answers.
    """
    from vectorplane.cli.cli import run

    run(words or [], socket)


@app.command()
def api(directory: Annotated[Path, typer.Argument(metavar="DIR", help="Made if it is not there.")]) -> None:
    """Write the definitions (*.api.json) of the messages that are served, for clients such as vpp_papi."""
    from vectorplane.cli.api import run

    run(directory)


@app.command("vpp-startup")
def vpp_startup(
    config: Annotated[Path, typer.Argument(metavar="CONFIG", help="Configuration (YAML).")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write it there, not to standard output.")
    ] = None,
    runtime_dir: Annotated[
        str, typer.Option("--runtime-dir", metavar="DIR", help="Where VPP's sockets are.")
    ] = "/run/vpp",
    main_core: Annotated[
        int | None, typer.Option("--main-core", metavar="N", min=0, help="Core of VPP's main thread.")
    ] = None,
    worker_cores: Annotated[
        str | None, typer.Option("--worker-cores", metavar="LIST", help="Cores of its workers, as 2-3,5.")
    ] = None,
) -> None:
    """Write the start-up configuration of a real VPP on this host, and say what it calls each interface."""
    from vectorplane.cli.vpp_startup import run

    run(config, output, runtime_dir, main_core, worker_cores)


@app.command()
def compare(
    a: Annotated[str, typer.Argument(metavar="A.pcap", help="A capture; - is standard input.")],
    b: Annotated[str, typer.Argument(metavar="B.pcap", help="Another.")],
    mask: Annotated[
        list[str] | None,
        typer.Option(
            "--mask",
            metavar="MASK",
            help="Bytes to ignore: macs, ip-id, ip-checksum, ttl, l4-checksum or [BASE+]OFFSET:LENGTH; repeatable.",
        ),
    ] = None,
    unordered: Annotated[bool, typer.Option("--unordered", help="Compare as sets: the order does not matter.")] = False,
    times: Annotated[bool, typer.Option("--times", help="Time stamps must be the same too.")] = False,
    most: Annotated[int, typer.Option("--show", metavar="N", min=0, help="Show at most N differences.")] = 10,
) -> None:
    """Compare two captures packet by packet. Exit status: 0 the same, 1 different, 2 trouble (as diff)."""
    from vectorplane.cli.compare import run

    run(a, b, mask or [], unordered, times, most)


@show.command("nodes")
def show_nodes() -> None:
    """All node types: name, kind, and what they do in a line."""
    from vectorplane.cli.show import nodes

    nodes()


@show.command("node")
def show_node(name: Annotated[str, typer.Argument(metavar="NAME")]) -> None:
    """One node: its specification, next nodes, error counters, features."""
    from vectorplane.cli.show import node

    node(name)


@show.command("errors")
def show_errors(socket: SocketOption = None) -> None:
    """All error counters: node, symbol and text; of a running instance those that are not zero."""
    if socket is not None:
        from vectorplane.cli.running import line

        return line("show errors", socket)
    from vectorplane.cli.show import errors

    errors()


@show.command("features")
def show_features() -> None:
    """The feature arcs, and the order of the features on each."""
    from vectorplane.cli.show import features

    features()


@show.command("interfaces")
def show_interfaces(config: ConfigOption = None, socket: SocketOption = None) -> None:
    """The interfaces that a configuration (or replay without one) makes, or those of a running instance."""
    if socket is not None:
        from vectorplane.cli.running import line

        return line("show interface", socket)
    from vectorplane.cli.show import interfaces

    interfaces(config)


@show.command("buffers")
def show_buffers(config: ConfigOption = None, socket: SocketOption = None) -> None:
    """The buffer pool: cells, sizes, memory."""
    if socket is not None:
        from vectorplane.cli.running import line

        return line("show buffers", socket)
    from vectorplane.cli.show import buffers

    buffers(config)


@show.command("runtime")
def show_runtime(socket: SocketOption = None) -> None:
    """Calls, vectors and clocks of each node of a running instance."""
    if socket is not None:
        from vectorplane.cli.running import line

        return line("show runtime", socket)
    from vectorplane.cli.errors import fail

    fail(
        "show runtime: there is no running engine: name the socket of one with --socket; `vectorplane replay` and "
        "`vectorplane bench ip4` print the table, too"
    )


app_instance.add(app, show)
app.add_typer(app_bench.bench, name="bench")
app.add_typer(app_cluster.cluster, name="cluster")
app.add_typer(app_lab.lab, name="lab")
