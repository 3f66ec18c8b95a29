"""Real captures: against the naive reader, and against scapy as an independent witness; refusals by name."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tests.naive.pcap_reader import decapsulate, read
from tests.pcap.taken import drain
from vectorplane.pcap.errors import CaptureError
from vectorplane.pcap.frames import frames
from vectorplane.pcap.reader import CaptureReader

CAPTURES = Path(__file__).resolve().parents[2].parent / "shared" / "pcaps"
REFUSED = {"BGP_Cisco_hdlc_slarp.pcap": "PPP (9)", "someip_sd_sample.pcap": "PPI (192)"}
BROKEN = {"fuzz-2021-10-13.pcap"}
FILES = sorted(p.name for p in CAPTURES.glob("*.*cap*")) if CAPTURES.is_dir() else []


def test_the_captures_are_there() -> None:
    if not FILES:
        assert os.environ.get("CI") != "true", f"{CAPTURES} is missing"
        pytest.skip(f"{CAPTURES} is not there")
    assert len(FILES) >= 30 and set(REFUSED) | BROKEN <= set(FILES)


@pytest.mark.parametrize("name", FILES)
def test_against_the_naive_reader(name: str) -> None:
    path = CAPTURES / name
    expected = read(path.read_bytes())
    if name in REFUSED:
        assert expected.refused
        with pytest.raises(CaptureError) as caught:
            CaptureReader(path)
        assert str(caught.value) == f"{path}: link type {REFUSED[name]} is not supported"
        return
    with CaptureReader(path) as reader:
        assert drain(reader) == expected.packets
        assert reader.skipped == expected.skipped
        assert (reader.damage.offset if reader.damage else None) == expected.damage
        assert (reader.damage is not None) == (name in BROKEN)
        assert reader.position == path.stat().st_size


LINKS = {0: "loop", 1: "ethernet", 101: "raw", 113: "sll"}


def witness(path: Path) -> list[tuple[int, bytes, int]]:
    """(ns, data, original length) as scapy sees them, link headers removed."""
    from scapy.utils import RawPcapNgReader, RawPcapReader

    found = []
    with RawPcapReader(str(path)) as reader:
        for data, meta in reader:
            link: Any = getattr(meta, "linktype", None) or reader.linktype
            if isinstance(reader, RawPcapNgReader):
                # scapy gives what remains of a rounded-down division; its resolution is a count of units per second
                ns = (meta.tshigh << 32 | meta.tslow) * 10**9 // int(meta.tsresol)
            else:
                ns = meta.sec * 10**9 + meta.usec * (1 if reader.nano else 1000)
            kept = decapsulate(LINKS[link], data)
            assert kept is not None
            found.append((ns, data[kept[1] :], meta.wirelen - kept[1]))
    return found


@pytest.mark.parametrize("name", [n for n in FILES if n not in REFUSED and n not in BROKEN])
def test_against_scapy(name: str) -> None:
    with CaptureReader(CAPTURES / name, strict=True) as reader:
        assert [(p.time, p.data, p.wirelen) for p in drain(reader)] == witness(CAPTURES / name)


@pytest.mark.parametrize("name", [n for n in FILES if n == "nats.pcap"])
def test_frames_have_a_made_up_header(name: str) -> None:
    for frame, (_, data, wirelen) in zip(frames(CAPTURES / name), witness(CAPTURES / name), strict=True):
        assert frame.data == bytes(12) + b"\x08\x00" + data and frame.wirelen == wirelen + 14
