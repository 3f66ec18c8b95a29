"""What sessions live through that the model leaves out: full tables, affinity, fragments, many flows at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.backends.nat44.translated import INSIDE_NET, OUTSIDE_NET, POOL, Translated, answer, packet
from tests.naive.ip4_packet import Ip4
from tests.naive.nat44 import ACK, SYN, TCP, UDP, Backend, Flow, Mapping, flow_of
from vectorplane.backends.engine.nat44.static_mappings import Local
from vectorplane.graph_nodes.nat44.nat import SM_OUT2IN_ONLY
from vectorplane.jit.kernel import JIT

HOST, SERVER = INSIDE_NET + 1, OUTSIDE_NET + 1


@pytest.fixture
def it() -> Iterator[Translated]:
    made = Translated()
    made.address(POOL + 1, True)
    yield made
    made.end_all()
    made.close()


def udp(port: int, to: int = 53, destination: int = SERVER, source: int = HOST) -> Ip4:
    """From inside."""
    return packet(Flow(source, port, destination, to, UDP))


def sent(it: Translated, inward: bool, packets: list[Ip4]) -> list[Ip4 | None]:
    """What packets become; the oracle is not asked."""
    marked = [it.marked(p) for p in packets]
    interface = 2 if inward else 1
    frames = [bytes.fromhex(f"02fe0000000{interface}0200000000aa0800") + bytes(p) for p in marked]
    it.engine.pg.add("x", interface, frames)
    it.engine.pg.enable("x")
    it.engine.run_until(it.engine.now)
    it.engine.pg.delete("x")
    out = it._came_out()
    return [Ip4.parse(out[p.id][1]) if p.id in out else None for p in marked]


def test_full_of_sessions_and_again_free() -> None:
    """One too many is dropped and counted; when the stalest one's time is up, it makes room."""
    it = Translated()
    it.nat.disable()
    it.nat.enable(0, 0, 4)
    it.nat.interfaces.add(1, True)
    it.nat.interfaces.add(2, False)
    it.nat.addresses.add(POOL + 1, None)
    assert None not in sent(it, False, [udp(2000 + k) for k in range(4)])
    new, old = sent(it, False, [udp(3000), udp(2000)])
    assert new is None and old is not None
    assert it._reasons() == {"maximum sessions exceeded": 1}
    it.wait(301)
    assert sent(it, False, [udp(3002)]) != [None]
    assert len(it.nat.sessions) <= 4
    it.wait(1000)
    assert len(it.nat.sessions) == it.nat.sessions.flows == 0
    it.close()


def test_out_of_ports_and_back(it: Translated) -> None:
    """Eight hosts with one port share an address; without any there is no port, with one again there is."""
    made = it.send(False, [udp(1024, source=INSIDE_NET + k) for k in range(1, 9)])
    assert len({flow_of(p) for p in made if p is not None}) == 8
    it.address(POOL + 1, False)
    assert it.send(False, [udp(5555)]) == [None] and it._reasons()["out of ports"] == 1
    it.address(POOL + 1, True)
    assert it.send(False, [udp(5555)]) != [None]


def test_flows_that_differ_in_ports_alone(it: Translated) -> None:
    """None is lost in the flow table, however alike they are."""
    count = 20_000 if JIT else 300
    flows = [udp(1024 + k % 50_000) for k in range(count)]
    frames = [bytes.fromhex("02fe000000010200000000aa0800") + bytes(p) for p in flows]
    it.engine.pg.add("x", 1, frames)
    it.engine.pg.enable("x")
    it.engine.run_until(it.engine.now)
    it.engine.pg.delete("x")
    assert not it._reasons()
    assert len(it.nat.sessions) == count and it.nat.sessions.flows == 2 * count
    assert len(it.engine.interfaces[2].device.transmitted()) == count  # type: ignore[attr-defined]
    it.check_no_port_twice()


def test_a_client_keeps_its_backend_for_a_time(it: Translated) -> None:
    service = [Local(INSIDE_NET + k, 8000, 1) for k in (1, 2, 3)]
    it.nat.mappings.add_lb(POOL + 1, 80, UDP, service, SM_OUT2IN_ONLY, affinity=100)
    it.timeouts(10, 60, 60, 60)

    def backend(client: int, port: int) -> int:
        (got,) = sent(it, True, [packet(Flow(client, port, POOL + 1, 80, UDP))])
        assert got is not None
        return got.destination

    chosen = {client: backend(client, 1000) for client in (SERVER, SERVER + 1, SERVER + 2)}
    for client, first in chosen.items():
        assert {backend(client, port) for port in range(1001, 1020)} == {first}
    it.wait(90)  # all its sessions are over; the client is still known
    for client, first in chosen.items():
        assert {backend(client, port) for port in range(2000, 2020)} == {first}
    later = set()
    for port in range(4000, 4012):
        it.wait(250)  # not any more
        later.add(backend(SERVER, port))
    assert len(later) > 1
    it.nat.mappings.delete_lb(POOL + 1, 80, UDP, SM_OUT2IN_ONLY)
    assert len(it.nat.sessions) == 0


