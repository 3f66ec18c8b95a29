"""Comparing captures: in order and as sets, with masks, against a plain comparison in Python."""

from __future__ import annotations

import io
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.pcap import build
from vectorplane.pcap.compare import compare
from vectorplane.pcap.masks import Mask, MaskError

IP4 = bytes(range(12)) + b"\x08\x00" + bytes.fromhex("4500002c123400004011beef0a0000010a000002") + bytes(24)
TCP6 = bytes(12) + b"\x86\xdd" + bytes.fromhex("6000000000200640") + bytes(32) + bytes(20)


def pcap(*frames: bytes, times: list[int] | None = None) -> io.BytesIO:
    return io.BytesIO(build.classic(zip(times or [0] * len(frames), [0] * len(frames), frames, strict=True)))


def changed(frame: bytes, *places: int) -> bytes:
    raw = bytearray(frame)
    for place in places:
        raw[place] ^= 0x80
    return bytes(raw)


def equal(a: bytes, b: bytes, *masks: str) -> bool:
    """Both ways of comparing, which must agree."""
    parsed = [Mask.parse(m) for m in masks]
    ordered = compare(pcap(a), pcap(b), masks=parsed).equal
    assert compare(pcap(a), pcap(b), masks=parsed, unordered=True).equal == ordered
    return ordered


def tagged(frame: bytes) -> bytes:
    return frame[:12] + b"\x88\xa8\x00\x05\x81\x00\x00\x07" + frame[12:]


