"""How well workers scale: one engine with N workers against N independent one-worker processes, in the same minute.

What two processes reach on a machine is what its cores and its memory give; the rest is what sharing costs us.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import Any

from vectorplane.bench.ip4 import run

_CHILD = """
import json, sys, time
from vectorplane.bench.ip4 import run
run(packets=1 << 18)
time.sleep(max(0.0, float(sys.argv[1]) - time.time()))
print(json.dumps(run(packets=int(sys.argv[2])).json()))
"""


@dataclass
class Scaling:
    """Million packets a second: of one engine with all workers, and of as many processes with one each."""

    workers: int
    together: list[float]
    apart: list[float]

    @property
    def ratio(self) -> float:
        """Median of the rounds' ratios."""
        ratios = sorted(a / b for a, b in zip(self.together, self.apart, strict=True))
        return ratios[len(ratios) // 2]

    def json(self) -> dict[str, Any]:
        """As an object."""
        return {
            "workers": self.workers,
            "together_mpps": [round(x, 2) for x in self.together],
            "apart_mpps": [round(x, 2) for x in self.apart],
            "ratio": round(self.ratio, 3),
        }


def _apart(workers: int, packets: int) -> float:
    start = str(time.time() + 6)  # all begin to measure together, whatever their start-up takes
    command = [sys.executable, "-c", _CHILD, start, str(packets)]
    children = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(workers)]
    results = [json.loads(c.communicate()[0]) for c in children]
    return float(sum(r["mpps"] for r in results))


def scaling(workers: int = 2, *, packets: int = 1 << 25, rounds: int = 3) -> Scaling:
    """Alternate between the two, ``packets`` a worker, ``rounds`` times."""
    result = Scaling(workers, [], [])
    for _ in range(rounds):
        result.together.append(run(packets=packets, workers=workers).mpps)
        result.apart.append(_apart(workers, packets))
    return result
