"""A file of any size is read in the memory of one window, which never moves."""

from __future__ import annotations

import os
import shutil
import tracemalloc
from pathlib import Path

import numpy as np

from tests.pcap import build
from vectorplane.jit.kernel import JIT
from vectorplane.pcap.reader import CaptureReader


def resident() -> int:
    """Bytes of memory in use."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")


def big_file(path: Path, megabytes: int) -> int:
    """A pcap of 64-byte packets, numbered by their time; gives how many."""
    block = np.zeros(1 << 16, np.dtype([("head", "<u4", 4), ("data", "u1", 64)]))
    block["head"][:, 2:] = 64
    rounds = megabytes * (1 << 20) // block.nbytes
    with open(path, "wb") as f:
        f.write(build.classic(nano=True))
        for i in range(rounds):
            block["head"][:, 0], block["head"][:, 1] = i, np.arange(len(block))
            block.tofile(f)
    return rounds * len(block)


def test_constant_memory(tmp_path: Path) -> None:
    shm = Path("/dev/shm")
    quick = JIT and shm.is_dir() and shutil.disk_usage(shm).free > 1 << 30
    path = (shm if quick else tmp_path) / f"vectorplane-{os.getpid()}.pcap"
    try:
        total = big_file(path, 256 if quick else 16 if JIT else 1)
        with CaptureReader(path) as reader:
            first = reader.next_window()
            assert first is not None
            seen, before, last = len(first.records), resident(), -1
            tracemalloc.start()
            while window := reader.next_window():
                assert window.address == first.address  # it never moves
                assert window.records.ctypes.data == first.records.ctypes.data
                times = window.records["time"]
                assert last < int(times[0]) and (times[1:] > times[:-1]).all()
                last = int(times[-1])
                seen += len(window.records)
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            assert seen == total
            assert peak < 4 << 20
            assert resident() - before < 16 << 20
            assert reader.position == reader.size == path.stat().st_size
    finally:
        path.unlink(missing_ok=True)


def test_records_outlive_the_reader(tmp_path: Path) -> None:
    path = tmp_path / "x.pcap"
    big_file(path, 6)
    with CaptureReader(path) as reader:
        window = reader.next_window()
    assert window is not None
    assert (window.records["caplen"] == 64).all()
    assert reader.next_window() is None
