"""From captures and a configuration to a run: ``vectorplane replay`` without the terminal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from vectorplane.backends.engine.replay import Progress, needed_units, replay
from vectorplane.backends.engine.report import Report
from vectorplane.jit.prepare import prepare

if TYPE_CHECKING:
    from vectorplane.backends.engine.engine import Engine


@dataclass(frozen=True)
class ReplayOptions:
    """What ``vectorplane replay`` can be told."""

    config: Path | None = None
    out: Path | None = None
    clock: str = "virtual"
    loop: int = 1
    limit: int | None = None
    workers: int = 1
    strict: bool = False
    vector_size: int = 256
    trace: int = 0
    seed: int = 1


def split_captures(captures: Sequence[str]) -> list[tuple[str | None, str]]:
    """``NAME=FILE`` or ``FILE``: (interface or None, file). A path that exists as it stands is a file."""
    pairs: list[tuple[str | None, str]] = []
    for text in captures:
        name, equals, file = text.partition("=")
        if equals and name and "/" not in name and not Path(text).exists():
            pairs.append((name, file))
        else:
            pairs.append((None, text))
    return pairs


def run_replay(
    captures: Sequence[str],
    options: ReplayOptions,
    *,
    progress: Progress | None = None,
    compiling: Callable[[int, int, str], None] | None = None,
    started: Callable[[Engine], None] | None = None,
) -> tuple[Report, Engine]:
    """Replay captures through the configured router (without a configuration: the default router).

    ``compiling`` is told of kernels that have to be compiled first; ``started`` gets the engine just before the
    first packet (to stop it from a signal handler, say). The caller closes the engine.

    Raises:
        ConfigError: the configuration is wrong.
        CaptureError: a capture cannot be read.
        OSError: an output file cannot be written.
    """
    from vectorplane.control.build import build_engine

    engine = build_engine(split_captures(captures), options)
    try:
        prepare(needed_units(engine), compiling)
        if options.trace:
            from vectorplane.dataplane.trace_log import TraceLog

            engine.plane.shared(TraceLog).add("capture-input", options.trace)
        if started is not None:
            started(engine)
        return replay(engine, progress, options.limit), engine
    except BaseException:
        engine.close()
        raise
