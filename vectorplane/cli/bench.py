"""``vectorplane bench``."""

from __future__ import annotations

import importlib
import json
from typing import TYPE_CHECKING

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
