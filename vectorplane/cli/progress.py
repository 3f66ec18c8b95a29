"""Progress bars on standard error, when that is a terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vectorplane.backends.engine.replay import Progress
    from vectorplane.jit.prepare import Unit


def compile_missing(units: Iterable[Unit]) -> None:
    """Fill the kernel cache with what these need; a bar shows how far it is. Ends the program when one fails."""
    from vectorplane.cli.errors import fail
    from vectorplane.jit.prepare import prepare

    missing = [u for u in dict.fromkeys(units) if not u.is_cached]
    if not missing:
        return
    try:
        if not sys.stderr.isatty():
            print(f"vectorplane: compiling {len(missing)} kernels (only the first time)", file=sys.stderr, flush=True)
            prepare(missing)
            return
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        columns = (TextColumn("compiling kernels (only the first time)"), BarColumn(), MofNCompleteColumn())
        columns_more = (TimeElapsedColumn(), TextColumn("{task.fields[name]}"))
        with Progress(*columns, *columns_more, console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task("", total=len(missing), name="")
            prepare(missing, lambda done, total, name: bar.update(task, completed=done, name=name))
    except RuntimeError as error:
        fail(str(error))


def compile_control() -> None:
    """Compile what an engine needs already when it is made: the functions by which Python changes its tables."""
    import vectorplane.backends.engine.engine
    import vectorplane.backends.engine.replay  # noqa: F401
    from vectorplane.backends.engine.nodes import built_in
    from vectorplane.jit.kernel import Kernel
    from vectorplane.jit.prepare import units_in

    built_in()  # imports all nodes
    loaded = units_in([m for m in list(sys.modules) if m.startswith("vectorplane.")])
    compile_missing(u for u in loaded if not isinstance(u, Kernel))  # those of nodes only if they are in the graph


def compile_everything() -> None:
    """Compile what any configuration may need, and load it: from here on no node has to wait for its machine code."""
    import vectorplane.backends.engine.engine
    import vectorplane.control.packet_explain.live  # noqa: F401
    from vectorplane.backends.engine.nodes import built_in
    from vectorplane.jit.prepare import units_in

    built_in()  # imports all nodes
    units = units_in([m for m in list(sys.modules) if m.startswith("vectorplane.")])
    compile_missing(units)
    for unit in units:
        _ = unit.address


@contextmanager
def replay_bar(ends: bool = True) -> Iterator[Progress | None]:
    """A bar for a replay: bytes read, packets, packets a second, time left; None when nobody would see it.

    ``ends``: that the captures' bytes say how far the replay is (not so when they are played more than once).
    """
    if not sys.stderr.isatty():
        yield None
        return
    import time

    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    began = time.monotonic()
    columns = (TextColumn("replay"), BarColumn(), DownloadColumn(), TextColumn("{task.fields[rate]}"))
    with Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None, rate="")

        def show(done: int, total: int | None, packets: int) -> None:
            rate = packets / max(time.monotonic() - began, 1e-9)
            bar.update(task, completed=done, total=total if ends else None, rate=f"{packets:,} packets, {rate:,.0f}/s")

        yield show