@pytest.mark.parametrize(
    ("mask", "frame", "places"),
    [
        ("macs", IP4, (0, 11)),
        ("ip-id", IP4, (18, 19)),
        ("ip-checksum", IP4, (24, 25)),
        ("ttl", IP4, (22,)),
        ("ttl", TCP6, (21,)),
        ("l4-checksum", IP4, (40, 41)),
        ("l4-checksum", TCP6, (70, 71)),
        ("14+10:2", IP4, (24, 25)),
        ("frame+0x18:1", IP4, (24,)),
        ("ip4+8:1", IP4, (22,)),
        ("ip6 + 4 + 3 : 1", TCP6, (21,)),
        ("50:999", IP4, (50, 57)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_masks(mask: str, frame: bytes, places: tuple[int, ...]) -> None:
    assert equal(frame, frame)
    assert not equal(frame, changed(frame, *places))
    assert equal(frame, changed(frame, *places), mask)
    assert equal(frame, changed(frame, *places), "3:1", mask, "ttl")
    for beyond in (places[0] - 1, places[-1] + 1):
        if 0 <= beyond < len(frame) and beyond != 51:
            assert not equal(frame, changed(frame, *places, beyond), mask)
    if mask[0].isalpha() and mask != "macs" and not mask.startswith("frame"):
        moved = [place + 8 for place in places]
        assert equal(tagged(frame), changed(tagged(frame), *moved), mask)


def test_masks_are_void_without_their_header() -> None:
    for frame in (bytes(12) + b"\x08\x06" + bytes(40), IP4[:30], bytes(12), b""):
        for place in range(0, len(frame), 7):
            assert not equal(frame, changed(frame, place), "ttl", "ip-id", "l4-checksum")
    for offset in (b"\x10\x00", b"\x00\x01", b"\x3f\xff"):  # not the first fragment: it has no UDP header
        fragment = IP4[:20] + offset + IP4[22:]
        assert not equal(fragment, changed(fragment, 40), "l4-checksum")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("ipid", "neither a name"),
        ("", "neither a name"),
        ("foo+3:2", "base 'foo' is not one of frame, ip4, ip6"),
        ("3:", "length '' is not a number"),
        ("3:0", "its length is 0"),
        ("3+:1", "offset '' is not a number"),
        ("ip4:1", "an offset is missing"),
        ("-1:2", "offset '-1' is not a number"),
        ("9999999:2", "is not a number of bytes"),
    ],
)
def test_bad_masks_say_what_is_wrong(text: str, reason: str) -> None:
    with pytest.raises(MaskError) as caught:
        Mask.parse(text)
    assert reason in str(caught.value) and repr(text) in str(caught.value)


def test_differences_are_told() -> None:
    a, b = pcap(IP4, IP4, IP4, b"x"), pcap(IP4, changed(IP4, 30), IP4[:40])
    result = compare(a, b)
    assert not result.equal
    assert (result.packets_a, result.packets_b, result.different, result.only_a, result.only_b) == (4, 3, 2, 1, 0)
    assert [(d.number, d.kind, d.offset) for d in result.differences] == [
        (2, "bytes", 30),
        (3, "length", 40),
        (4, "only in a", 0),
    ]
    assert result.differences[0].a == IP4
    assert str(result.differences[0]).startswith("packet 2: differs in bytes from 30 on: 0a 00 00 02 00 00 ")
    assert str(result.differences[1]).endswith("| (end)")
    assert str(result.differences[2]) == "packet 4: only in a: 78"


def test_the_limit() -> None:
    result = compare(pcap(*[b"a"] * 50), pcap(*[b"b"] * 60), limit=3)
    assert (result.different, result.only_b, len(result.differences)) == (50, 10, 3)


def test_times() -> None:
    a, b = (IP4, IP4), [1, 2]
    assert compare(pcap(*a, times=b), pcap(*a, times=[1, 3])).equal
    result = compare(pcap(*a, times=b), pcap(*a, times=[1, 3]), ignore_time=False)
    assert [(d.number, d.kind) for d in result.differences] == [(2, "time")]
    swapped = compare(pcap(*a, times=b), pcap(*a, times=[2, 1]), ignore_time=False, unordered=True)
    assert swapped.equal


def test_raw_ip_is_compared_as_ethernet() -> None:
    raw = io.BytesIO(build.section() + build.interface(101) + build.simple(IP4[14:]))
    assert compare(raw, pcap(IP4), masks=[Mask.parse("macs")]).equal


def test_damage_is_a_warning() -> None:
    whole = build.classic([(0, 0, IP4)] * 2)
    result = compare(io.BytesIO(whole[:-1]), io.BytesIO(whole))
    assert result.only_b == 1 and len(result.warnings) == 1 and "damaged at byte" in result.warnings[0]


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.lists(st.sampled_from([b"", b"a", b"b", b"c" * 17, IP4]), max_size=20), st.randoms(use_true_random=False))
def test_sets(frames: list[bytes], random: object) -> None:
    other = list(frames)
    random.shuffle(other)  # type: ignore[attr-defined]
    assert compare(pcap(*frames), pcap(*other), unordered=True).equal
    cut = [*other[len(other) // 3 :], b"b", b"new"]
    result = compare(pcap(*frames), pcap(*cut), unordered=True)
    assert result.only_a == sum((Counter(frames) - Counter(cut)).values())
    assert result.only_b == sum((Counter(cut) - Counter(frames)).values())


def test_sets_of_files_show_the_bytes(tmp_path: Path) -> None:
    one, two = tmp_path / "a", tmp_path / "b"
    one.write_bytes(pcap(b"p", b"q", b"q").getvalue())
    two.write_bytes(pcap(b"q", b"r").getvalue())
    result = compare(one, two, unordered=True)
    assert [(d.number, d.kind, d.a, d.b) for d in result.differences] == [
        (1, "only in a", b"p", b""),
        (2, "only in b", b"", b"r"),
        (3, "only in a", b"q", b""),
    ]


def test_long_captures_in_many_windows() -> None:
    frames = [i.to_bytes(4, "big") * 25 for i in range(100_000)]
    other = list(frames)
    other[70_000] = changed(other[70_000], 99)
    a, b = pcap(*frames).getvalue(), build.section() + build.interface()
    blocks = [build.simple(f) for f in other[:3000]]
    result = compare(io.BytesIO(a), pcap(*other))
    assert [(d.number, d.offset) for d in result.differences] == [(70_001, 99)] and result.packets_a == 100_000
    part = compare(io.BytesIO(a), io.BytesIO(b + b"".join(blocks)))
    assert part.different == 0 and part.only_a == 97_000
