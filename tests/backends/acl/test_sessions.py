"""Sessions one by one: which packets they let through, their timeouts, limits, policies, and what `sessions` shows."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address

import pytest

from tests.backends.acl.strategies import l4
from tests.backends.acl.walled import INSIDE, NETWORKS, OUTSIDE, SECOND, Walled
from tests.naive.ip4_packet import Ip4
from vectorplane.backends.engine.acl.acls import AclInUse, AclNotThere, AclTwice
from vectorplane.backends.engine.acl.rule import DENY, PERMIT, REFLECT, AclRule
from vectorplane.dataplane.trace_log import TraceLog

SYN, SYN_ACK, ACK, FIN_ACK, RST = 0x02, 0x12, 0x10, 0x11, 0x04
TCP_IDLE, TCP_TRANSIENT = 2, 3


@pytest.fixture
def it() -> Iterator[Walled]:
    """Everything may go out, and only what answers comes in."""
    made = Walled()
    everything = made.acl([AclRule(REFLECT)])
    made.apply(INSIDE, [everything], [made.acl([])])
    yield made
    made.close()


def packet(inward: bool, protocol: int, payload: bytes, host: int = 1) -> bytes:
    """From one side to the other."""
    source, destination = (OUTSIDE, INSIDE) if inward else (INSIDE, OUTSIDE)
    return bytes(Ip4(NETWORKS[source] + host, NETWORKS[destination] + host, protocol, payload, dont_fragment=True))


def icmp(inward: bool, kind: int, code: int = 0) -> bytes:
    return packet(inward, 1, bytes([kind, code, 0, 0, 0, 1, 0, 1]))


def udp(inward: bool, ports: tuple[int, int], host: int = 1) -> bytes:
    return packet(inward, 17, l4(17, ports, 0, 0), host)


def tcp(inward: bool, ports: tuple[int, int], flags: int, host: int = 1) -> bytes:
    return packet(inward, 6, l4(6, ports, flags, 0), host)


def out(it: Walled, sent: bytes) -> bool:
    return it.send(INSIDE, [sent])[0]


def back(it: Walled, sent: bytes) -> bool:
    return it.send(OUTSIDE, [sent])[0]


def test_udp(it: Walled) -> None:
    assert not back(it, udp(True, (53, 1024)))
    assert out(it, udp(False, (1024, 53)))
    assert back(it, udp(True, (53, 1024)))
    assert not back(it, udp(True, (53, 1025))) and not back(it, udp(True, (53, 1024), host=2))
    (session,) = it.engine.acls.sessions
    assert (session.sw_if_index, session.is_input, session.proto) == (INSIDE, True, 17)
    assert (session.source, session.destination) == (IPv4Address("10.0.0.1"), IPv4Address("10.0.1.1"))
    assert (session.source_port, session.destination_port, session.kind, session.both_ways) == (1024, 53, 1, True)
    it.wait(600 * SECOND)
    assert not back(it, udp(True, (53, 1024)))


@pytest.mark.parametrize(("request_", "reply"), [(8, 0), (13, 14), (15, 16), (17, 18)])
def test_icmp_requests(it: Walled, request_: int, reply: int) -> None:
    assert not back(it, icmp(True, reply))
    assert out(it, icmp(False, request_))
    assert back(it, icmp(True, reply))
    assert not back(it, icmp(True, reply, code=1)) and not back(it, icmp(True, request_))
    (session,) = it.engine.acls.sessions
    assert session.is_input and session.source_port == request_


@pytest.mark.parametrize("kind", [0, 3, 5, 11, 14])
def test_other_icmp_has_no_answer(it: Walled, kind: int) -> None:
    assert out(it, icmp(False, kind))
    assert not any(back(it, icmp(True, other)) for other in (kind, 0, 3, 8, 13))
    assert out(it, icmp(False, kind))
    (session,) = it.engine.acls.sessions
    assert not session.both_ways and session.source_port == kind and session.is_input


def test_a_request_widens_what_its_reply_made(it: Walled) -> None:
    both = it.acl([AclRule(REFLECT, proto=1)])
    it.apply(INSIDE, [both], [both])
    assert out(it, icmp(False, 0)) and back(it, icmp(True, 8))  # an answer first, then what it answers
    it.apply(INSIDE, [both], [both])
    assert len(it.engine.acls.sessions) == 1
    assert out(it, icmp(False, 0))
    it.check_sessions()


def test_tcp_kinds(it: Walled) -> None:
    ports, answered = (5000, 80), (80, 5000)
    steps = [(False, SYN), (True, SYN_ACK), (False, ACK)]
    kinds = []
    for inward, flags in steps:
        assert (back if inward else out)(it, tcp(inward, answered if inward else ports, flags))
        (session,) = it.engine.acls.sessions
        kinds.append(session.kind)
    assert kinds == [TCP_TRANSIENT, TCP_TRANSIENT, TCP_IDLE]
    it.wait(86_399 * SECOND)
    assert back(it, tcp(True, answered, ACK))
    assert out(it, tcp(False, ports, FIN_ACK))
    (session,) = it.engine.acls.sessions
    assert session.kind == TCP_TRANSIENT and session.flags_seen == 0x1312
    it.wait(120 * SECOND)
    assert not back(it, tcp(True, answered, ACK))
    errors = it.engine.plane.error_counts()
    assert errors["acl-plugin-in-ip4-fa: restart session timer"] == 2


def test_limit(it: Walled) -> None:
    it.engine.acls.max_sessions = 4
    for port in range(3):
        assert out(it, udp(False, (port, 53)))
    # one more than may be (VPP leaves one for each thread), and none that may go
    it.engine.pg.add("one", INSIDE, [b"\x02\xfe\0\0\0\x01" + bytes(6) + b"\x08\0" + udp(False, (9, 53))])
    it.engine.pg.enable("one")
    it.engine.run_until(it.engine.now)
    it.engine.pg.delete("one")
    assert it.engine.plane.error_counts("drops")["acl-plugin-in-ip4-fa: too many sessions to add new"] == 1
    assert it.engine.acls.sessions.totals() == (3, 0, 0)
    it.naive.sessions = {k: s for k, s in it.naive.sessions.items() if k[6] != (9, 53)}
    it.wait(600 * SECOND)
    assert out(it, udp(False, (9, 53)))
    assert len(it.engine.acls.sessions) == 1


def test_at_the_limit_the_oldest_transient_goes(it: Walled) -> None:
    it.engine.acls.max_sessions = 4
    for port in (1, 2, 3):
        assert out(it, tcp(False, (port, 80), SYN))
        it.wait(SECOND)
    assert out(it, tcp(False, (4, 80), SYN))
    assert sorted(s.source_port for s in it.engine.acls.sessions) == [2, 3, 4]


def test_rules_change_under_sessions(it: Walled) -> None:
    assert out(it, udp(False, (1, 53)))
    index = it.engine.acls.inputs(INSIDE)[0]
    it.acl([AclRule(DENY)], index)
    assert out(it, udp(False, (1, 53))), "as in VPP a session outlives the rule that made it"
    it.engine.acls.reclassify = it.naive.reclassify = True
    it.acl([AclRule(DENY, proto=17)], index)
    assert not out(it, udp(False, (1, 53)))
    assert it.engine.acls.sessions.counts(0, INSIDE) == (1, 1, 1)
    assert it.engine.acls.policy_epoch(INSIDE, True) == 0x8001
    assert it.engine.acls.policy_epoch(INSIDE, False) is None


def test_other_lists_end_sessions(it: Walled) -> None:
    assert out(it, udp(False, (1, 53))) and len(it.engine.acls.sessions) == 1
    other = it.acl([AclRule(PERMIT)])
    it.apply(INSIDE, [other], list(it.engine.acls.outputs(INSIDE)))
    assert len(it.engine.acls.sessions) == 0


def test_a_session_in_the_place_of_another_is_not_taken_for_it(it: Walled) -> None:
    it.eager = True
    first, second = (udp(False, (port, 53)) for port in (1024, 1025))
    assert [out(it, first) for _ in range(3)] == [True] * 3  # the third one is remembered
    it.engine.acls.clear_sessions()
    it.naive.clear()
    assert out(it, second)
    (session,) = it.engine.acls.sessions
    assert session.index == 0, "the record that the first one had"
    assert not back(it, udp(True, (53, 1024))), "nobody asked from there"
    assert back(it, udp(True, (53, 1025)))
    assert out(it, first) and len(it.engine.acls.sessions) == 2


def test_an_interface_goes(it: Walled) -> None:
    assert out(it, udp(False, (1, 53)))
    first, second = it.engine.acls.inputs(INSIDE) + it.engine.acls.outputs(INSIDE)
    with pytest.raises(AclInUse) as caught:
        it.engine.acls.delete(first)
    assert caught.value.inbound
    it.engine.interfaces.remove(INSIDE)
    assert not it.engine.acls.contexts() and len(it.engine.acls.sessions) == 0
    it.engine.acls.delete(first)
    it.engine.acls.delete(second)
    assert it.engine.acls.add_replace(None, "again", []) == second, "VPP's pool gives the last one first"


def test_refusals(it: Walled) -> None:
    acls = it.engine.acls
    index = acls.inputs(INSIDE)[0]
    with pytest.raises(AclNotThere, match="there is no ACL 77"):
        acls.set_lists(INSIDE, [77], [])
    with pytest.raises(AclNotThere):
        acls.add_replace(77, "x", [])
    with pytest.raises(AclNotThere):
        acls.delete(77)
    with pytest.raises(AclTwice, match=f"ACL {index} stands twice in the input list"):
        acls.set_lists(INSIDE, [index, index], None)
    with pytest.raises(KeyError):
        acls.set_lists(99, [index], [])
    with pytest.raises(ValueError, match="no kind of session timeout"):
        acls.set_timeout(4, 1)
    with pytest.raises(ValueError, match="at most"):
        acls.max_sessions = 1 << 25
    assert acls.inputs(INSIDE) == (index,)


def test_match_counters(it: Walled) -> None:
    acls = it.engine.acls
    index = it.acl([AclRule(PERMIT, proto=17), AclRule(PERMIT, proto=1)])
    it.apply(INSIDE, [index], [])
    assert out(it, udp(False, (1, 2)))
    assert acls.matches(index) == [(0, 0), (0, 0)], "counted only when asked for, as in VPP"
    acls.counters_enabled = True
    for _ in range(3):
        assert out(it, icmp(False, 8))
    assert acls.matches(index) == [(0, 0), (3, 3 * len(icmp(False, 8)))]
    assert [hits for _, hits in acls.contexts()[0].entries] == [1, 3]
    it.acl([AclRule(PERMIT, proto=1)], index)
    assert acls.matches(index) == [(0, 0)]


def test_trace(it: Walled) -> None:
    log = TraceLog(it.engine.plane)
    it.engine.plane.graph.add("pg-input")
    log.add("pg-input", 3)
    assert out(it, tcp(False, (1025, 80), SYN))
    assert out(it, tcp(False, (1025, 80), ACK))
    assert not back(it, udp(True, (53, 1024)))
    text = log.text()
    assert (
        "acl-plugin: lc_index: 1, sw_if_index 1, next index 1, action: 2, match: acl 0 rule 0 trace_bits 00000000\n"
        "    pkt info 0000000000000000 0000000000000000 0000000000000000 0101000a0100000a 0001010600500401 "
        "0302ffff00000001\n"
        "     lc_index 1 l3 ip4 10.0.0.1 -> 10.0.1.1 l4 lsb_of_sw_if_index 1 proto 6 l4_is_input 1 l4_slow_path 0 "
        "l4_flags 0x01 port 1025 -> 80 tcp flags (valid) 02 rsvd 0"
    ) in text
    assert "lc_index: -1, sw_if_index 1, next index 1, action: 3, match: acl -1 rule 0 trace_bits 80000000" in text
    assert "lc_index: 0, sw_if_index 1, next index 0, action: 0, match: acl -1 rule -1 trace_bits 00000000" in text
    log.close()


def test_maps_grow() -> None:
    it = Walled()
    it.apply(INSIDE, [it.acl([AclRule(REFLECT)])], [])
    engine = it.engine
    first = engine.acls.sessions.table.maps[0].capacity
    n = first * 2
    frames = [
        b"\x02\xfe\0\0\0\x01" + bytes(6) + b"\x08\0" + bytes(Ip4(NETWORKS[INSIDE] + 1, k, 17, bytes(8)))
        for k in range(0x14000000, 0x14000000 + n)
    ]
    engine.pg.add("many", INSIDE, frames)
    engine.pg.enable("many")
    engine.run_until(0)
    assert len(engine.acls.sessions) == n == len(engine.acls.sessions.table.maps[0])
    assert engine.acls.sessions.table.maps[0].capacity > first
    engine.pg.delete("many")
    engine.pg.add("many", INSIDE, frames)
    engine.pg.enable("many")
    engine.run_until(1)
    assert engine.plane.error_counts()["acl-plugin-in-ip4-fa: existing session packets"] == n
    engine.run_until(1300 * SECOND)
    assert len(engine.acls.sessions) == 0 and len(engine.acls.sessions.table.maps[0]) == 0
    it.engine.interfaces[OUTSIDE].device.transmitted()  # type: ignore[attr-defined]
    it.close()
