"""gzip and zstd: whole, in pieces, padded, cut off, damaged; and how much memory a bomb may take."""

from __future__ import annotations

import gzip
import io
import subprocess
import sys
import tracemalloc
import zlib

import pytest
import zstandard

from tests.naive.pcap_reader import read
from tests.pcap import build
from tests.pcap.taken import SMALL, Dribble, drain, take
from vectorplane.pcap.errors import CaptureError
from vectorplane.pcap.reader import CaptureReader

RAW = build.classic([(i, i, bytes([i % 256]) * (i % 80) + str(i * 7919).encode()) for i in range(3000)])
SPLIT = len(RAW) // 3
WHOLE = read(RAW)


def zstd(raw: bytes) -> bytes:
    return zstandard.ZstdCompressor(level=3).compress(raw)


PACKERS = pytest.mark.parametrize("pack", [gzip.compress, zstd])


@PACKERS
def test_whole_and_concatenated(pack: object) -> None:
    for packed in (pack(RAW), pack(RAW[:SPLIT]) + pack(b"") + pack(RAW[SPLIT:])):  # type: ignore[operator]
        assert take(io.BytesIO(packed)) == WHOLE
        assert take(Dribble(packed, 7)) == WHOLE


def test_padding_and_skippable_frames() -> None:
    assert take(io.BytesIO(gzip.compress(RAW[:99]) + bytes(1000) + gzip.compress(RAW[99:]) + bytes(70000))) == WHOLE
    skippable = b"\x5a\x2a\x4d\x18\x05\0\0\0hello"
    assert take(io.BytesIO(skippable + zstd(RAW[:99]) + skippable + zstd(RAW[99:]) + skippable)) == WHOLE


def test_gzip_cut_off_at_any_byte() -> None:
    packed = gzip.compress(RAW[:4000])
    for size in range(30, len(packed), 37):
        expected = read(zlib.decompressobj(31).decompress(packed[:size]), SMALL.packet)
        got = take(io.BytesIO(packed[:size]))
        assert got.packets == expected.packets and (got.damage is not None or (got.refused and size < 70))


@PACKERS
def test_cut_off(pack: object) -> None:
    packed = pack(RAW)[:-3]  # type: ignore[operator]
    with CaptureReader(io.BytesIO(packed), name="x") as reader:
        packets = drain(reader)
        assert packets == WHOLE.packets[: len(packets)]
        assert reader.damage is not None and reader.damage.packets == len(packets)
        assert f"stream is cut off (at byte {len(packed)} of the compressed file)" in str(reader.damage)
        assert "of the decompressed data" in str(reader.damage)
    with CaptureReader(io.BytesIO(packed), strict=True) as reader, pytest.raises(CaptureError, match="cut off"):
        drain(reader)


def test_damaged_gzip_gives_all_before_the_damage() -> None:
    packed = bytearray(gzip.compress(RAW))
    packed[len(packed) // 2] ^= 0x55
    decoder, before = zlib.decompressobj(31), b""
    try:
        for byte in packed:
            before += decoder.decompress(bytes([byte]))
    except zlib.error:
        pass
    got = take(io.BytesIO(bytes(packed)))
    assert got.packets == read(before, SMALL.packet).packets and len(got.packets) > 100
    packed = bytearray(gzip.compress(RAW))
    packed[-6] ^= 1  # only the checksum: every packet is delivered, and the damage told
    with CaptureReader(io.BytesIO(bytes(packed))) as reader:
        assert drain(reader) == WHOLE.packets
        assert "the gzip stream is damaged (incorrect data check)" in str(reader.damage)


def test_damaged_zstd() -> None:
    blocks = zstd(RAW[:SPLIT]) + zstd(RAW[SPLIT:])
    with CaptureReader(io.BytesIO(blocks[:-40] + bytes(40))) as reader:
        assert len(drain(reader)) >= len(read(RAW[:SPLIT]).packets)
        assert "zstd stream is" in str(reader.damage)


@PACKERS
def test_followed_by_something_else(pack: object) -> None:
    with CaptureReader(io.BytesIO(pack(RAW) + b"and more of it")) as reader:  # type: ignore[operator]
        assert drain(reader) == WHOLE.packets
        assert reader.damage is not None and reader.damage.offset == len(RAW)


def test_refused() -> None:
    for packed, reason in ((gzip.compress(b"x" * 50)[:15], "cut off"), (gzip.compress(b"hello"), "not a pcap")):
        with pytest.raises(CaptureError, match=reason):
            CaptureReader(io.BytesIO(packed))


def test_position_counts_compressed_bytes() -> None:
    packed = gzip.compress(RAW)
    with CaptureReader(io.BytesIO(packed)) as reader:
        drain(reader)
        assert reader.position == reader.size == len(packed)


@PACKERS
def test_a_bomb_takes_no_memory(pack: object) -> None:
    packed = pack(build.classic() + bytes(32 << 20))  # type: ignore[operator]
    assert len(packed) < 50_000
    tracemalloc.start()
    with CaptureReader(io.BytesIO(packed)) as reader:
        count = 0
        while window := reader.next_window():
            count += len(window.records)
        peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == (32 << 20) // 16
    assert peak < 70 << 20  # zstd: twice what 1 KiB may become


def test_zstandard_is_only_imported_when_needed() -> None:
    program = "import sys, vectorplane.pcap.reader, vectorplane.pcap.writer; sys.exit('zstandard' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program]).returncode == 0
