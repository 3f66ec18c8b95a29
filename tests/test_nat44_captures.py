"""Real traffic of a few hundred flows through NAT44 and back, as a user runs it."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.naive.ip4_packet import Ip4, checksum, l4_checksum
from tests.naive.nat44 import ICMP, TCP, UDP, NaiveNat, Verdict, flow_of, with_flow
from tests.naive.pcap_reader import read
from tests.replaying import shared
from vectorplane.cli.app import app
from vectorplane.pcap.writer import CaptureWriter

HOME = IPv4Network("192.168.1.0/24")
POOL = tuple(int(IPv4Address(f"203.0.113.{k}")) for k in (10, 11))
LAN_MAC, WAN_MAC, HOST_MAC = bytes.fromhex("020000000101"), bytes.fromhex("020000000201"), bytes.fromhex("0200000000aa")
YAML = """
engine: {{workers: {workers}, vector_size: {vector_size}}}
nat44: {{addresses: 203.0.113.10-203.0.113.11}}
interfaces:
  lan: {{mac: 02:00:00:00:01:01, addresses: 192.168.1.254/24, nat: inside}}
  wan: {{mac: 02:00:00:00:02:01, addresses: 203.0.113.1/24, nat: outside}}
neighbours:
  - {{interface: wan, ip: 203.0.113.2, mac: 02:00:00:00:00:aa}}
{hosts}
routes: [{{prefix: 0.0.0.0/0, via: 203.0.113.2}}]
"""
Timed = tuple[int, bool, Ip4]
"""When (ns), whether from outside, what."""


def traffic(name: str) -> list[Timed]:
    """What the hosts of a home and others said to each other, whole and with right checksums, in order of time."""
    found = []
    for p in read((shared("pcaps") / name).read_bytes()).packets:
        if p.data[12:14] != b"\x08\x00":
            continue
        packet = Ip4.parse(p.data[14:])
        source, destination = IPv4Address(packet.source), IPv4Address(packet.destination)
        others = destination if source in HOME else source
        if (source in HOME) == (destination in HOME) or others.is_multicast or int(others) == 0xFFFFFFFF:
            continue
        flow = flow_of(packet)
        assert flow is not None and packet.ttl > 1 and not packet.more and not packet.offset
        if packet.protocol in (TCP, UDP):  # offloading left some checksums to a network card
            packet = with_flow(packet, flow)
        found.append((p.time, destination in HOME, packet))
    return sorted(found, key=lambda each: each[0])


def replayed(
    tmp_path: Path, sent: list[Timed], workers: int = 1, vector_size: int = 256
) -> tuple[list[Ip4], list[Ip4]]:
    """What leaves by `wan` and by `lan` when these packets come."""
    for side, name, mac in ((False, "lan", LAN_MAC), (True, "wan", WAN_MAC)):
        with CaptureWriter(tmp_path / f"{name}-in.pcap") as writer:
            for time, inward, packet in sent:
                if inward == side:
                    writer.write(time, mac + HOST_MAC + b"\x08\x00" + bytes(packet))
    homes = {p.destination if inward else p.source for _, inward, p in sent}
    hosts = "\n".join(f"  - {{interface: lan, ip: {IPv4Address(h)}, mac: 02:00:00:00:00:aa}}" for h in sorted(homes))
    config = tmp_path / "nat.yaml"
    config.write_text(YAML.format(workers=workers, vector_size=vector_size, hosts=hosts))
    captures = [f"{name}={tmp_path / name}-in.pcap" for name in ("lan", "wan")]
    out = tmp_path / "out"
    done = CliRunner().invoke(
        app, ["replay", *captures, "--config", str(config), "--out", str(out)], catch_exceptions=False
    )
    assert done.exit_code == 0, done.output
    left, back = (
        [Ip4.parse(p.data[14:]) for p in read((out / f"{name}.pcap").read_bytes()).packets] for name in ("wan", "lan")
    )
    return left, back


def likeness(p: Ip4, inward: bool) -> tuple[object, ...]:
    """What NAT leaves alone."""
    return inward, p.source if inward else p.destination, p.protocol, p.id, p.payload[18:]


def settle(sent: list[Timed], left: list[Ip4], back: list[Ip4]) -> list[tuple[Timed, Ip4 | None]]:
    """Each packet with what came of it: exactly what the oracle makes of it.

    It does not say in which order packets leave that came at one time.
    """
    nat = NaiveNat(range(1 << 32))
    for address in POOL:
        nat.add_address(address)
    queues: dict[tuple[object, ...], list[Ip4]] = {}
    for inward, packets in ((False, left), (True, back)):
        for p in reversed(packets):
            queues.setdefault(likeness(p, inward), []).append(p)
    result: list[tuple[Timed, Ip4 | None]] = []
    for each in sent:
        time, inward, packet = each
        nat.expire(time)
        queue = queues.get(likeness(packet, inward), [])
        verdict: Verdict = nat.packet(bytes(packet), inward, time, bytes(queue[-1]) if queue else None)
        if verdict.reason:
            result.append((each, None))
            continue
        got = queue.pop()
        assert bytes(replace(got, ttl=packet.ttl)) == verdict.data
        assert got.ttl == packet.ttl - 1
        result.append((each, got))
    assert not any(queues.values())
    return result


def checksums_are_right(p: Ip4) -> bool:
    """Of L4; `Ip4.parse` and the comparison of whole packets see to the header's."""
    if p.protocol == ICMP:
        return checksum(p.payload) == 0
    if p.protocol == UDP and p.payload[6:8] == b"\0\0":
        return True
    return l4_checksum(p.source, p.destination, p.protocol, p.payload) == 0


