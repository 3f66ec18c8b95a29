"""Compiles what is missing in the kernel cache, several kernels at a time, each in a process of its own.

numba compiles one function at a time in a process; two processes fill the cache twice as fast on two cores.
What a process compiled, this one then loads. ``python -m vectorplane.jit.prepare`` compiles everything there is.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import pkgutil
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable

from vectorplane.jit.kernel import JIT, Compiled, Kernel

Unit = Kernel | Compiled
Progress = Callable[[int, int, str], None]
"""``progress(done, total, name)``"""


def units_in(modules: Iterable[str]) -> list[Unit]:
    """All kernels and compiled functions that are defined in these (imported) modules."""
    found: dict[tuple[str, str], Unit] = {}
    for name in modules:
        for value in list(vars(sys.modules[name]).values()):
            if isinstance(value, (Kernel, Compiled)) and value.module == name:
                found[value.module, value.name] = value
    return list(found.values())


FOLDERS = ("pcap", "dataplane", "graph_nodes", "backends", "control", "bench")
"""Where kernels are. Named, because an editable install does not list them below ``vectorplane.__path__``."""


def everything() -> list[Unit]:
    """All kernels and compiled functions of the installed package (imports all of it but the command line)."""
    names = []
    for folder in FOLDERS:
        package = importlib.import_module(f"vectorplane.{folder}")
        names.append(package.__name__)
        for info in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
            names.append(importlib.import_module(info.name).__name__)
    return units_in(names)


def build(unit: Unit) -> None:
    """Compile one, or load it from the cache."""
    _ = unit.address


def prepare(units: Iterable[Unit], progress: Progress | None = None, processes: int | None = None) -> int:
    """Make sure that all ``units`` are in the cache; gives how many had to be compiled.

    Raises:
        RuntimeError: a kernel does not compile; the compiler's message is in it.
    """
    missing = [u for u in dict.fromkeys(units) if not u.is_cached]
    if not missing or not JIT:
        return 0
    # another process finds a function by its module and name; what cannot be found there is compiled here
    findable = {m: units_in([m]) for m in {u.module for u in missing} if m != "__main__"}
    elsewhere = [u for u in missing if u in findable.get(u.module, ())]
    count = min(processes or os.cpu_count() or 1, len(elsewhere))
    if count < 2 or len(elsewhere) < 3:
        elsewhere = []
    done = 0
    for unit in missing:
        if unit not in elsewhere:
            build(unit)
            done += 1
            if progress is not None:
                progress(done, len(missing), unit.name)
    if not elsewhere:
        return len(missing)
    # those of a module together, since they share helpers, which each process compiles for itself; the largest
    # module first, so that none is left to be compiled alone at the end
    modules: dict[str, list[Unit]] = {}
    for unit in elsewhere:
        modules.setdefault(unit.module, []).append(unit)
    todo: queue.SimpleQueue[list[Unit]] = queue.SimpleQueue()
    for units in sorted(modules.values(), key=lambda m: -sum(len(u.python.__code__.co_code) for u in m)):
        todo.put(units)
    errors: list[str] = []
    lock = threading.Lock()

    def serve() -> None:
        nonlocal done
        child = subprocess.Popen(
            [sys.executable, "-m", "vectorplane.jit.prepare", "--serve"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert child.stdin is not None and child.stdout is not None
        try:
            while not errors:
                try:
                    units = todo.get_nowait()
                except queue.Empty:
                    return
                for unit in units:
                    child.stdin.write(f"{unit.module}:{unit.name}\n")
                    child.stdin.flush()
                    answer = child.stdout.readline()
                    with lock:
                        done += 1
                        if not answer.startswith("ok"):
                            errors.append(f"{unit.module}.{unit.name}: {answer.strip() or 'the compiler process died'}")
                            return
                        if progress is not None:
                            progress(done, len(missing), unit.name)
        finally:
            child.stdin.close()
            child.stdout.close()
            child.wait()

    threads = [threading.Thread(target=serve, daemon=True) for _ in range(count)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    if errors:
        raise RuntimeError("kernel does not compile: " + "; ".join(errors))
    return len(missing)


def _serve() -> None:
    """The child: compile what each line names, answer ``ok`` or the error in one line.

    Control-C is the parent's business: when it goes, this process ends with the kernel at hand.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.suppress(BrokenPipeError):
        _answer()


def _answer() -> None:
    for line in sys.stdin:
        module, _, name = line.strip().partition(":")
        try:
            importlib.import_module(module)
            build(next(u for u in units_in([module]) if u.name == name))
            print("ok", flush=True)
        except Exception as error:  # whatever the compiler raises is the parent's to report
            print("error " + " ".join(f"{type(error).__name__}: {error}".split()), flush=True)


def main() -> None:
    """Compile everything, saying so."""
    if "--serve" in sys.argv:
        _serve()
        return

    def show(done: int, total: int, name: str) -> None:
        print(f"{done:4}/{total} {name}", flush=True)

    n = prepare(everything(), show)
    print(f"{n} kernels compiled" if n else "all kernels are cached")


if __name__ == "__main__":
    main()
