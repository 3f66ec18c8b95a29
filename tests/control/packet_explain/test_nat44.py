"""What is told of packets at NAT44's nodes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.control.packet_explain.routers import explain, lines, router, step
from tests.replaying import EXAMPLES
from vectorplane.backends.engine.engine import Engine

SLOW_IN, SLOW_OUT = "nat44-ed-in2out-slowpath", "nat44-ed-out2in-slowpath"


@pytest.fixture
def home() -> Iterator[Engine]:
    with router((EXAMPLES / "home-router.yaml").read_text()) as engine:
        yield engine


@pytest.fixture
def service() -> Iterator[Engine]:
    with router((EXAMPLES / "service.yaml").read_text()) as engine:
        yield engine


def test_a_new_session_and_its_answer(home: Engine) -> None:
    story = explain(home, "lan", "tcp 10.10.1.2:5000 -> 8.8.8.8:443")
    assert story.verdict == "sent"
    assert lines(story, "nat44-ed-in2out") == "looked for tcp 10.10.1.2:5000 -> 8.8.8.8:443 in table 0\nno session"
    assert lines(story, SLOW_IN).splitlines()[1:] == [
        "no mapping of 10.10.1.2:5000",
        "makes session 0 (dynamic); it ends after 240 s without a packet",
        "source 10.10.1.2:5000 becomes 203.0.113.7:5000",
    ]
    assert step(story, SLOW_IN).facts["made"]["outside"] == "203.0.113.7:5000"
    story = explain(home, "wan", "tcp 8.8.8.8:443 -> 203.0.113.7:5000 flags SA")
    assert (story.verdict, story.why) == ("sent", "by lan")
    assert lines(story, "nat44-ed-out2in").splitlines()[1:] == [
        "session 0 (dynamic), from outside; last packet 0.000 s ago, ends after 240 s without one",
        "destination 203.0.113.7:5000 becomes 10.10.1.2:5000",
    ]
    assert all(s.node != SLOW_OUT for s in story.steps)


def test_mappings(home: Engine) -> None:
    story = explain(home, "wan", "tcp 8.8.8.8:443 -> 203.0.113.7:8080")
    assert "mapping of 203.0.113.7:8080 to 10.10.1.2:80" in lines(story, SLOW_OUT)
    assert "destination 203.0.113.7:8080 becomes 10.10.1.2:80" in lines(story, SLOW_OUT)
    story = explain(home, "wan", "tcp 8.8.8.8:443 -> 203.0.113.7:22")
    assert lines(story, SLOW_OUT).endswith(
        "identity mapping of 203.0.113.7:22\nthe identity mapping says: not translated"
    )


@pytest.mark.parametrize(
    ("interface", "flow", "node", "text"),
    [
        ("lan", "tcp 10.10.1.2:5 -> 8.8.8.8:443 flags A", SLOW_IN, "only a SYN begins a TCP session, and its flags"),
        ("lan", "udp 10.10.1.2:5 -> 10.10.1.1:53", SLOW_IN, "an address of lan itself: not translated"),
        ("lan", "udp 10.10.1.2:5 -> 10.10.100.9:53", SLOW_IN, "not behind an outside interface: not translated"),
        ("lan", "icmp 10.10.1.2 -> 8.8.8.8 type 13", "nat44-ed-in2out", "unsupported ICMP type: dropped"),
        ("lan", "icmp 10.10.1.2 -> 8.8.8.8 id 7777", SLOW_IN, "source 10.10.1.2 id 7777 becomes 203.0.113.7 id 7777"),
        ("lan", "47 10.10.1.2 -> 8.8.8.8", SLOW_IN, "source 10.10.1.2 becomes 203.0.113.7"),
        ("wan", "tcp 8.8.8.8:443 -> 203.0.113.7:9", SLOW_OUT, "no mapping of 203.0.113.7:9\nno translation: dropped"),
        ("wan", "icmp 8.8.8.8 -> 203.0.113.7", SLOW_OUT, "an address of wan itself: not translated"),
    ],
)
def test_reasons(home: Engine, interface: str, flow: str, node: str, text: str) -> None:
    assert text in lines(explain(home, interface, flow), node)


def test_out_of_ports_and_of_sessions(home: Engine) -> None:
    nat = home.nat44
    address = nat.addresses.pool(False)[0].address
    nat.addresses.delete_interface(home.interfaces["wan"].sw_if_index)
    story = explain(home, "lan", "udp 10.10.1.2:5 -> 8.8.8.8:443")
    assert "the pool (no address) has no port left" in lines(story, SLOW_IN)
    nat.addresses.add(address, None)
    assert explain(home, "lan", "udp 10.10.1.2:5 -> 8.8.8.8:443").verdict == "sent"


def test_a_session_whose_time_is_up(home: Engine) -> None:
    explain(home, "lan", "udp 10.10.1.2:5 -> 8.8.8.8:53")
    home.advance(home.now + 500_000_000_000)  # and nobody has looked after it yet
    story = explain(home, "lan", "udp 10.10.1.2:5 -> 8.8.8.8:53")
    assert "its time is up: session 0 (dynamic), from inside; last packet 500.000 s ago" in lines(
        story, "nat44-ed-in2out"
    )
    assert "makes session 0" in lines(story, SLOW_IN)


def test_a_service(service: Engine) -> None:
    story = explain(service, "clients", "tcp 10.10.1.2:5000 -> 10.10.2.2:80")
    text = lines(story, SLOW_OUT)
    assert (
        "service (default/web) 10.10.2.2:80: one of 10.1.1.11:8080 (50 %), 10.1.1.12:8080 (25 %), "
        "10.1.1.13:8080 (25 %)\nmakes session 0 (static, load-balanced)" in text
    )
    backend = text.rpartition(" becomes ")[2]
    back = explain(service, "pods", f"tcp {backend} -> 10.10.1.2:5000 flags SA")
    assert "as from inside: it belongs to session 0 from inside" in lines(back, "nat44-ed-classify")
    assert f"source {backend} becomes 10.10.2.2:80" in lines(back, "nat44-ed-in2out")
    story = explain(service, "clients", "udp 10.10.1.2:5000 -> 10.1.1.11:53")
    assert "forwarding is on: what is for no mapping goes on as it is" in lines(story, SLOW_OUT)
    story = explain(service, "clients", "udp 10.10.1.2:5000 -> 10.10.2.2:53")
    assert "for 60 s the same for a client" in lines(story, SLOW_OUT)


def test_a_pod_that_uses_its_own_service(service: Engine) -> None:
    seen = set()
    for port in range(40):
        story = explain(service, "pods", f"tcp 10.1.1.12:{5000 + port} -> 10.10.2.2:80")
        text = lines(story, SLOW_OUT)
        assert "as from outside: its destination is an address of NAT's" in lines(story, "nat44-ed-classify")
        if "becomes 10.1.1.12:8080" in text:
            assert "(static, twice-NAT, load-balanced)" in text and f"source 10.1.1.12:{5000 + port} becomes" in text
        seen.add("twice-NAT" in text)
    assert seen == {True, False}
