"""DPDK's environment abstraction layer (EAL): one for the whole process, begun when the first port is made.

The state is the C library's, not this module's: a process has one EAL whatever we do. It takes no huge pages and looks
for no cards by default, so that it runs without privileges and leaves no files behind. A failure tells what DPDK
logged.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence

from vectorplane.backends.base import BackendError
from vectorplane.backends.engine.dpdk.library import load

MEMORY = 256
"""MB that EAL may take for rings and what belongs to drivers; packets are in the engine's own buffers."""
WITHOUT_CARDS = ("--no-huge", "-m", str(MEMORY), "--no-pci", "--no-shconf", "--no-telemetry")
"""EAL arguments when the first port is a virtual device: no privileges, no huge pages, no files."""
WITH_CARDS = ("--in-memory", "--no-telemetry", "-a", "0000:00:00.0")
"""When it is a real card: huge pages; no card is taken but those that are named later."""
_NONE, _RUNS, _FAILED, _FORKED = range(4)
_CORES = ("-l", "-c", "--lcores", "--coremask", "--corelist")


def cpu_list(cpus: Iterable[int]) -> str:
    """``0-2,5``."""
    runs: list[list[int]] = []
    for cpu in sorted(cpus):
        if runs and runs[-1][1] == cpu - 1:
            runs[-1][1] = cpu
        else:
            runs.append([cpu, cpu])
    return ",".join(str(a) if a == b else f"{a}-{b}" for a, b in runs)


def complete(arguments: Sequence[str], cpus: Iterable[int]) -> list[str]:
    """With the main thread left on all CPUs that it may use, unless the arguments say where it is to run."""
    if any(a.partition("=")[0] in _CORES for a in arguments):
        return list(arguments)
    return [*arguments, f"--lcores=0@({cpu_list(cpus)})"]


def logged() -> str:
    """What DPDK has logged since the last call."""
    library, ffi = load()
    room = ffi.new("char[]", 1 << 14)
    size = int(library.vp_log_take(room, 1 << 14))
    return bytes(ffi.buffer(room, size)).decode(errors="replace").strip()


def explained(what: str, error: int) -> BackendError:
    """What failed, with its negative errno and the last that DPDK logged."""
    log = logged().splitlines()[-3:]
    said = "; ".join(line.strip() for line in log)
    reason = os.strerror(-error) if error < 0 else str(error)
    return BackendError(f"DPDK: {what}: {reason}" + (f" ({said})" if said else ""))


def begin(arguments: Sequence[str]) -> None:
    """Start EAL with these arguments; nothing happens when it runs with the same ones already.

    Raises:
        BackendError: it cannot start, runs with other arguments, or this process is a copy (fork) of one with EAL.
    """
    library, ffi = load()
    state = int(library.vp_eal_state())
    if state == _FORKED:
        raise BackendError("DPDK: this process is a copy (fork) of one that uses DPDK: start a new one (spawn) instead")
    if state == _FAILED:
        raise BackendError(
            "DPDK: EAL failed to start before, which it can do once in a process: start vectorplane anew"
        )
    affinity = os.sched_getaffinity(0)
    wanted = complete(arguments, affinity)
    if state == _RUNS:
        running = ffi.string(library.vp_eal_arguments()).decode().split("\n")
        if _without_cores(running) != _without_cores(wanted):
            raise BackendError(
                f"DPDK: EAL runs with {' '.join(running)!r}, there is one a process: it cannot be started with "
                f"{' '.join(wanted)!r}"
            )
        return
    texts = [ffi.new("char[]", a.encode()) for a in ("vectorplane", *wanted)]
    error = int(library.vp_eal_init(len(texts), ffi.new("char *[]", texts)))
    os.sched_setaffinity(0, affinity)  # EAL pins its main thread
    if error < 0:
        raise explained(f"EAL does not start with {' '.join(wanted)!r}", error)


def _without_cores(arguments: Sequence[str]) -> list[str]:
    return [a for a in arguments if not a.startswith("--lcores=0@(")]


def version() -> str:
    """DPDK's, as ``DPDK 22.11.5``."""
    library, ffi = load()
    return str(ffi.string(library.vp_version()).decode())
