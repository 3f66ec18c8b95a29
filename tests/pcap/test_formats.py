"""pcap and pcapng by example: every block kind, byte order, resolution; what is refused, and in which words."""

from __future__ import annotations

import io

import pytest

from tests.pcap import build
from tests.pcap.taken import drain, take
from vectorplane.pcap.errors import CaptureError
from vectorplane.pcap.reader import CaptureReader
from vectorplane.pcap.window import DEFAULT_LIMITS

FRAME = bytes(range(60))


def packets(raw: bytes) -> list[tuple[int, bytes, int, int]]:
    """(time, data, ethertype, interface) of a healthy file."""
    with CaptureReader(io.BytesIO(raw), strict=True) as reader:
        return [(p.time, p.data, p.ethertype, p.interface) for p in drain(reader)]


def refusal(raw: bytes) -> str:
    with pytest.raises(CaptureError) as caught:
        CaptureReader(io.BytesIO(raw), name="x.pcap")
    return str(caught.value)


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("nano", [False, True])
def test_classic(order: str, nano: bool) -> None:
    raw = build.classic([(1, 2, FRAME), (0xFFFFFFFF, 999, b"")], order=order, nano=nano)
    unit = 1 if nano else 1000
    expected = [(10**9 + 2 * unit, FRAME, 0, 0), (0xFFFFFFFF * 10**9 + 999 * unit, b"", 0, 0)]
    assert packets(raw) == expected


def test_fcs_bits_are_not_part_of_the_link_type() -> None:
    assert len(packets(build.classic([(0, 0, FRAME)], link=0x4400_0001))) == 1


def test_lengths_of_old_versions() -> None:
    body = (0).to_bytes(8, "little") + (100).to_bytes(4, "little") + (60).to_bytes(4, "little") + FRAME
    for version in [(2, 2), (2, 3)]:
        with CaptureReader(io.BytesIO(build.classic(version=version) + body)) as reader:
            window = reader.next_window()
            assert window is not None
            assert window.records[["caplen", "wirelen"]].tolist() == [(60, 100)]


@pytest.mark.parametrize("order", "<>")
def test_all_packet_blocks(order: str) -> None:
    raw = build.section(order, options=build.option(2, b"machine", order))
    raw += build.interface(order=order, name="eth0") + build.interface(101, order=order, resolution=9)
    raw += build.enhanced(FRAME, 5, 0, order=order) + build.block(5, b"statistics", order)
    raw += build.obsolete(b"\x45raw", 7, 1, order=order) + build.simple(FRAME, order=order)
    raw += build.enhanced(b"\x60raw", 8, 1, order=order)
    assert packets(raw) == [
        (5000, FRAME, 0, 0),
        (7, b"\x45raw", 0x0800, 1),
        (7, FRAME, 0, 0),
        (8, b"\x60raw", 0x86DD, 1),
    ]


def test_sections_of_both_orders() -> None:
    one = build.section() + build.interface(name="a") + build.enhanced(FRAME, 1)
    two = build.section(">") + build.interface(101, order=">", name="b") + build.enhanced(b"\x45", 2, order=">")
    with CaptureReader(io.BytesIO(one + two)) as reader:
        assert reader.format == "pcapng"
        for name, section in (("a", 0), ("b", 1)):
            window = reader.next_window()
            assert window is not None and len(window.records) == 1  # a window never spans sections
            assert [(i.name, i.section, i.number) for i in reader.interfaces] == [(name, section, 0)]
        assert reader.next_window() is None and not reader.warnings


def test_a_simple_packet_has_its_snap_length() -> None:
    raw = build.section() + build.interface(snaplen=20) + build.simple(FRAME[:20], wire=60)
    with CaptureReader(io.BytesIO(raw)) as reader:
        window = reader.next_window()
        assert window is not None
        assert window.records[["caplen", "wirelen", "time"]].tolist() == [(20, 60, 0)]


def test_long_unknown_blocks_are_read_through() -> None:
    long = build.block(0x0BAD, bytes(3 * DEFAULT_LIMITS.block))
    raw = build.section() + build.interface() + build.enhanced(FRAME) + long + build.enhanced(FRAME)
    assert len(packets(raw)) == 2
    assert take(io.BytesIO(raw[:-500])).damage == len(raw) - len(long) - 2 * len(build.enhanced(FRAME)) + 92


