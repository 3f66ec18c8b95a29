"""``vectorplane bench``."""

from __future__ import annotations

import importlib
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vectorplane.bench.measure import CaseResult


def nodes(bench: str, cases: list[str], as_json: bool) -> None:
    """Measure the cases of a benchmark (a module of `vectorplane.bench` with ``CASES`` and ``run(case)``).

    A table each, or all as one JSON object.
    """
    from vectorplane.cli.errors import fail
    from vectorplane.cli.progress import compile_missing
    from vectorplane.jit.prepare import everything

    module = importlib.import_module(f"vectorplane.bench.{bench}")
    unknown = [c for c in cases if c not in module.CASES]
    if unknown:
        fail(f"bench {bench}: no case {unknown[0]}: there are {', '.join(module.CASES)}", 2)
    compile_missing(everything())
    results = []
    for case in cases or module.CASES:
        result = module.run(case)
        results.append(result)
        if not as_json:
            _show(bench, result)
    if as_json:
        from vectorplane.cli.doctor import cpu_model

        print(json.dumps({"cpu": cpu_model(), "cases": [r.json() for r in results]}))


def api(routes: int, rounds: int, as_json: bool) -> None:
    """Measure the binary API and print its rates."""
    from vectorplane.bench.api import api as measure
    from vectorplane.cli.progress import compile_everything

    compile_everything()
    rates = measure(routes, rounds)
    if as_json:
        print(json.dumps(rates.json()))
        return
    from vectorplane.cli.tables import console, table

    made = table(f"binary API, {routes:,} routes", "Round", "Synchronous/s", "Only answering/s", "Ratio", "Pipelined/s")
    for n, (ours, theirs, piped) in enumerate(zip(rates.sync, rates.sync_answering, rates.pipelined, strict=True), 1):
        made.add_row(str(n), f"{ours:,.0f}", f"{theirs:,.0f}", f"{ours / theirs:.2f}", f"{piped:,.0f}")
    console().print(made)


def dpdk(cases: list[str], as_json: bool, *, beside: bool, **how: Any) -> None:
    """Measure DPDK ports beside testpmd: a line a case."""
    from vectorplane.backends.base import BackendError
    from vectorplane.bench import dpdk as module
    from vectorplane.cli.errors import fail
    from vectorplane.cli.progress import compile_missing
    from vectorplane.cli.tables import console, table
    from vectorplane.jit.prepare import everything

    unknown = [c for c in cases if c not in module.CASES]
    if unknown:
        fail(f"bench dpdk: no case {unknown[0]}: there are {', '.join(module.CASES)}", 2)
    compile_missing(everything())
    try:
        results = [module.run(case, beside=beside, **how) for case in cases or module.CASES]
    except BackendError as error:
        fail(str(error))
    if as_json:
        print(json.dumps([r.json(beside) for r in results]))
        return
    made = table(f"DPDK ports, {module.MEMORY}", "Case", "Mpps", "testpmd", "Ratio", "Target", "Bare", "Call", "Graph")
    for r in results:
        theirs = (f"{r.median(r.theirs):.2f}", f"{r.ratio:.1%}", f"{r.target:.0%}") if beside else ("", "", "")
        made.add_row(r.case, f"{r.median(r.ours):.2f}", *theirs, f"{r.bare:.1f}", f"{r.call:.1f}", f"{r.graph:.1f}")
    out = console()
    out.print(made)
    for r in results:
        pairs = "; ".join(f"{a} beside {b}" for a, b in zip(r.ours, r.theirs, strict=False)) or f"{r.ours}"
        out.print(f"{r.case}: {pairs}")
        out.print("  " + ", ".join(f"{n['name']} {n['clocks_per_packet']}" for n in r.nodes))
    out.print("Bare: clocks a packet of driver and shim alone; Call: of a call for no packet; Graph: what comes on top")


def cluster(rounds: int, as_json: bool) -> None:
    """Measure a node of a large cluster: a row for each kind of change."""
    from vectorplane.bench.cluster import cluster as measure
    from vectorplane.cli.progress import compile_everything

    compile_everything()
    result = measure(rounds).json()
    if as_json:
        from vectorplane.cli.doctor import cpu_model

        print(json.dumps({"cpu": cpu_model(), **result}))
        return
    from vectorplane.cli.tables import console, table

    made = table(
        f"{result['records']:,} records, {result['items']:,} items; milliseconds",
        *("What", "Times", "Median", "Worst", "CPU", "Worst CPU", "Target"),
    )
    for row in result["rows"]:
        figures = (f"{row[name]:,.2f}" for name in ("wall_median_ms", "wall_worst_ms", "cpu_median_ms", "cpu_worst_ms"))
        made.add_row(row["what"], str(row["times"]), *figures, f"{row['target_ms']:,}")
    out = console()
    out.print(made)
    out.print(f"memory at its peak: {result['peak_mib']:,} MiB")


def lab(cases: list[str], rounds: int, seconds: int, as_json: bool) -> None:
    """Measure TCP through labs, and print a row a case."""
    from vectorplane.bench.lab import CASES, bench
    from vectorplane.cli.errors import fail
    from vectorplane.cli.lab import torn_down_on_signals
    from vectorplane.cli.progress import compile_missing
    from vectorplane.control.lab.namespaces import LabError
    from vectorplane.jit.prepare import everything

    unknown = [c for c in cases if c not in CASES]
    if unknown:
        fail(f"bench lab: no case {unknown[0]}: there are {', '.join(CASES)}", 2)
    compile_missing(everything())
    try:
        with torn_down_on_signals():
            results = bench(cases or CASES, rounds, seconds)
    except LabError as error:
        fail(str(error))
    if as_json:
        from vectorplane.cli.doctor import cpu_model

        print(json.dumps({"cpu": cpu_model(), "cases": [r.json() for r in results]}))
        return
    from vectorplane.cli.tables import console, table

    title = f"iperf3, one TCP stream, {rounds} rounds of {seconds} s"
    made = table(title, "Case", "Gbit/s", "Lowest", "Highest", "Sent again")
    for r in results:
        figures = (f"{n:.2f}" for n in (r.median, min(r.gbits), max(r.gbits)))
        made.add_row(r.case, *figures, f"{sum(r.retransmits):,}")
    console().print(made)


def _show(bench: str, result: CaseResult) -> None:
    from vectorplane.cli.tables import console, table

    made = table(f"{bench}, {result.case}", "Name", "Calls", "Vectors", "Packet-Clocks", "Vectors/Call")
    for row in result.nodes:
        clocks, per_call = row["clocks_per_packet"], row["vectors_per_call"]
        made.add_row(row["name"], f"{row['calls']:,}", f"{row['vectors']:,}", f"{clocks:.2f}", f"{per_call:.1f}")
    out = console()
    out.print(made)
    figures = f"{result.mpps:.2f} Mpps; {result.explained:.1%} of the cycles explained; {result.buffers:,} buffers"
    out.print("; ".join(filter(None, (figures, result.note()))))
