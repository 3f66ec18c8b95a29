"""File to file: a generated capture of 64-byte packets replayed by the command line, its rate and memory.

The capture lies in a memory file system, so that no disk is measured. The child is the installed program itself.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from vectorplane.bench.traffic import udp_frames
from vectorplane.control.default_router import IN_MAC

_BLOCK = 1 << 16


@dataclass
class ReplayResult:
    """Packets, wall-clock seconds of the run itself, and the largest resident size of the process in MB."""

    packets: int
    seconds: float
    start_to_end: float
    peak_mb: float

    def json(self) -> dict[str, Any]:
        """As an object."""
        return {
            "packets": self.packets,
            "mpps": round(self.packets / self.seconds / 1e6, 2),
            "seconds": round(self.seconds, 3),
            "whole_process_seconds": round(self.start_to_end, 3),
            "peak_mb": round(self.peak_mb, 1),
        }


def write_capture(path: Path, packets: int, seed: int = 1) -> None:
    """A nanosecond pcap of ``packets`` 64-byte UDP frames to random addresses, 100 ns apart."""
    rng = np.random.default_rng(seed)
    mac = bytes.fromhex(IN_MAC.replace(":", ""))
    frames = udp_frames(rng.integers(0x14000000, 0x1F000000, _BLOCK), dst_mac=mac)
    block = np.zeros((_BLOCK, 80), np.uint8)
    block[:, 16:] = np.frombuffer(b"".join(frames), np.uint8).reshape(_BLOCK, 64)
    head = block[:, :16].view("<u4")
    head[:, 2:] = 64
    with open(path, "wb") as f:
        f.write(b"\x4d\x3c\xb2\xa1\x02\0\x04\0" + bytes(8) + (262144).to_bytes(4, "little") + (1).to_bytes(4, "little"))
        for done in range(0, packets, _BLOCK):
            n = min(_BLOCK, packets - done)
            ns = (done + np.arange(n, dtype=np.int64)) * 100
            head[:n, 0], head[:n, 1] = 1_700_000_000 + ns // 1_000_000_000, ns % 1_000_000_000
            f.write(block[:n].tobytes())


def run(packets: int = 10_000_000, *, folder: str = "/dev/shm", clock: str = "fast") -> ReplayResult:
    """Make a capture, replay it into another file, measure.

    Raises:
        OSError: the folder has no room.
        RuntimeError: the replay failed, or lost packets.
    """
    import time

    with tempfile.TemporaryDirectory(dir=folder) as name:
        capture = Path(name) / "in.pcap"
        write_capture(capture, packets)
        command = [sys.executable, "-m", "vectorplane", "replay", str(capture)]
        command += ["--out", str(Path(name) / "out"), "--clock", clock, "--json"]
        began = time.perf_counter()
        done = subprocess.run(command, capture_output=True, text=True, env=os.environ)
        elapsed = time.perf_counter() - began
        if done.returncode:
            raise RuntimeError(f"replay failed: {done.stderr.strip()}")
        report = json.loads(done.stdout)
        if report["packets_out"] != packets:
            raise RuntimeError(f"{packets} packets went in, {report['packets_out']} came out: {report['drops']}")
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        return ReplayResult(packets, report["seconds"], elapsed, peak)