def test_weights(it: Translated) -> None:
    service = [Local(INSIDE_NET + 1, 80, 3), Local(INSIDE_NET + 2, 80, 1)]
    it.nat.mappings.add_lb(POOL + 1, 80, TCP, service, SM_OUT2IN_ONLY)
    count = 400 if JIT else 40
    made = sent(it, True, [packet(Flow(SERVER, 1024 + k, POOL + 1, 80, TCP)) for k in range(count)])
    share = Counter(p.destination for p in made if p is not None)
    assert sum(share.values()) == count
    assert 0.6 < share[INSIDE_NET + 1] / count < 0.9
    it.nat.mappings.delete_lb(POOL + 1, 80, TCP, SM_OUT2IN_ONLY)


@pytest.mark.parametrize("reverse", [False, True])
def test_fragments(it: Translated, reverse: bool) -> None:
    """Each is translated as its datagram, in any order, there and back."""
    data = bytes(range(256)) * 8
    whole = it.marked(packet(Flow(HOST, 5000, SERVER, 53, UDP), data=data))
    assert pieces(it, False, whole, reverse).source == POOL + 1
    back = it.marked(packet(Flow(SERVER, 53, POOL + 1, 5000, UDP), data=data[::-1]))
    assert pieces(it, True, back, reverse).destination == HOST


def pieces(it: Translated, inward: bool, whole: Ip4, reverse: bool) -> Ip4:
    """Send a datagram in pieces; what they are when put together again."""
    cut = [
        replace(whole, payload=whole.payload[at : at + 800], offset=at, more=at + 800 < len(whole.payload))
        for at in range(0, len(whole.payload), 800)
    ]
    if reverse:
        cut.reverse()
    interface = 2 if inward else 1
    frames = [bytes.fromhex(f"02fe0000000{interface}0200000000aa0800") + bytes(p) for p in cut]
    it.engine.pg.add("x", interface, frames)
    it.engine.pg.enable("x")
    it.engine.run_until(it.engine.now)
    it.engine.pg.delete("x")
    device = it.engine.interfaces[3 - interface].device
    got = sorted((Ip4.parse(data[14:]) for _, data in device.transmitted()), key=lambda p: p.offset)  # type: ignore[attr-defined]
    assert len(got) == len(cut) and len({(p.source, p.destination) for p in got}) == 1
    payload = b"".join(p.payload for p in got)
    flow = flow_of(replace(got[0], payload=payload))
    assert flow is not None
    expected = packet(flow, data=whole.payload[8:])
    assert payload == expected.payload, "ports and checksum are right"
    return got[0]


def test_tcp_states(it: Translated) -> None:
    """Established by SYN and ACK both ways; a FIN begins the end; only in between it lives long."""
    flow = Flow(HOST, 5000, SERVER, 80, TCP)
    (out,) = it.send(False, [packet(flow)])
    assert out is not None
    it.send(True, [answer(out, SYN | ACK)])
    it.send(False, [packet(flow, ACK)])
    (session,) = it.nat.sessions
    assert (session.tcp_state, session.timeout) == (1, 7440)
    it.wait(7000)
    it.send(True, [answer(out, ACK | 1)])
    (session,) = it.nat.sessions
    assert (session.tcp_state, session.timeout) == (2, 240)
    it.wait(260)
    assert len(it.nat.sessions) == 0


def test_a_hairpin(it: Translated) -> None:
    """An inside host reaches another one by its outside address, and is answered."""
    it.mapping(Mapping(POOL + 1, 80, TCP, INSIDE_NET + 2, 8080), True)
    (out,) = it.send(False, [packet(Flow(HOST, 5000, POOL + 1, 80, TCP))])
    assert out is not None and (out.source, out.destination) == (POOL + 1, INSIDE_NET + 2)
    (back,) = it.send(False, [answer(out)])
    assert back is not None and (back.source, back.destination) == (POOL + 1, HOST)


def test_a_service_reaches_no_backend_that_left(it: Translated) -> None:
    service = Mapping(
        POOL + 1, 80, TCP, backends=tuple(Backend(INSIDE_NET + k, 80) for k in (1, 2, 3)), out2in_only=True
    )
    it.mapping(service, True)
    clients = [packet(Flow(SERVER, 2000 + k, POOL + 1, 80, TCP)) for k in range(30)]
    assert {p.destination for p in it.send(True, clients) if p is not None} == {INSIDE_NET + k for k in (1, 2, 3)}
    left = service.backends[:2]
    it.backends(service, left)
    assert {p.destination for p in it.send(True, clients) if p is not None} == {INSIDE_NET + 1, INSIDE_NET + 2}


def test_a_backend_that_leaves_one_service_serves_others(it: Translated) -> None:
    """Of the same address, port and protocol; of another port; of another protocol."""
    served = tuple(Backend(INSIDE_NET + k, 80) for k in (1, 2, 3))
    ends = [(80, TCP), (81, TCP), (80, UDP)]
    services = [Mapping(POOL + 1, port, proto, backends=served, out2in_only=True) for port, proto in ends]
    for service in services:
        it.mapping(service, True)
    clients = [packet(Flow(SERVER, 2000 + k, POOL + 1, port, proto)) for port, proto in ends for k in range(30)]
    first = [p.destination for p in it.send(True, clients) if p is not None]
    assert set(first[:30]) == {INSIDE_NET + k for k in (1, 2, 3)}
    it.backends(services[0], served[:2])
    services[0] = replace(services[0], backends=served[:2])
    second = [p.destination for p in it.send(True, clients) if p is not None]
    assert second[30:] == first[30:] and set(second[:30]) == {INSIDE_NET + 1, INSIDE_NET + 2}
    it.mapping(services[0], False)
    assert len(it.nat.sessions) == 60
