"""Packets that can't be delivered: counted, told once for each interface and reason, an error when strict."""

from __future__ import annotations

import io

import pytest

from tests.pcap import build
from tests.pcap.taken import drain
from vectorplane.pcap.errors import CaptureError
from vectorplane.pcap.reader import CaptureReader
from vectorplane.pcap.skips import WARNINGS_MAX

SLL = bytes(14) + b"\x08\x00" + b"\x45" + bytes(19)


def test_an_unsupported_interface_is_skipped_by_name() -> None:
    raw = build.section() + build.interface(9, name="ppp0") + build.interface()
    first = len(raw)
    raw += build.enhanced(b"abcd") * 3 + build.enhanced(bytes(60), number=1)
    with CaptureReader(io.BytesIO(raw), name="x") as reader:
        assert len(drain(reader)) == 1
        assert reader.skipped == 3 and reader.damage is None
        assert reader.warnings == [
            f"x: from byte {first} on 3 packets of interface 0 (ppp0) skipped: link type PPP (9) is not supported"
        ]
    with CaptureReader(io.BytesIO(raw), name="x", strict=True) as reader, pytest.raises(CaptureError) as caught:
        drain(reader)
    assert caught.value.offset == first and "PPP (9)" in str(caught.value)


def test_a_file_with_nothing_to_deliver() -> None:
    raw = build.section() + build.interface(104) + build.enhanced(b"abcd") * 3
    with CaptureReader(io.BytesIO(raw)) as reader:
        assert reader.next_window() is None
        assert reader.skipped == 3 and "CISCO_HDLC (104)" in reader.warnings[0]


@pytest.mark.parametrize(
    ("link", "data", "reason"),
    [
        (0, b"\x07\0\0\0" + bytes(20), "address family"),
        (0, b"\x02\0", "end within the link header"),
        (101, b"\x10", "neither IPv4 nor IPv6"),
        (101, b"", "end within the link header"),
        (113, bytes(14) + b"\x00\x04" + bytes(20), "names no ethertype"),
        (113, b"\0\0\x03\x38" + bytes(10) + b"\x08\x00" + bytes(20), "names no ethertype"),  # netlink
        (113, SLL[:15], "end within the link header"),
        (276, b"\x05\xff" + bytes(30), "names no ethertype"),
        (276, b"\x08\x00" + bytes(17), "end within the link header"),
    ],
    ids=lambda value: str(value) if isinstance(value, (str, int)) else "",
)
def test_reasons(link: int, data: bytes, reason: str) -> None:
    with CaptureReader(io.BytesIO(build.classic([(0, 0, data)] * 2, link=link))) as reader:
        assert drain(reader) == []
        assert reader.skipped == 2
        assert len(reader.warnings) == 1 and reason in reader.warnings[0] and "2 packets" in reader.warnings[0]


@pytest.mark.parametrize(
    ("link", "data", "ethertype", "drop"),
    [
        (0, b"\x02\0\0\0", 0x0800, 4),
        (0, b"\0\0\0\x02", 0x0800, 4),
        (108, b"\0\0\0\x18", 0x86DD, 4),
        (0, b"\x0a\0\0\0", 0x86DD, 4),
        (0, b"\x1c\0\0\0", 0x86DD, 4),
        (0, b"\0\0\0\x1e", 0x86DD, 4),
        (12, b"\x45", 0x0800, 0),
        (14, b"\x6f", 0x86DD, 0),
        (228, b"\x00", 0x0800, 0),
        (229, b"", 0x86DD, 0),
        (113, bytes(14) + b"\x81\x00", 0x8100, 16),
        (276, b"\x86\xdd" + bytes(18), 0x86DD, 20),
        (276, b"\x06\x00" + bytes(18), 0x0600, 20),
    ],
    ids=lambda value: str(value) if isinstance(value, int) else "",
)
def test_ethertypes(link: int, data: bytes, ethertype: int, drop: int) -> None:
    raw = build.classic([(0, 0, data + b"rest")], link=link)
    with CaptureReader(io.BytesIO(raw), strict=True) as reader:
        (packet,) = drain(reader)
    assert (packet.ethertype, packet.data, packet.wirelen) == (ethertype, (data + b"rest")[drop:], len(data) + 4 - drop)


def test_warnings_are_bounded() -> None:
    one = build.section() + build.interface(9) + build.enhanced(b"abcd")
    with CaptureReader(io.BytesIO(one * 3 * WARNINGS_MAX)) as reader:
        drain(reader)
        assert reader.skipped == 3 * WARNINGS_MAX
        assert len(reader.warnings) == WARNINGS_MAX + 1
        assert f"{2 * WARNINGS_MAX} more" in reader.warnings[-1]
