"""The ``vectorplane cluster`` commands and their options."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vectorplane.cli.options import JsonOption

cluster = typer.Typer(
    help="A whole cluster on this machine: nodes, pods, services, policies, seen in packets.", no_args_is_help=True
)
SocketOption = Annotated[
    Path | None, typer.Option("--socket", "-s", metavar="PATH", help="The cluster's socket, as given to `up`.")
]
FilesOption = Annotated[
    list[Path], typer.Option("--filename", "-f", metavar="PATH", help="Manifests: files or folders; may be repeated.")
]
NamespaceOption = Annotated[str, typer.Option("--namespace", "-n", metavar="NAME", help="Of names without one.")]
ProtocolOption = Annotated[str, typer.Option("--protocol", "-p", metavar="NAME", help="tcp, udp, sctp or icmp.")]
From = Annotated[
    str, typer.Argument(metavar="FROM", help="A pod (NAME or NAMESPACE/NAME), node/NAME for its host, or outside.")
]
To = Annotated[
    str,
    typer.Argument(metavar="TO[:PORT]", help="A pod, svc/NAME, node/NAME, outside, an address."),
]
Node = Annotated[str, typer.Argument(metavar="NODE", help="A node's name.")]


@cluster.command()
def up(
    files: FilesOption = [],  # noqa: B006  (typer copies it)
    nodes: Annotated[
        int | None,
        typer.Option(min=1, max=254, help="How many nodes; without it those of the manifests, or one."),
    ] = None,
    settings: Annotated[
        Path | None, typer.Option("--config", "-c", metavar="FILE", help="Settings of the cluster (YAML).")
    ] = None,
    store: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Keep the cluster's store there; without it in memory.")
    ] = None,
    capture: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write what each node sends and receives on the wire there.")
    ] = None,
    watch: Annotated[bool, typer.Option(help="Follow changes of the manifests.")] = True,
    detach: Annotated[
        bool, typer.Option("--detach", "-d", help="Come back when the cluster is up; `down` ends it.")
    ] = False,
    seed: Annotated[int, typer.Option(help="What looks like chance follows from it.")] = 1,
    processes: Annotated[
        bool,
        typer.Option("--processes", help="Every node in a process of its own; all that happens is the same."),
    ] = False,
    socket: SocketOption = None,
) -> None:
    """Make a cluster of simulated nodes and run the manifests in it, until Ctrl-C (or `down`)."""
    from vectorplane.cli.cluster_up import Options
    from vectorplane.cli.cluster_up import up as work

    work(Options(tuple(files), nodes, settings, store, capture, watch, detach, seed, socket, processes))


@cluster.command()
def down(socket: SocketOption = None) -> None:
    """End the cluster."""
    from vectorplane.cli.cluster import down as work

    work(socket)


@cluster.command()
def apply(files: FilesOption, socket: SocketOption = None) -> None:
    """Create or change what manifests say."""
    from vectorplane.cli.cluster import apply as work

    work(files, socket)


@cluster.command()
def delete(
    what: Annotated[list[str] | None, typer.Argument(metavar="[KIND NAME...]", help="pod NAME ...")] = None,
    files: FilesOption = [],  # noqa: B006
    namespace: NamespaceOption = "default",
    socket: SocketOption = None,
) -> None:
    """Delete what manifests say, or objects by kind and name."""
    from vectorplane.cli.cluster import delete as work

    work(what or [], files, namespace, socket)


@cluster.command()
def get(
    kind: Annotated[
        str, typer.Argument(metavar="KIND", help="pods, services, endpoints, nodes, policies, namespaces, deployments.")
    ],
    name: Annotated[str | None, typer.Argument(metavar="[NAME]")] = None,
    namespace: Annotated[
        str | None, typer.Option("--namespace", "-n", metavar="NAME", help="Only of this namespace.")
    ] = None,
    json: JsonOption = False,
    socket: SocketOption = None,
) -> None:
    """Show objects of the cluster."""
    from vectorplane.cli.cluster import get as work

    work(kind, name, namespace, json, socket)


@cluster.command()
def ping(
    source: From,
    target: To,
    count: Annotated[int, typer.Option("--count", "-c", min=1, max=1000)] = 3,
    namespace: NamespaceOption = "default",
    json: JsonOption = False,
    socket: SocketOption = None,
) -> None:
    """Ping from a pod. Exit status 1 when no answer came."""
    from vectorplane.cli.cluster import ping as work

    work(source, target, count, namespace, json, socket)


@cluster.command()
def curl(
    source: From,
    target: To,
    namespace: NamespaceOption = "default",
    json: JsonOption = False,
    socket: SocketOption = None,
) -> None:
    """Open a TCP connection from a pod, send a request and show the answer. Exit status 1 when there is none."""
    from vectorplane.cli.cluster import curl as work

    work(source, target, namespace, json, socket)


@cluster.command("can-reach")
def can_reach(
    source: From,
    target: To,
    protocol: ProtocolOption = "",
    namespace: NamespaceOption = "default",
    details: Annotated[bool, typer.Option("--details", help="Every graph node, not only what decided.")] = False,
    json: JsonOption = False,
    socket: SocketOption = None,
) -> None:
    """Can FROM reach TO? Seen in packets, and why, node by node. Exit status 1 when not."""
    from vectorplane.cli.cluster import can_reach as work

    work(source, target, protocol, namespace, details, json, socket)


@cluster.command()
def matrix(
    port: Annotated[str, typer.Option(help="A port that all are asked at, number or name.")] = "80",
    protocol: ProtocolOption = "tcp",
    namespace: Annotated[
        str | None, typer.Option("--namespace", "-n", metavar="NAME", help="Only pods of this namespace.")
    ] = None,
    svg: Annotated[Path | None, typer.Option(metavar="FILE", help="Draw it there, too.")] = None,
    json: JsonOption = False,
    socket: SocketOption = None,
) -> None:
    """All pods against all pods."""
    from vectorplane.cli.cluster import matrix as work

    work(port, protocol, namespace, svg, json, socket)


@cluster.command()
def trace(
    source: From,
    target: To,
    protocol: ProtocolOption = "",
    namespace: NamespaceOption = "default",
    socket: SocketOption = None,
) -> None:
    """Send a packet, and show the packet trace of each node that it passed."""
    from vectorplane.cli.cluster import trace as work

    work(source, target, protocol, namespace, socket)


@cluster.command()
def replay(
    pod: Annotated[str, typer.Argument(metavar="POD")],
    capture: Annotated[Path, typer.Argument(metavar="CAPTURE")],
    rewrite: Annotated[
        bool, typer.Option(help="Send the packets as the pod's own: its addresses, checksums made right.")
    ] = True,
    namespace: NamespaceOption = "default",
    json: JsonOption = False,
    socket: SocketOption = None,
) -> None:
    """Send a capture from a pod, and count what became of it on every node."""
    from vectorplane.cli.cluster import replay as work

    work(pod, capture, rewrite, namespace, json, socket)


@cluster.command()
def drain(node: Node, socket: SocketOption = None) -> None:
    """Move the pods of a node elsewhere; it gets no new ones until `uncordon`."""
    from vectorplane.cli.cluster import drain as work

    work(node, socket)


@cluster.command()
def uncordon(node: Node, socket: SocketOption = None) -> None:
    """A node that was drained gets pods again."""
    from vectorplane.cli.cluster import uncordon as work

    work(node, socket)


@cluster.command()
def kill(
    node: Node,
    agent: Annotated[bool, typer.Option("--agent", help="Only its agent: the dataplane goes on.")] = False,
    socket: SocketOption = None,
) -> None:
    """Kill a node's dataplane and agent (the process, if it has its own); they come back with what the store says."""
    from vectorplane.cli.cluster import kill as work

    work(node, agent, socket)


@cluster.command(context_settings={"ignore_unknown_options": True})
def cli(
    node: Node,
    words: Annotated[list[str], typer.Argument(metavar="COMMAND...", help="As on VPP's debug CLI.")],
    socket: SocketOption = None,
) -> None:
    """One line of a node's debug CLI: `vectorplane cluster cli node-1 show nat44 sessions`."""
    from vectorplane.cli.cluster import cli as work

    work(node, words, socket)


@cluster.command()
def history(
    node: Node,
    count: Annotated[int, typer.Option("--count", "-c", min=1, help="How many events.")] = 20,
    json: JsonOption = False,
    socket: SocketOption = None,
) -> None:
    """What a node's agent did: events, what each handler made of them, what failed."""
    from vectorplane.cli.cluster import history as work

    work(node, count, json, socket)
