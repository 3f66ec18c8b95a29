"""``show version``, ``threads``, ``clock``, ``memory``, ``cpu``, ``plugins``, ``api clients``; ``set clock adjust``."""

from __future__ import annotations

import os
import platform
import resource
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from vectorplane.control.debug_cli.errors import CliError
from vectorplane.control.debug_cli.tree import Command
from vectorplane.control.debug_cli.words import Words
from vectorplane.control.vpp_version import VPP_VERSION
from vectorplane.dataplane.show.columns import thread_name

if TYPE_CHECKING:
    from vectorplane.control.debug_cli.cli import DebugCli

_MOST_ADJUST = 1e9
_LEFT = (1, 4)
"""Columns of `show threads` whose text begins at the left."""


def show_version(cli: DebugCli, words: Words) -> str:
    """The version; ``verbose`` what it runs on, ``cmdline`` how it was started."""
    verbose = cmdline = False
    while not words.done:
        if words.accept("verbose"):
            verbose = True
        elif words.accept("cmdline"):
            cmdline = True
        else:
            raise words.unknown()
    lines = []
    if verbose:
        import llvmlite
        import numba
        import numpy

        rows = {
            "Version": f"v{VPP_VERSION}",
            "Python": platform.python_version(),
            "Compiler": f"numba {numba.__version__}, llvmlite {llvmlite.__version__}, numpy {numpy.__version__}",
            "Current PID": os.getpid(),
        }
        lines += [f"{name + ':':<25} {value}" for name, value in rows.items()]
    if cmdline:
        lines += ["Command line arguments:", *(f"  {a}" for a in cli.arguments)]
    return "\n".join(lines or [f"vpp v{VPP_VERSION} (Python {platform.python_version()})"])


def show_clock(cli: DebugCli, words: Words) -> str:
    """Seconds since the start, and the date."""
    words.accept("verbose")
    date = time.strftime("%a, %d %b %Y %H:%M:%S", time.gmtime(time.time()))
    lines = [f"Time now {cli.now:.6f}, {date} GMT", "Time last barrier release 0.000000000"]
    for i in range(len(cli.engine.plane.workers)):
        lines += [f"{i}: Time now {cli.now:.6f}", f"Thread {i} offset 0.000000000 error 0.000000000"]
    return "\n".join(lines)


def set_clock_adjust(cli: DebugCli, words: Words) -> str:
    """Move time forward; the timers that are due then have run when this is over."""
    seconds = words.take_real("expected seconds, got")
    if not 0 <= seconds <= _MOST_ADJUST:
        raise CliError(f"seconds must be within 0 to {_MOST_ADJUST:.0e}")
    cli.adjust_clock(seconds)
    return ""


def show_threads(cli: DebugCli, words: Words) -> str:
    """A line a worker: worker 0 is VPP's main thread."""
    titles = ("ID", "Name", "LWP", "CPU", "Sched", "Loops")
    native = {t.name: t.native_id for t in threading.enumerate()}
    rows: list[tuple[str, ...]] = []
    for i, worker in enumerate(cli.engine.plane.workers):
        lwp = native.get(f"vectorplane_{i}") or threading.get_native_id()
        rows.append((str(i), thread_name(i), str(lwp), _processor(lwp), "other (0)", str(int(worker.record["rounds"]))))
    widths = [max(len(row[c]) for row in (titles, *rows)) for c in range(len(titles))]
    lines = [" ".join(title.center(width) for title, width in zip(titles, widths, strict=True))]
    for row in rows:
        cells = enumerate(zip(row, widths, strict=True))
        lines.append(" ".join(cell.ljust(w) if c in _LEFT else cell.rjust(w) for c, (cell, w) in cells))
    return "\n".join(line.rstrip() for line in lines)


def _processor(lwp: int) -> str:
    """The processor that a thread ran on last (proc(5), the 39th field of stat)."""
    try:
        return Path(f"/proc/self/task/{lwp}/stat").read_text().rpartition(")")[2].split()[36]
    except (OSError, IndexError):
        return "-"


def show_memory(cli: DebugCli, words: Words) -> str:
    """What the process holds, and the engine's counters."""
    words.accept("verbose", "main-heap", "stats-segment", "api-segment", "map")
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    plane = cli.engine.plane
    return (
        f"Process: {pages * resource.getpagesize() >> 20}M resident, {peak >> 10}M at most\n"
        f"Buffers: {plane.pool.count - plane.free_buffers()} of {plane.pool.count} in use\n"
    )


def show_cpu(cli: DebugCli, words: Words) -> str:
    """The processor, and the frequency of its cycle counter."""
    from vectorplane.dataplane.clock import tsc_hz

    model = next(
        (line.partition(":")[2].strip() for line in _cpuinfo() if line.startswith("model name")), platform.machine()
    )
    return f"{'Model name:':<25}{model}\n{'Base frequency:':<25}{tsc_hz() / 1e9:.2f} GHz"


def _cpuinfo() -> list[str]:
    try:
        return Path("/proc/cpuinfo").read_text().split("\n")
    except OSError:
        return []


def show_plugins(cli: DebugCli, words: Words) -> str:
    """The packages that brought nodes of their own; what is built in is no plugin."""
    from importlib.metadata import entry_points

    head = " Plugin path is: entry points of the group vectorplane.nodes, plugins shown in load order"
    lines = [head, "", f"     {'Plugin':<41}{'Version':<33}"]
    for n, point in enumerate(sorted(entry_points(group="vectorplane.nodes"), key=lambda p: p.name), 1):
        lines.append(f"{n:3}. {point.name:<40} {point.dist.version if point.dist else ''}")
    return "\n".join(line.rstrip() for line in lines)


def show_api_clients(cli: DebugCli, words: Words) -> str:
    """Who is connected to the binary API's socket."""
    lines = ["Socket clients", f"{'Name':>20} {'PID':>8}"]
    return "\n".join(lines + [f"{c.name:>20} {c.pid:>8}" for c in cli.clients()])


COMMANDS = (
    Command("show version", "show version [verbose] [cmdline]", show_version),
    Command("show clock", "show clock", show_clock),
    Command("set clock adjust", "set clock adjust <nn>", set_clock_adjust),
    Command("show threads", "Show threads", show_threads),
    Command("show memory", "Show memory", show_memory),
    Command("show cpu", "Show cpu information", show_cpu),
    Command("show plugins", "show loaded plugins", show_plugins),
    Command("show api clients", "Client information", show_api_clients),
)
