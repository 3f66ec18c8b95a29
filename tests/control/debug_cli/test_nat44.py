"""Commands of NAT44; the texts are VPP's (26.10)."""

from __future__ import annotations

import struct

import pytest

from tests.control.debug_cli.conftest import failure
from tests.naive.ip4_packet import Ip4
from vectorplane.control.debug_cli.cli import DebugCli

MADE = """
nat44 plugin enable sessions 1000
nat44 add address 10.0.1.50 - 10.0.1.51
nat44 add address 10.0.1.55 tenant-vrf 0
nat44 add address 10.0.1.60 twice-nat
set interface nat44 in pg0 out pg1
"""
MAPPINGS = """
nat44 add static mapping tcp local 10.0.0.5 80 external 10.0.1.50 8080
nat44 add static mapping local 10.0.0.6 external 10.0.1.70
nat44 add static mapping tcp local 10.0.0.7 22 external pg1 2222 twice-nat
nat44 add identity mapping 10.0.1.80 tcp 179
nat44 add load-balancing static mapping protocol tcp external 10.0.1.50:80 \
local 10.0.0.5:80 probability 1 local 10.0.0.6:80 probability 3
nat44 add load-balancing back-end protocol tcp external 10.0.1.50:80 local 10.0.0.7:80 probability 2
"""


@pytest.fixture
def nat(cli: DebugCli) -> DebugCli:
    """NAT on, pg0 inside, pg1 outside, with addresses."""
    cli.run(MADE)
    return cli


def lines(cli: DebugCli, command: str) -> list[str]:
    return [line.rstrip() for line in cli.run(command).splitlines()]


def test_pools_and_interfaces(nat: DebugCli) -> None:
    nat.run("nat44 add interface address pg1")
    assert lines(nat, "show nat44 addresses") == [
        "NAT44 pool addresses:",
        "10.0.1.50",
        "  tenant VRF independent",
        "10.0.1.51",
        "  tenant VRF independent",
        "10.0.1.55",
        "  tenant VRF: 0",
        "10.0.1.1",
        "  tenant VRF independent",
        "NAT44 twice-nat pool addresses:",
        "10.0.1.60",
        "  tenant VRF independent",
    ]
    assert lines(nat, "show nat44 interfaces") == ["NAT44 interfaces:", " pg0 in", " pg1 out"]
    assert lines(nat, "show nat44 interface address") == ["NAT44 pool address interfaces:", " pg1"]
    assert failure(nat, "nat44 add address 10.0.1.50").rstrip() == "nat44 add address: NAT address already in use."
    nat.run("nat44 add address 10.0.1.50 del")
    assert "10.0.1.50" not in nat.run("show nat44 addresses")
    nat.run("set interface nat44 in pg0 out pg1 del")
    nat.run("set interface nat44 out pg1 output-feature")
    assert lines(nat, "show nat44 interfaces") == ["NAT44 interfaces:", " pg1 output-feature in out"]


def test_mappings(nat: DebugCli) -> None:
    nat.run(MAPPINGS)
    assert lines(nat, "show nat44 static mappings") == [
        "NAT44 static mappings:",
        " TCP local 10.0.0.5:80 external 10.0.1.50:8080 vrf 0",
        " local 10.0.0.6 external 10.0.1.70 vrf 0",
        " TCP local 10.0.0.7:22 external 10.0.1.1:2222 vrf 0 twice-nat",
        " identity mapping TCP 10.0.1.80:179 vrf 0",
        " TCP external 10.0.1.50:80",
        "  local 10.0.0.5:80 vrf 0 probability 1%",
        "  local 10.0.0.6:80 vrf 0 probability 3%",
        "  local 10.0.0.7:80 vrf 0 probability 2%",
        " TCP local 10.0.0.7:22 external pg1:2222 vrf -1",
    ]
    for line in reversed(MAPPINGS.strip().splitlines()[:-1]):
        nat.run(f"{line} del")
    assert lines(nat, "show nat44 static mappings") == ["NAT44 static mappings:"]


def test_settings(nat: DebugCli) -> None:
    nat.run("set nat timeout udp 100\nnat mss-clamping 1400\nnat44 forwarding enable")
    assert lines(nat, "show nat timeouts") == [
        "udp timeout: 100sec",
        "tcp-established timeout: 7440sec",
        "tcp-transitory timeout: 240sec",
        "icmp timeout: 60sec",
    ]
    assert lines(nat, "show nat mss-clamping") == ["mss-clamping 1400"]
    assert nat.engine.nat44.forwarding
    assert lines(nat, "show nat44 summary")[:2] == [
        "max translations per thread: 1000 fib 0",
        "total sessions: 0 (timed out: 0)",
    ]
    nat.run("nat44 vrf table add 10\nnat44 vrf route add table 10 0")
    assert lines(nat, "show nat44 vrf tables") == ["table 10:", "[0] vrf-id 0"]
    nat.run("set nat timeout reset")
    assert lines(nat, "show nat timeouts")[0] == "udp timeout: 300sec"
    nat.run("nat44 plugin disable")
    assert lines(nat, "show nat44 addresses") == ["NAT44 pool addresses:", "NAT44 twice-nat pool addresses:"]


@pytest.mark.parametrize(
    ("typed", "complaint"),
    [
        ("nat44 plugin enable", "nat44 plugin: already enabled"),
        ("set nat timeout udp x", "set nat timeout: unknown input `x'"),
        ("nat44 del session in 10.0.0.5:80 tcp", "nat44 del session: nat44_del_session returned -6"),
        ("nat44 add address 10.0.1.51 - 10.0.1.52", "nat44 add address: NAT address already in use."),
    ],
)
def test_mistakes(nat: DebugCli, typed: str, complaint: str) -> None:
    assert failure(nat, typed).rstrip() == complaint


def test_sessions(nat: DebugCli) -> None:
    engine = nat.engine
    payload = struct.pack(">HHHH", 1234, 53, 8, 0)
    frame = engine.interfaces["pg0"].mac + bytes(6) + b"\x08\0" + bytes(Ip4(0x0A000002, 0x0A000102, 17, payload))
    engine.pg.add("x", engine.interfaces["pg0"].sw_if_index, [frame])
    engine.pg.enable("x")
    engine.run_until(engine.now)
    shown = nat.run("show nat44 sessions")
    assert "thread 0 vpp_main: 1 sessions" in shown
    assert "i2o 10.0.0.2 proto UDP port 1234 fib 0" in shown
    assert "external host 10.0.1.2:53" in shown and "dynamic translation" in shown
    assert "Showed: 0, Filtered: 1" in nat.run("show nat44 sessions filter i2o sport 9")
    assert lines(nat, "show nat44 hash tables")[0] == "nat44 flow table: 2 flows"
    nat.run("clear nat44 ed sessions")
    assert "0 sessions" in nat.run("show nat44 sessions")
