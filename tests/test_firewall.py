"""The stateful firewall as a user runs it: the example, and every real capture against the oracle."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.naive import acl as naive
from tests.naive.pcap_reader import read
from tests.replaying import EXAMPLES, LAN, SHARED, shared
from vectorplane.backends.engine.acl.rule import DENY, PERMIT, REFLECT, AclRule
from vectorplane.cli.app import app
from vectorplane.pcap.writer import CaptureWriter

RULES = (
    AclRule(DENY, proto=6, dport_first=25, dport_last=25),
    AclRule(PERMIT, proto=17, dport_first=1900, dport_last=1900),
    AclRule(REFLECT, proto=6, tcp_flags_mask=0x04),
    AclRule(REFLECT, proto=17),
    AclRule(REFLECT, proto=1),
    AclRule(REFLECT, proto=50),
    AclRule(REFLECT, ip6=True, proto=6),
    AclRule(REFLECT, ip6=True, proto=17),
    AclRule(REFLECT, ip6=True, proto=58),
)
"""What may go out of the inside; what comes back may only answer."""
YAML = """
engine: {{workers: {workers}, vector_size: {vector_size}, acl: {{tcp_transient: 5, udp_idle: 30}}}}
acls:
  out-of-here:
    - {{action: deny, proto: tcp, dport: 25}}
    - {{action: permit, proto: udp, dport: 1900}}
    - {{action: permit+reflect, proto: tcp, tcp_flags: {{mask: rst}}}}
    - {{action: permit+reflect, proto: udp}}
    - {{action: permit+reflect, proto: icmp}}
    - {{action: permit+reflect, proto: esp}}
    - {{action: permit+reflect, proto: tcp, ip6: true}}
    - {{action: permit+reflect, proto: udp, ip6: true}}
    - {{action: permit+reflect, proto: icmp6}}
  nothing: []
interfaces:
  inside: {{xconnect: outside, acl: {{input: out-of-here, output: nothing}}}}
  outside: {{xconnect: inside}}
"""
INSIDE = 1
CAPTURES = sorted(p.name for p in (SHARED / "pcaps").glob("*cap*"))


def packets(path: Path) -> list[tuple[int, bytes]]:
    """Time (ns) and bytes of all frames, in order of time."""
    capture = read(path.read_bytes())
    return sorted(((p.time, p.data) for p in capture.packets), key=lambda found: found[0])


def ip_of(frame: bytes) -> tuple[int, int] | None:
    """Ethernet type and where the packet begins, behind at most two tags; None: the frame is cut, or has more."""
    at = 12
    for _ in range(3):
        if len(frame) < at + 2:
            return None
        kind = int.from_bytes(frame[at : at + 2], "big")
        if kind not in (0x8100, 0x88A8):
            return kind, at + 2
        at += 4
    return None


def sides(frames: list[tuple[int, bytes]]) -> list[bool]:
    """Which frames come from inside: those of the machine that spoke first, of each two."""
    first: dict[tuple[bytes, bytes], bytes] = {}
    result = []
    for _, frame in frames:
        ends = frame[6:12], frame[:6]
        pair = min(ends), max(ends)
        result.append(first.setdefault(pair, ends[0]) == ends[0])
    return result


def allowed(frames: list[tuple[int, bytes]], inside: list[bool]) -> list[bool]:
    """What the oracle lets pass."""
    oracle = naive.NaiveAcls()
    oracle.timeouts = {naive.UDP: 30, naive.TCP_IDLE: 86400, naive.TCP_TRANSIENT: 5}
    oracle.replace(0, RULES)
    oracle.replace(1, ())
    oracle.lists = {(INSIDE, True): [0], (INSIDE, False): [1]}
    result = []
    for (time, frame), comes_out in zip(frames, inside, strict=True):
        where = ip_of(frame)
        if where is None or where[0] not in (0x0800, 0x86DD):
            result.append(True)
            continue
        kind, at = where
        first_buffer = frame[at:2048]
        seen = naive.see4(first_buffer) if kind == 0x0800 else naive.see6(first_buffer)
        verdict, _ = oracle.check(INSIDE, comes_out, seen, time)
        result.append(verdict != naive.DENIED)
    return result


def replayed(tmp_path: Path, frames: list[tuple[int, bytes]], inside: list[bool], **options: int) -> list[list[bytes]]:
    """What leaves by `outside` and by `inside`."""
    for name, wanted in (("inside", True), ("outside", False)):
        with CaptureWriter(tmp_path / f"{name}-in.pcap") as writer:
            for (time, frame), side in zip(frames, inside, strict=True):
                if side == wanted:
                    writer.write(time, frame)
    config = tmp_path / "firewall.yaml"
    config.write_text(YAML.format(**{"workers": 1, "vector_size": 256} | options))
    captures = [f"{name}={tmp_path / name}-in.pcap" for name in ("inside", "outside")]
    done = CliRunner().invoke(
        app, ["replay", *captures, "--config", str(config), "--out", str(tmp_path)], catch_exceptions=False
    )
    assert done.exit_code == 0, done.output
    return [[data for _, data in packets(tmp_path / f"{name}.pcap")] for name in ("outside", "inside")]


@pytest.mark.parametrize("name", CAPTURES)
def test_exactly_what_the_oracle_lets_pass(name: str, tmp_path: Path) -> None:
    frames = [f for f in packets(shared("pcaps") / name) if len(f[1]) >= 22]  # shorter ones are no frames
    inside = sides(frames)
    wanted = allowed(frames, inside)
    out, back = replayed(tmp_path, frames, inside)
    for got, side in ((out, True), (back, False)):
        expected = [f for (_, f), s, ok in zip(frames, inside, wanted, strict=True) if s == side and ok]
        assert len(got) == len(expected)
        assert got == expected


@pytest.mark.parametrize(("workers", "vector_size"), [(1, 1), (2, 256), (3, 7)])
def test_workers_and_vectors_change_nothing(workers: int, vector_size: int, tmp_path: Path) -> None:
    frames = [f for f in packets(shared("pcaps") / "teams.pcap") if len(f[1]) >= 22]
    inside = sides(frames)
    wanted = allowed(frames, inside)
    out, back = replayed(tmp_path, frames, inside, workers=workers, vector_size=vector_size)
    for got, side in ((out, True), (back, False)):
        expected = [f for (_, f), s, ok in zip(frames, inside, wanted, strict=True) if s == side and ok]
        assert Counter(got) == Counter(expected)


def test_example(tmp_path: Path) -> None:
    done = CliRunner().invoke(
        app,
        ["replay", str(LAN), "--config", str(EXAMPLES / "firewall.yaml"), "--out", str(tmp_path)],
        catch_exceptions=False,
    )
    assert done.exit_code == 0, done.output
    assert "ACL deny packets" in done.output
    left = [data for _, data in packets(tmp_path / "out.pcap") if data[12:14] == b"\x08\0"]
    protocols = Counter(data[23] for data in left)
    assert protocols[6] == 83, "the downloads, and no iperf3"
    unfragmented = [d for d in left if d[23] == 17 and not int.from_bytes(d[20:22], "big") & 0x3FFF]
    assert {int.from_bytes(d[36:38], "big") for d in unfragmented} == {53} and len(unfragmented) == 24
