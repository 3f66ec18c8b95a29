"""DPDK's own forwarding program, ``dpdk-testpmd``, as the measure of ours."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Sequence

from vectorplane.backends.base import BackendError
from vectorplane.backends.engine.dpdk.eal import cpu_list

_RATE = re.compile(r"Tx-pps:\s+(\d+)")
_PORTS = 2


def testpmd(eal: Sequence[str], vdevs: Sequence[str], mode: str, seconds: int) -> float:
    """Million packets a second that it sends by both ports, over ``seconds`` after the first.

    Raises:
        BackendError: it is not installed, or does not start.
    """
    program = shutil.which("dpdk-testpmd")
    if program is None:
        raise BackendError("there is no dpdk-testpmd: apt-get install dpdk-dev")
    cpus = cpu_list(os.sched_getaffinity(0))
    command = [program, *eal, f"--lcores=0@({cpus}),1@({cpus})", *(f"--vdev={v}" for v in vdevs)]
    command += ["--", f"--forward-mode={mode}", "--stats-period=1", "--total-num-mbufs=16384", "--no-mlockall"]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    rates: list[int] = []
    said: list[str] = []
    until = time.monotonic() + seconds + 20
    try:
        assert running.stdout is not None
        for line in running.stdout:
            said = [*said[-9:], line.strip()]
            rates += [int(rate) for rate in _RATE.findall(line)]
            # the first two periods are its start
            if len(rates) >= _PORTS * (seconds + 2) or time.monotonic() > until:
                break
    finally:
        running.send_signal(signal.SIGINT)
        try:
            running.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            running.kill()
            running.communicate()
    used = rates[2 * _PORTS :]
    if len(used) < _PORTS:
        raise BackendError(f"dpdk-testpmd did not run: {'; '.join(said)}")
    return sum(used) / (len(used) / _PORTS) / 1e6
