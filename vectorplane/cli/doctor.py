"""``vectorplane doctor``: what this machine offers, and what each finding means."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

GOOD, FAIR, BAD = "ok", "note", "problem"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: ``state`` is ok, note (works, could be better) or problem."""

    what: str
    state: str
    found: str
    meaning: str


def cpu_model() -> str:
    """The CPU's name."""
    return _cpuinfo().get("model name") or platform.processor() or platform.machine()


def _cpuinfo() -> dict[str, str]:
    try:
        text = Path("/proc/cpuinfo").read_text(errors="replace").partition("\n\n")[0]
    except OSError:
        return {}
    pairs = (line.partition(":") for line in text.splitlines())
    return {key.strip(): value.strip() for key, _, value in pairs}


def _cpu() -> list[Finding]:
    flags = set(_cpuinfo().get("flags", _cpuinfo().get("Features", "")).split())
    vector = next((f for f in ("avx512f", "avx2", "asimd", "sse2") if f in flags), "none found")
    cores = len(os.sched_getaffinity(0))
    steady = {"constant_tsc", "nonstop_tsc"} <= flags or "asimd" in flags
    return [
        Finding("CPU", GOOD, f"{cpu_model()}, {cores} usable cores", "more workers than cores slow each other down"),
        Finding("vector units", GOOD, vector, "kernels are compiled for this CPU; none is required"),
        Finding(
            "cycle counter",
            GOOD if steady else FAIR,
            "steady" if steady else "may change its speed",
            "clocks per packet are measured with it" + ("" if steady else ": compare such figures with care"),
        ),
    ]


def _python() -> Finding:
    versions = []
    for package in ("numba", "llvmlite", "numpy"):
        try:
            versions.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            versions.append(f"{package} missing")
    jit = os.environ.get("NUMBA_DISABLE_JIT", "0") == "0"
    return Finding(
        "Python",
        GOOD if jit else FAIR,
        f"{platform.python_version()}, {', '.join(versions)}",
        "kernels are compiled"
        if jit
        else "NUMBA_DISABLE_JIT is set: kernels run as plain Python, thousands of times slower",
    )


def _cache() -> Finding:
    from vectorplane.jit.cache import root
    from vectorplane.jit.prepare import everything

    units = everything()
    ready = sum(u.is_cached for u in units)
    place = root()
    size = sum(f.stat().st_size for f in place.rglob("*") if f.is_file()) if place.is_dir() else 0
    found = f"{place}: {ready} of {len(units)} kernels ready, {size / 1e6:.1f} MB"
    try:
        place.mkdir(parents=True, exist_ok=True, mode=0o700)
        tempfile.TemporaryFile(dir=place).close()
    except OSError as error:
        meaning = f"cannot be written ({error.strerror}), so nothing can be compiled: set VECTORPLANE_CACHE_DIR"
        return Finding("kernel cache", BAD, found, meaning)
    if ready == len(units):
        return Finding("kernel cache", GOOD, found, "nothing will have to be compiled")
    return Finding("kernel cache", GOOD, found, "what is missing is compiled when it is first needed, once")


def _dpdk() -> Finding:
    from vectorplane.backends.engine.dpdk.eal import version as dpdk_version
    from vectorplane.backends.engine.dpdk.library import HOW_TO_BUILD, DpdkMissing, shim_file

    try:
        found = dpdk_version()
    except DpdkMissing as error:
        if shim_file() is not None:
            return Finding("DPDK", BAD, str(error), "the shim is there, but does not load: build it again")
    else:
        meaning = "interfaces can be DPDK ports (real cards: see doctor --bare-metal)"
        return Finding("DPDK", GOOD, f"{found}, shim {shim_file()}", meaning)
    program = shutil.which("pkg-config")
    why = "pkg-config is not installed"
    if program is not None:
        done = subprocess.run([program, "--modversion", "libdpdk"], capture_output=True, text=True, check=False)
        why = f"libdpdk {done.stdout.strip()} is there now" if done.returncode == 0 else "pkg-config knows no libdpdk"
    return Finding("DPDK", GOOD, f"no shim ({why})", f"only DPDK ports need it; {HOW_TO_BUILD}")


def _huge_pages() -> Finding:
    found = []
    for folder in sorted(Path("/sys/kernel/mm/hugepages").glob("hugepages-*")):
        kb = int(folder.name.removeprefix("hugepages-").removesuffix("kB"))
        total, free = ((folder / n).read_text().strip() for n in ("nr_hugepages", "free_hugepages"))
        if total != "0":
            found.append(f"{total} of {kb // 1024} MB ({free} free)")
    try:
        transparent = Path("/sys/kernel/mm/transparent_hugepage/enabled").read_text()
        found.append(f"transparent: {transparent.partition('[')[2].partition(']')[0]}")
    except OSError:
        found.append("transparent: not offered")
    good = not found[-1].endswith(("never", "offered"))
    return Finding(
        "huge pages",
        GOOD if good else FAIR,
        ", ".join(found),
        "large route tables use transparent ones" if good else "large route tables miss the TLB more often",
    )


def _privileges() -> Finding:
    try:
        status = Path("/proc/self/status").read_text()
        bits = int(status.partition("CapEff:")[2].split()[0], 16)
    except (OSError, IndexError, ValueError):
        bits = 0
    names = [n for bit, n in ((12, "CAP_NET_ADMIN"), (13, "CAP_NET_RAW")) if bits >> bit & 1]
    who = "root" if os.geteuid() == 0 else f"user {os.geteuid()}"
    return Finding("privileges", GOOD, f"{who}, {', '.join(names) or 'none'}", "captures and simulated ports need none")


def _memory() -> Finding:
    try:
        with open("/proc/meminfo", encoding="ascii") as f:
            available = next(int(line.split()[1]) for line in f if line.startswith("MemAvailable"))
    except (OSError, StopIteration):
        return Finding("memory", FAIR, "unknown", "a replay takes less than 400 MB")
    state = GOOD if available > 500_000 else FAIR
    return Finding("memory", state, f"{available / 1e6:.1f} GB available", "a replay takes less than 400 MB")


def _graphviz() -> Finding:
    found = shutil.which("dot")
    meaning = "draws `vectorplane graph -o FILE.svg`" + ("" if found else " (Debian: graphviz)")
    return Finding("Graphviz", GOOD if found else FAIR, found or "not found", meaning)


def examine() -> list[Finding]:
    """Look at everything."""
    return [*_cpu(), _memory(), _python(), _cache(), _huge_pages(), _dpdk(), _graphviz(), _privileges()]


def run(as_json: bool) -> None:
    """The command; exit status 1 when there is a problem."""
    findings = examine()
    if as_json:
        print(json.dumps([asdict(f) for f in findings]))
    else:
        from rich.table import Table

        from vectorplane.cli.tables import console

        made = Table.grid("", "", "", padding=(0, 2))
        for f in findings:
            made.add_row(f.what, f.state, f"{f.found}\n[dim]{f.meaning}[/dim]")
        console().print(made)
    if any(f.state == BAD for f in findings):
        sys.exit(1)
