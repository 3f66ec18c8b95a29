"""Captures from pipes: unknown size, packets delivered as they come."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.pcap import build
from tests.pcap.taken import drain
from vectorplane.pcap.errors import CaptureError
from vectorplane.pcap.reader import CaptureReader

FRAME = bytes(range(60))
RAW = build.classic([(i, 0, FRAME) for i in range(5000)])


def test_packets_are_delivered_as_they_come() -> None:
    out, into = os.pipe()
    one = RAW[24 : 24 + 76]
    with open(out, "rb") as source, open(into, "wb", buffering=0) as sink:
        sink.write(RAW[:24])
        with CaptureReader(source) as reader:
            assert reader.size is None
            for piece, count in ((one, 1), (one + one + one[:30], 2), (one[30:], 1)):
                sink.write(piece)
                window = reader.next_window()
                assert window is not None and len(window.records) == count
            sink.write(one[:40])
            sink.close()
            assert reader.next_window() is None
            assert reader.damage is not None and reader.damage.offset == 24 + 4 * 76
            assert reader.position == 24 + 4 * 76 + 40


def test_a_named_pipe(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    writer = threading.Thread(target=lambda: fifo.write_bytes(RAW))
    writer.start()
    with CaptureReader(fifo) as reader:
        assert len(drain(reader)) == 5000 and reader.size is None and reader.position == len(RAW)
    writer.join()


def test_standard_input() -> None:
    program = (
        "from vectorplane.pcap.frames import frames\nimport sys; sys.exit(0 if len(list(frames('-'))) == 5000 else 1)"
    )
    assert subprocess.run([sys.executable, "-c", program], input=RAW).returncode == 0


def test_no_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(CaptureError, match="no standard input"):
        CaptureReader("-")


def test_file_objects_start_where_they_stand_and_stay_open(tmp_path: Path) -> None:
    path = tmp_path / "x.pcap"
    path.write_bytes(b"prefix" + RAW)
    with open(path, "rb") as f:
        f.seek(6)
        with CaptureReader(f) as reader:
            assert reader.name == str(path) and reader.size == len(RAW)
            assert len(drain(reader)) == 5000
        assert not f.closed


def test_an_object_that_can_only_read() -> None:
    raw = io.BytesIO(RAW)
    with CaptureReader(SimpleNamespace(read=lambda n: raw.read(min(n, 999))), name="thing") as reader:  # type: ignore[arg-type]
        assert reader.name == "thing" and len(drain(reader)) == 5000


def test_sources_that_fail() -> None:
    def broken(size: int) -> bytes:
        raise OSError(5, "Input/output error")

    with pytest.raises(CaptureError, match="byte 0: can't be read: Input/output error"):
        CaptureReader(SimpleNamespace(read=broken))  # type: ignore[arg-type]
    with pytest.raises(CaptureError, match="non-blocking"):
        CaptureReader(SimpleNamespace(readinto=lambda view: None))  # type: ignore[arg-type]
