"""Any services and endpoints: packets go where the naive oracle says that they may, and replies come back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.control.cluster.driver import NIC
from tests.control.cluster.services.objects import kube_node, vpp_node
from tests.control.cluster.services.rig import SYN, SYN_ACK, TCP, UDP, Packet, Rig
from tests.control.cluster.services.test_model import HOSTS, INSIDE, VPPS, naive, served, services

A, B, OUTSIDE = "10.1.1.2", "10.1.1.3", "8.8.8.8"
NODES = [vpp_node(n, f"node-{n}", f"{VPPS[n]}/24") for n in (1, 2)] + [
    kube_node(f"node-{n}", HOSTS[n]) for n in (1, 2)
]  # fmt: skip
PROTOCOLS = {"TCP": TCP, "UDP": UDP}
ANSWERED_OUTSIDE = ("20.0.0.1", "20.0.0.2", VPPS[1])
"""Addresses that a client outside gets an answer from."""
QUESTION = st.tuples(
    st.sampled_from([A, B, OUTSIDE]),
    st.sampled_from([*INSIDE, "20.0.0.1", "20.0.0.2", HOSTS[1], VPPS[1], VPPS[2]]),
    st.sampled_from([80, 81, 30080, 30081]),
    st.sampled_from(["TCP", "UDP"]),
)


@pytest.fixture(scope="module")
def rig() -> Iterator[Rig]:
    made = Rig()
    made.driver.put(*NODES)
    yield made
    made.close()


@given(st.lists(services(), max_size=3), st.lists(served(), max_size=3), st.lists(QUESTION, min_size=20, max_size=30))
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
def test_packets_go_where_they_may(rig: Rig, some: Any, endpoints: Any, questions: Any) -> None:
    state = rig.driver.state
    rig.driver.delete(*state.services.values(), *state.endpoints.values())
    rig.apply()
    rig.engine.nat44.sessions.end(lambda s: s.flags >= 0)
    rig.put(*some, *endpoints)
    oracle, me = naive(rig.driver)
    for number, (client, address, port, proto) in enumerate(questions):
        link = {A: rig.a, B: rig.b, OUTSIDE: NIC}[client]
        expected = oracle.connect(me, client, address, port, proto)
        request = Packet(link, client, address, 20000 + number, port, PROTOCOLS[proto], SYN)
        found = [p for p in rig.send(request) if p.proto == request.proto]
        where = (request, expected, found)
        if expected is None:
            assert all((p.destination, p.dport) == (address, port) for p in found), where
            continue
        if not found:  # to this node's VPP itself, or to nobody
            assert not expected.seen_by or any(ip == VPPS[1] for ip, _ in expected.seen_by), where
            continue
        (arrived,) = found
        if not expected.seen_by:  # a node that is a service's address, too, is still there
            assert (arrived.destination, arrived.dport) == (address, port), where
            continue
        assert expected.seen_by[arrived.destination, arrived.dport] == arrived.source, where
        if client != OUTSIDE or address in ANSWERED_OUTSIDE:
            back = rig.one(arrived.reply(SYN_ACK))
            assert (back.link, back.ends) == (link, request.reply().ends), where
