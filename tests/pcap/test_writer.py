"""Writers against the naive reader and scapy; interrupted and failing runs; the record helper."""

from __future__ import annotations

import gzip
import io
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.naive.pcap_reader import Packet, read
from vectorplane.jit.kernel import compiled
from vectorplane.jit.ops import ld64
from vectorplane.pcap.errors import CaptureError
from vectorplane.pcap.frames import frames
from vectorplane.pcap.memory import Memory
from vectorplane.pcap.reader import CaptureReader
from vectorplane.pcap.record import put_record
from vectorplane.pcap.writer import CaptureWriter, PcapngWriter

TIMES = st.integers(0, (1 << 32) * 10**9 - 1)
PACKETS = st.lists(st.tuples(TIMES, st.binary(max_size=200), st.integers(0, 2)), max_size=30)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(PACKETS, st.booleans())
def test_classic(packets: list[tuple[int, bytes, int]], nanoseconds: bool) -> None:
    out = io.BytesIO()
    with CaptureWriter(out, nanoseconds=nanoseconds, linktype=1) as writer:
        for time, data, more in packets:
            writer.write(time, data, len(data) + more)
    unit = 1 if nanoseconds else 1000
    assert read(out.getvalue()).packets == [Packet(t // unit * unit, d, len(d) + m, 0, 0) for t, d, m in packets]


@settings(max_examples=40, deadline=None, derandomize=True)
@given(PACKETS)
def test_pcapng(packets: list[tuple[int, bytes, int]]) -> None:
    out = io.BytesIO()
    with PcapngWriter(out, ["lan", "wan", ""]) as writer:
        for time, data, number in packets:
            writer.write(time, data, number)
    assert read(out.getvalue()).packets == [Packet(t, d, len(d), 0, n) for t, d, n in packets]
    with CaptureReader(io.BytesIO(out.getvalue()), strict=True) as reader:
        reader.next_window()
        assert [i.name for i in reader.interfaces] == ["lan", "wan", ""]


def test_scapy_reads_both(tmp_path: Path) -> None:
    from scapy.utils import RawPcapNgReader, RawPcapReader

    with CaptureWriter(tmp_path / "a.pcap") as a, PcapngWriter(tmp_path / "a.pcapng", ["x"]) as b:
        for writer in (a, b):
            writer.write(1_500_000_000_123_456_789, b"hello world", wirelen=99)
    ((data, meta),) = RawPcapReader(str(tmp_path / "a.pcap"))
    assert (data, meta.sec, meta.usec, meta.wirelen) == (b"hello world", 1_500_000_000, 123_456_789, 99)
    ((data, meta),) = RawPcapNgReader(str(tmp_path / "a.pcapng"))
    assert (data, meta.tshigh << 32 | meta.tslow, meta.wirelen) == (b"hello world", 1_500_000_000_123_456_789, 99)


@pytest.mark.parametrize(
    ("ending", "unpack"),
    [("gz", gzip.decompress), ("zst", lambda raw: zstandard.ZstdDecompressor().decompressobj().decompress(raw))],
)
def test_compressed(tmp_path: Path, ending: str, unpack: object) -> None:
    path = tmp_path / f"x.pcap.{ending}"
    with CaptureWriter(path) as writer:
        writer.write(1, b"abc" * 100)
        writer.flush()
        with CaptureReader(path) as reader:  # all that was flushed can be read while it is written
            assert reader.next_window() is not None
        writer.write(2, b"def")
    assert len(read(unpack(path.read_bytes())).packets) == 2  # type: ignore[operator]
    with CaptureReader(path, strict=True) as reader:
        window = reader.next_window()
        assert window is not None and window.records["time"].tolist() == [1, 2]


def test_packets_that_do_not_fit() -> None:
    with CaptureWriter(io.BytesIO()) as writer:
        for time, data, wirelen, reason in [
            (0, bytes(262145), None, "too long"),
            (0, b"abc", 2, "can't have had 2"),
            (-1, b"", None, "before the epoch"),
            (1 << 62, b"", None, "32 bits"),
        ]:
            with pytest.raises(CaptureError, match=reason):
                writer.write(time, data, wirelen)
    with PcapngWriter(io.BytesIO()) as ng, pytest.raises(CaptureError, match="no interface 1"):
        ng.write(0, b"", 1)


def test_an_empty_run_leaves_a_readable_file(tmp_path: Path) -> None:
    for writer in (CaptureWriter(tmp_path / "a"), PcapngWriter(tmp_path / "b")):
        with CaptureReader(writer.name, strict=True) as reader:
            assert reader.next_window() is None
        writer.close()
        writer.close()


def test_files_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(CaptureError, match="No such file"):
        CaptureWriter(tmp_path / "no" / "such.pcap")
    with pytest.raises(CaptureError, match="can't be written: No space"):
        CaptureWriter("/dev/full")


def run(program: str, *args: object) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", program, *map(str, args)], stdout=subprocess.PIPE)


@pytest.mark.parametrize("name", ["x.pcap", "x.pcap.gz"])
def test_a_killed_run_leaves_a_readable_file(tmp_path: Path, name: str) -> None:
    program = """
import sys, numpy as np
from vectorplane.pcap.writer import CaptureWriter
records = np.zeros(500, np.dtype([("head", "<u4", 4), ("data", "u1", 84)]))
records["head"][:, 2:] = 84
writer = CaptureWriter(sys.argv[1])
while True:
    writer.write_records(records.view(np.uint8))
    print("x", flush=True)
"""
    path = tmp_path / name
    process = run(program, path)
    assert process.stdout is not None
    for _ in range(20):
        process.stdout.readline()
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    with CaptureReader(path) as reader:
        count = 0
        while window := reader.next_window():
            count += len(window.records)
        assert count >= 20 * 500
        if not name.endswith("gz"):
            # SIGKILL may cut a write(2) short, on a page's boundary; what lies before the cut can be read
            assert reader.damage is None or reader.damage.reason.startswith("the file ends")


def test_a_full_disk_leaves_whole_records(tmp_path: Path) -> None:
    program = """
import resource, sys
from vectorplane.pcap.errors import CaptureError
from vectorplane.pcap.writer import CaptureWriter
resource.setrlimit(resource.RLIMIT_FSIZE, (150_000, 150_000))
writer = CaptureWriter(sys.argv[1])
try:
    while True:
        writer.write(0, bytes(984))
except CaptureError as e:
    sys.exit("can't be written" not in str(e))
"""
    assert run(program, tmp_path / "x").wait() == 0
    with CaptureReader(tmp_path / "x", strict=True) as reader:
        window = reader.next_window()
        assert window is not None and len(window.records) == 2 * 66  # two chunks of 64 KiB
        assert reader.next_window() is None


def test_standard_output() -> None:
    program = """
from vectorplane.pcap.writer import CaptureWriter
with CaptureWriter("-") as writer:
    writer.write(7, b"abc")
"""
    process = run(program)
    assert [p.data for p in read(process.communicate()[0]).packets] == [b"abc"]


@compiled
def _put(to: int, time: int, source: int, caplen: int, wirelen: int) -> int:
    return put_record(to, time, source, caplen, wirelen) + 0 * ld64(to)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(PACKETS)
def test_put_record(packets: list[tuple[int, bytes, int]]) -> None:
    to, source = Memory(16384, "out"), Memory(4096, "in")
    at = 0
    for time, data, more in packets:
        source.bytes[: len(data)] = np.frombuffer(data, np.uint8)
        at += _put(to.address + at, time, source.address, len(data), len(data) + more)
    out = io.BytesIO()
    with CaptureWriter(out) as writer:
        writer.write_records(to.bytes[:at])
    to.close()
    source.close()
    assert read(out.getvalue()).packets == [Packet(t, d, len(d) + m, 0, 0) for t, d, m in packets]


def test_frames(tmp_path: Path) -> None:
    with CaptureWriter(tmp_path / "x", linktype=101) as writer:
        writer.write(5, b"\x45abc", 10)
    (frame,) = frames(os.fspath(tmp_path / "x"))
    assert (frame.time, frame.data, frame.wirelen, frame.interface) == (5, bytes(12) + b"\x08\x00\x45abc", 24, 0)
