"""The ``vectorplane bench`` commands and their options."""

from __future__ import annotations

from typing import Annotated

import typer

from vectorplane.cli.options import JsonOption

bench = typer.Typer(help="Clocks per packet of each node.", no_args_is_help=True)


@bench.callback()
def bench_top() -> None:
    """Clocks per packet of each node."""


@bench.command("ip4")
def bench_ip4(
    cases: Annotated[
        list[str] | None, typer.Argument(metavar="[CASE]", help="plain, mixed, million, sv-reassembly; all by default.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """pg-input to tx through ethernet-input, ip4-input, ip4-lookup, ip4-rewrite, with 64-byte packets."""
    from vectorplane.cli.bench import nodes

    nodes("ip4", cases or [], json)


@bench.command("l2")
def bench_l2(
    cases: Annotated[
        list[str] | None, typer.Argument(metavar="[CASE]", help="station, thousand, million, flood; all by default.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """A bridge domain: l2-input, l2-learn, l2-fwd, l2-flood, l2-output, with 64-byte frames."""
    from vectorplane.cli.bench import nodes

    nodes("l2", cases or [], json)


@bench.command("vxlan")
def bench_vxlan(
    cases: Annotated[list[str] | None, typer.Argument(metavar="[CASE]", help="one, thousand; all by default.")] = None,
    json: JsonOption = False,
) -> None:
    """Encapsulation and decapsulation: vxlan4-encap, ip4-udp-lookup, vxlan4-input, with 64-byte frames inside."""
    from vectorplane.cli.bench import nodes

    nodes("vxlan", cases or [], json)


@bench.command("acl-stateless")
def bench_acl_stateless(
    cases: Annotated[
        list[str] | None, typer.Argument(metavar="[CASE]", help="one, tuples, flows, deep; all by default.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Rules without sessions: acl-plugin-in-ip4-fa, with 64-byte packets of 4,096 flows; one rule, and 10,000."""
    from vectorplane.cli.bench import nodes

    nodes("acl_stateless", cases or [], json)


@bench.command("acl-stateful")
def bench_acl_stateful(
    cases: Annotated[
        list[str] | None, typer.Argument(metavar="[CASE]", help="existing, million, new; all by default.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Sessions: acl-plugin-in-ip4-fa, with 64-byte packets of 4,096 and 1,000,000 sessions, and of new ones."""
    from vectorplane.cli.bench import nodes

    nodes("acl_stateful", cases or [], json)


@bench.command("nat44")
def bench_nat44(
    cases: Annotated[
        list[str] | None,
        typer.Argument(metavar="[CASE]", help="in2out-N, out2in-N, output-N (N: 4096, 65536, 1048576), new; all."),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Address translation: nat44-ed-in2out, -out2in, -in2out-output and the slow path, with 64-byte packets."""
    from vectorplane.cli.bench import nodes

    nodes("nat44", cases or [], json)


@bench.command("api")
def bench_api(
    routes: Annotated[int, typer.Option(metavar="N", min=1, max=1 << 20, help="Routes a round.")] = 10_000,
    rounds: Annotated[int, typer.Option(metavar="N", min=1, help="Rounds.")] = 3,
    json: JsonOption = False,
) -> None:
    """Routes a second through VPP's binary API, one by one and pipelined, against a server that only answers."""
    from vectorplane.cli.bench import api

    api(routes, rounds, json)


@bench.command("dpdk")
def bench_dpdk(
    cases: Annotated[
        list[str] | None, typer.Argument(metavar="[CASE]", help="io, macswap, ip4; all by default.")
    ] = None,
    pairs: Annotated[int, typer.Option(metavar="N", min=1, help="Pairs of runs, ours and testpmd's.")] = 5,
    seconds: Annotated[int, typer.Option(metavar="N", min=1, help="Of each run.")] = 2,
    vector_size: Annotated[int, typer.Option(metavar="N", min=1, max=256, help="Most packets in a vector.")] = 256,
    copy: Annotated[bool, typer.Option("--copy", help="Copy packets instead of sharing buffers with DPDK.")] = False,
    alone: Annotated[bool, typer.Option("--alone", help="Without testpmd.")] = False,
    json: JsonOption = False,
) -> None:
    """DPDK ports beside dpdk-testpmd: packets a second over virtual devices, no huge pages."""
    from vectorplane.cli.bench import dpdk

    dpdk(cases or [], json, pairs=pairs, seconds=seconds, vector_size=vector_size, zero_copy=not copy, beside=not alone)


@bench.command("cluster")
def bench_cluster(
    rounds: Annotated[int, typer.Option(metavar="N", min=1, max=20, help="How often each change is made.")] = 10,
    json: JsonOption = False,
) -> None:
    """A node of a cluster of 100 nodes, 10,000 pods, 1,000 services and policies: its start, resyncs, changes."""
    from vectorplane.cli.bench import cluster

    cluster(rounds, json)


@bench.command("lab")
def bench_lab(
    cases: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[CASE]", help="bridge, bridge-cut, router, router-gso, nat44, nat44-gso, vxlan; all by default."
        ),
    ] = None,
    rounds: Annotated[int, typer.Option(metavar="N", min=1, help="Rounds; the median counts.")] = 5,
    seconds: Annotated[int, typer.Option(metavar="N", min=1, help="Seconds that a case takes in a round.")] = 3,
    json: JsonOption = False,
) -> None:
    """iperf3 between network namespaces: by taps through instances, and by a Linux bridge, in turns. Needs root."""
    from vectorplane.cli.bench import lab

    lab(cases or [], rounds, seconds, json)