def there_and_back(tmp_path: Path, name: str, **options: int) -> list[tuple[Timed, Ip4 | None]]:
    """The traffic of a capture, outside hosts answering to what they see of it."""
    sent = traffic(name)
    outward = [each for each in sent if not each[1]]
    first = settle(outward, *replayed(tmp_path, outward, **options))
    ends = {flow_of(p): flow_of(got) for (_, _, p), got in first if got is not None}
    answered: list[Timed] = []
    for time, inward, p in sent:
        if not inward:
            answered.append((time, inward, p))
            continue
        flow = flow_of(p)
        assert flow is not None
        outside = ends.get(flow.turned)
        if outside is not None and p.protocol in (TCP, UDP):
            answered.append((time, inward, with_flow(p, outside.turned)))
    return settle(answered, *replayed(tmp_path, answered, **options))


@pytest.mark.parametrize(
    ("name", "workers", "flows", "answers"),
    [("netflix.pcap", 1, 46, 800), ("teams.pcap", 1, 51, 500), ("teams.pcap", 2, 51, 500)],
)
def test_there_and_back(name: str, workers: int, flows: int, answers: int, tmp_path: Path) -> None:
    made = there_and_back(tmp_path, name, workers=workers)
    went = [(p, got) for (_, inward, p), got in made if not inward and got is not None]
    came = [(p, got) for (_, inward, p), got in made if inward and got is not None]
    mapped = {flow_of(p): flow_of(got) for p, got in went}
    assert len(mapped) >= flows and len(came) >= answers
    # each flow is one flow outside, which no other one is
    assert all(mapped[flow_of(p)] == flow_of(got) for p, got in went)
    assert len(set(mapped.values())) == len(mapped)
    assert all(got.source in POOL for _, got in went)
    assert all(checksums_are_right(got) for _, got in (*went, *came))
    # what comes back is what the capture has, but for the TTL
    original = Counter(bytes(p) for _, inward, p in traffic(name) if inward)
    assert not Counter(bytes(replace(got, ttl=got.ttl + 1)) for _, got in came) - original
    # and what went out, translated back, is what went in
    back = {outside: inside for inside, outside in mapped.items()}
    for p, got in went:
        inside = back[flow_of(got)]
        if inside is not None and p.protocol in (TCP, UDP):
            assert bytes(replace(with_flow(got, inside), ttl=p.ttl)) == bytes(p)


@pytest.mark.parametrize(("workers", "vector_size"), [(1, 1), (2, 256), (3, 5)])
def test_workers_and_vectors_change_nothing(workers: int, vector_size: int, tmp_path: Path) -> None:
    sent = [each for each in traffic("teams.pcap") if not each[1]]
    (tmp_path / "one").mkdir()
    wanted = replayed(tmp_path / "one", sent)
    got = replayed(tmp_path, sent, workers, vector_size)
    for mine, other in zip(wanted, got, strict=True):
        assert Counter(map(bytes, mine)) == Counter(map(bytes, other))
