"""A process that has numba loaded and forks a child for each line on its input, which runs one kernel.

A line is JSON: ``path`` (where the package `kpack` lies), ``wait`` (a file to wait for between importing the kernel
and compiling it). The answer, a line of JSON: what the kernel returned, whether it was cached, the cache's files.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
from typing import Any

import numpy as np

from vectorplane.jit import cache, kernel, ops  # noqa: F401  (numba is loaded once, before the fork)


def files() -> list[str]:
    """All files below the cache's root."""
    return sorted(str(p.relative_to(cache.root())) for p in cache.root().rglob("*") if p.is_file())


def run(job: dict[str, Any]) -> dict[str, Any]:
    """Import the kernel, run it on a record whose fields are 5 (x) and 70 (y), say what happened."""
    sys.path.insert(0, job["path"])
    module = importlib.import_module("kpack.kern")
    layout = importlib.import_module("kpack.layout").LAYOUT
    if job.get("wait"):
        print(json.dumps({"imported": True}), flush=True)
        while not os.path.exists(job["wait"]):
            time.sleep(0.005)
    record = np.zeros(1, layout)
    record["x"], record["y"] = 5, 70
    before = files()
    cached = module.k.is_cached
    value = module.k(record.ctypes.data, 1000, 0)
    return {"value": value, "cached": cached, "before": before, "after": files()}


def main() -> None:
    """Serve until the input ends."""
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            try:
                print(json.dumps(run(json.loads(line))), flush=True)
            except BaseException as error:
                print(json.dumps({"error": repr(error)}), flush=True)
            os._exit(0)
        os.waitpid(child, 0)


if __name__ == "__main__":
    main()
