"""The main job, end to end: real captures through a router, every packet accounted for."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.replaying import EXAMPLES, LAN, replayed, shared
from vectorplane.pcap.errors import CaptureError


def captures() -> list[Path]:
    """All real captures."""
    return sorted(p for p in shared("pcaps").iterdir() if p.suffix != ".md")


@pytest.mark.parametrize("clock", ["virtual", "fast"])
def test_all_captures_balance(clock: str) -> None:
    """None of the real captures, healthy or broken, crashes the router or upsets the balance."""
    replays = refused = 0
    for path in captures():
        try:
            report = replayed([str(path)], clock=clock)
        except CaptureError as error:
            assert path.name in str(error), error
            refused += 1
            continue
        replays += 1
        assert report.packets_in > 0 or report.warnings, path.name
    assert replays >= 25
    assert replays + refused == len(captures())


def test_all_captures_at_once() -> None:
    """Several captures are merged by time stamp; nothing is lost in that."""
    paths = []
    for path in captures():
        try:
            replayed([str(path)])
        except CaptureError:
            continue
        paths.append(str(path))
    alone = sum(replayed([p]).packets_in for p in paths)
    assert replayed(paths).packets_in == alone


def outputs(folder: Path) -> dict[str, bytes]:
    """Every output file's bytes."""
    return {p.name: p.read_bytes() for p in sorted(folder.iterdir())}


def run(tmp_path: Path, name: str, capture: list[str], **options: object) -> dict[str, bytes]:
    """Replay into a folder of its own and give the files."""
    folder = tmp_path / name
    folder.mkdir()
    replayed(capture, out=folder, **options)
    return outputs(folder)


def test_same_output_twice(tmp_path: Path) -> None:
    """Rule 8: same input, configuration, seed and workers give byte-identical output."""
    config = EXAMPLES / "router.yaml"
    first = run(tmp_path, "a", [str(LAN)], config=config)
    assert first == run(tmp_path, "b", [str(LAN)], config=config)
    assert any(len(data) > 24 for data in first.values())


@pytest.mark.parametrize("size", [1, 3, 64])
def test_vector_size_changes_nothing(tmp_path: Path, size: int) -> None:
    """A capture gives the same files with vectors of any size."""
    config = EXAMPLES / "router.yaml"
    whole = run(tmp_path, "whole", [str(LAN)], config=config)
    assert whole == run(tmp_path, "small", [str(LAN)], config=config, vector_size=size)


@pytest.mark.parametrize("name", ["dns_fragmented.pcap", "ip_fragmented_garbage.pcap", "teams.pcap", "nfsv3.pcap"])
def test_vector_size_changes_nothing_in_real_captures(tmp_path: Path, name: str) -> None:
    """The same with other people's captures through the default router."""
    path = str(shared("pcaps") / name)
    assert run(tmp_path, "whole", [path]) == run(tmp_path, "small", [path], vector_size=1)


def records(data: bytes) -> list[bytes]:
    """The records of a pcap file of ours."""
    at, found = 24, []
    while at < len(data):
        size = int.from_bytes(data[at + 8 : at + 12], "little")
        found.append(data[at : at + 16 + size])
        at += 16 + size
    return found


@pytest.mark.parametrize("workers", [2, 3])
def test_workers_change_only_the_order(tmp_path: Path, workers: int) -> None:
    """Across worker counts the same set of packets leaves; with one count it is byte-identical."""
    config = EXAMPLES / "router.yaml"
    one = run(tmp_path, "one", [str(LAN)], config=config)
    many = run(tmp_path, "many", [str(LAN)], config=config, workers=workers)
    again = run(tmp_path, "again", [str(LAN)], config=config, workers=workers)
    assert many == again
    assert {n: sorted(records(d)) for n, d in one.items()} == {n: sorted(records(d)) for n, d in many.items()}


def test_damage_is_a_warning_or_an_error(tmp_path: Path) -> None:
    """A file that is cut off delivers what is before the cut and says where it is; strict refuses."""
    cut = tmp_path / "cut.pcap"
    cut.write_bytes(LAN.read_bytes()[:100_001])
    report = replayed([str(cut)])
    assert report.packets_in > 100
    assert len(report.warnings) == 1
    assert "cut.pcap" in report.warnings[0] and "byte" in report.warnings[0]
    with pytest.raises(CaptureError, match="byte"):
        replayed([str(cut)], strict=True)