def test_refusals_name_the_reason() -> None:
    assert refusal(b"") == "x.pcap: the file is empty"
    assert "not a pcap or pcapng file: it begins with 7f 45 4c 46" in refusal(b"\x7fELF" + bytes(60))
    assert "a snoop capture" in refusal(b"snoop\0\0\0" + bytes(60))
    assert "bzip2 compression is not supported" in refusal(b"BZh9" + bytes(60))
    assert refusal(build.classic(link=104)) == "x.pcap: link type CISCO_HDLC (104) is not supported"
    assert "link type unknown (9999)" in refusal(build.classic(link=9999))
    assert "ends within its header (20 of 24 bytes)" in refusal(build.classic()[:20])
    assert "pcap version 7.4 is not known" in refusal(build.classic(version=(7, 4)))
    assert "pcapng version 2.0 is not known" in refusal(build.section(version=(2, 0)))
    assert "ends within its section header" in refusal(build.section()[:20])
    assert "no byte-order magic" in refusal(build.section()[:8] + bytes(40))


def test_files_that_cannot_be_opened(tmp_path: object) -> None:
    for path, reason in (("/nonexistent/x.pcap", "No such file"), (str(tmp_path), "Is a directory")):
        with pytest.raises(CaptureError, match=reason) as caught:
            CaptureReader(path)
        assert caught.value.name == path


@pytest.mark.parametrize(
    ("blocks", "reason"),
    [
        (build.enhanced(FRAME), "a packet of interface 0, which is not described"),
        (build.interface() + build.enhanced(FRAME)[:-4] + bytes(4), "the length at the block's end is 0"),
        (build.interface() + build.enhanced(FRAME)[:-4] + b"\xff" * 4, "the length at the block's end is 4294967295"),
        (b"\5\0\0\0\x0e\0\0\0\0\0" + b"\x0e\0\0\0" + bytes(20), "a block length of 14 bytes is impossible"),
        (build.interface() + b"\6\0\0\0\x1f\0\0\0" + bytes(40), "a block length of 31 bytes is impossible"),
        (build.interface() + b"\6\0\0\0\xf0\xff\xff\xff" + bytes(40), "a block length of 4294967280 bytes is imposs"),
        (build.block(1, bytes(8) + b"\2\0\xff\0abcd"), "option 2 of an interface description is longer than its"),
        (build.block(1, bytes(8) + build.option(9, b"12")), "an if_tsresol option of 2 bytes instead of 1"),
        (build.interface() + build.simple(FRAME, wire=300000), "a captured length of 300000 bytes is impossible"),
        (build.interface() + build.simple(FRAME, wire=64), "64 captured bytes do not fit into their block"),
        (build.section(version=(3, 1)), "pcapng version 3.1 is not known"),
        (b"\x0a\x0d\x0d\x0a" + bytes(40), "the section header has no byte-order magic"),
        (b"\x0b\xad\0\0\xf0\xff\xff\xff" + bytes(40), "the file ends within a block of 4294967280 bytes"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_damaged_blocks_are_named_and_strict_makes_them_errors(blocks: bytes, reason: str) -> None:
    good = build.section() + build.interface() + build.enhanced(FRAME) + build.section()
    place = len(good) + (len(build.interface()) if blocks.startswith(build.interface()) else 0)
    with CaptureReader(io.BytesIO(good + blocks), name="x") as reader:
        assert len(drain(reader)) == 1
        assert reader.damage is not None and reader.damage.offset == place
        text = str(reader.damage)
        assert text.startswith(f"x: damaged at byte {place}: {reason}")
        assert text.endswith("; the 1 packets before it were delivered")
        assert reader.warnings == [text]
    with CaptureReader(io.BytesIO(good + blocks), name="x", strict=True) as reader:
        assert reader.next_window() is not None
        for _ in range(2):
            with pytest.raises(CaptureError, match=f"^x: byte {place}: "):
                reader.next_window()


def test_the_longest_packet() -> None:
    for size, count in ((262144, 2), (262145, 0)):
        raw = build.classic([(0, 0, bytes(size))] * 2)
        assert len(take(io.BytesIO(raw), DEFAULT_LIMITS).packets) == count
        raw = build.section() + build.interface() + build.enhanced(bytes(size)) * 2
        assert len(take(io.BytesIO(raw), DEFAULT_LIMITS).packets) == count


def test_damage_of_a_classic_file() -> None:
    good = build.classic([(0, 0, FRAME)] * 3)
    for rest, reason in (
        (b"12345", "the file ends 5 bytes into a packet record"),
        (
            bytes(8) + b"\xff\xff\xff\xff" + bytes(90),
            "a captured length of 4294967295 bytes is impossible (at most 262144)",
        ),
    ):
        with CaptureReader(io.BytesIO(good + rest), name="x") as reader:
            assert len(drain(reader)) == 3
            assert str(reader.damage) == (
                f"x: damaged at byte {len(good)}: {reason}; the 3 packets before it were delivered"
            )
