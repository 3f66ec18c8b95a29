"""Reports as tables on standard output."""

from __future__ import annotations

import sys
from typing import IO, TYPE_CHECKING, Any

from rich import box
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from vectorplane.backends.engine.report import Report


def console(stream: IO[str] | None = None) -> Console:
    """Standard output, or another stream; lines are not broken at 80 columns when it is no terminal."""
    stream = stream or sys.stdout
    return Console(file=stream, width=None if stream.isatty() else 160, highlight=False)


def table(title: str, *columns: str, left: int = 1) -> Table:
    """A table whose first ``left`` columns are text and whose others are numbers."""
    made = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, show_edge=False)
    for i, name in enumerate(columns):
        made.add_column(name, justify="left" if i < left else "right", overflow="fold")
    return made


def balance(report: Report) -> Table:
    """in + generated = out + drops + consumed, in packets."""
    made = table("Packets", "", "packets", "bytes")
    made.add_row("in", f"{report.packets_in:,}", f"{report.bytes_in:,}")
    made.add_row("generated", f"{report.generated:,}", "")
    made.add_row("out", f"{report.packets_out:,}", f"{report.bytes_out:,}")
    made.add_row("dropped", f"{sum(report.drops.values()):,}", "")
    made.add_row("consumed", f"{sum(report.consumed.values()):,}", "")
    return made


def reasons(title: str, counts: dict[str, int]) -> Table:
    """Counts by node and reason, the most frequent first."""
    made = table(title, "node", "reason", "packets", left=2)
    for key, count in sorted(counts.items(), key=lambda kv: (-kv[1], kv[0])):
        node, _, reason = key.partition(": ")
        made.add_row(node, reason, f"{count:,}")
    return made


def interfaces(rows: list[dict[str, Any]]) -> Table:
    """Counters of the interfaces that saw a packet."""
    made = table("Interfaces", "interface", "rx packets", "rx bytes", "tx packets", "tx bytes", "drops", "rx-miss")
    keys = ("rx_packets", "rx_bytes", "tx_packets", "tx_bytes", "drops", "rx_miss")
    for row in rows:
        if any(row[k] for k in keys):
            made.add_row(row["name"], *(f"{row[k]:,}" for k in keys))
    return made


def runtime(report: Report, inputs: set[str]) -> Table:
    """VPP's `show runtime`, workers summed, a row a node that ran, by name; the dispatcher's own row comes last."""
    made = table("Runtime", "Name", "State", "Calls", "Vectors", "Suspends", "Packet-Clocks", "Vectors/Call", left=2)
    *rows, dispatcher = report.nodes
    for row in [*sorted(rows, key=lambda r: str(r["name"])), dispatcher]:
        clocks = row["clocks_per_packet"]
        made.add_row(
            row["name"],
            "polling" if row["name"] in inputs else "active",
            f"{row['calls']:,}",
            f"{row['vectors']:,}",
            str(row.get("suspends", 0)),
            f"{clocks:.1f}" if clocks < 1000 else f"{clocks:,.0f}",
            f"{row['vectors'] / row['calls'] if row['calls'] else 0.0:.2f}",
        )
    return made


def summary(report: Report, inputs: set[str]) -> None:
    """Everything about a run; ``inputs`` names the input nodes."""
    out = console()
    for part in (
        balance(report),
        reasons("Drops", report.drops) if report.drops else None,
        reasons("Consumed", report.consumed) if report.consumed else None,
        interfaces(report.interfaces),
        runtime(report, inputs),
    ):
        if part is not None:
            out.print(part)
            out.print()
    out.print(f"{report.packets_in:,} packets in {report.seconds:.3f} s: {report.pps:,.0f} packets a second")
