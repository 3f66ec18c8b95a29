"""Captures cut into files for VPP's packet generator."""

from __future__ import annotations

from pathlib import Path

import pytest

from vectorplane.backends.vpp import injection
from vectorplane.backends.vpp.injection import Captures, Port
from vectorplane.pcap.errors import CaptureError
from vectorplane.pcap.frames import frames
from vectorplane.pcap.writer import CaptureWriter

MAC = bytes.fromhex("02fe00000001")


def _capture(path: Path, *packets: tuple[int, bytes], linktype: int = 1) -> str:
    writer = CaptureWriter(path, linktype=linktype)
    for time, data in packets:
        writer.write(time * 1000, data)
    writer.close()
    return str(path)


def _eth(n: int, to: str = "020000000009") -> bytes:
    return bytes.fromhex(to) + bytes(6) + b"\x08\x00" + bytes([n] * 40)


def _pieces(captures: Captures, folder: Path) -> list[tuple[str, list[bytes]]]:
    made = []
    for piece in captures.pieces(str(folder)):
        raw = Path(piece.path).read_bytes()
        assert raw[:4] == bytes.fromhex("d4c3b2a1")  # microseconds: VPP knows no other
        data = [f.data for f in frames(piece.path)]
        assert len(data) == piece.packets
        made.append((piece.interface, data))
    return made


PORTS = {"a": Port(MAC, False), "b": Port(MAC, True)}


def test_order_over_interfaces_is_kept(tmp_path: Path) -> None:
    a = _capture(tmp_path / "a", (10, _eth(1)), (20, _eth(2)), (50, _eth(5)))
    b = _capture(tmp_path / "b", (30, _eth(3)), (40, _eth(4)))
    got = _pieces(Captures({"a": [a], "b": [b]}, {**PORTS, "b": PORTS["a"]}), tmp_path)
    assert got == [("a", [_eth(1), _eth(2)]), ("b", [_eth(3), _eth(4)]), ("a", [_eth(5)])]


def test_several_files_loops_and_limit(tmp_path: Path) -> None:
    one = _capture(tmp_path / "1", (10, _eth(1)), (30, _eth(3)))
    two = _capture(tmp_path / "2", (20, _eth(2)))
    got = _pieces(Captures({"a": [one, two]}, PORTS, loops=2, limit=5), tmp_path)
    assert got == [("a", [_eth(1), _eth(2), _eth(3), _eth(1), _eth(2)])]


def test_large_captures_come_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(injection, "PIECE", 4)
    path = _capture(tmp_path / "a", *((i, _eth(i)) for i in range(10)))
    assert [len(data) for _, data in _pieces(Captures({"a": [path]}, PORTS), tmp_path)] == [4, 4, 2]


def test_readdressed_for_a_promiscuous_interface(tmp_path: Path) -> None:
    path = _capture(tmp_path / "a", (1, _eth(1)), (2, _eth(2, "ffffffffffff")), (3, _eth(3, "01005e000001")))
    wanted = [MAC + _eth(1)[6:], _eth(2, "ffffffffffff"), _eth(3, "01005e000001")]
    assert _pieces(Captures({"b": [path]}, PORTS), tmp_path) == [("b", wanted)]


def test_packets_without_ethernet_get_a_header(tmp_path: Path) -> None:
    ip = bytes.fromhex("45000014") + bytes(16)
    path = _capture(tmp_path / "a", (1, ip), linktype=101)
    assert _pieces(Captures({"a": [path]}, PORTS), tmp_path) == [("a", [MAC + bytes(6) + b"\x08\x00" + ip])]


def test_damage_is_told(tmp_path: Path) -> None:
    path = Path(_capture(tmp_path / "a", (1, _eth(1)), (2, _eth(2))))
    path.write_bytes(path.read_bytes()[:-3])
    captures = Captures({"a": [str(path)]}, PORTS)
    assert _pieces(captures, tmp_path) == [("a", [_eth(1)])]
    assert len(captures.warnings) == 1 and "damaged at byte 94" in captures.warnings[0]
    with pytest.raises(CaptureError):
        _pieces(Captures({"a": [str(path)]}, PORTS, strict=True), tmp_path)
