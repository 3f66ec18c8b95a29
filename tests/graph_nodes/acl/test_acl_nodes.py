"""acl-plugin-in-ip4-fa and -ip6-fa alone against the oracle: any bytes, any rules, both families, the trace."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.backends.acl import strategies
from tests.budget import examples
from tests.harness import Bench
from tests.naive import acl as naive
from vectorplane.backends.engine.acl.rule import PERMIT, REFLECT, AclRule
from vectorplane.dataplane.node import NodeType
from vectorplane.graph_nodes.acl.acl_node import ACL_IN_IP4_FA, ACL_IN_IP6_FA
from vectorplane.graph_nodes.acl.matcher import Matcher
from vectorplane.graph_nodes.acl.session_control import AclSessions
from vectorplane.graph_nodes.acl.session_control import clear as clear_sessions
from vectorplane.graph_nodes.acl.tables import AclTables

PORT = 1


class NodeBench:
    """One node whose interface has ACLs, and the naive ones."""

    def __init__(self, node: NodeType) -> None:
        self.ip6 = "ip6" in node.name
        self.bench = Bench(node)
        self.arc = self.bench.plane.arcs[node.features[0].arc]
        self.arc.enable(PORT, node.name)
        self.naive = naive.NaiveAcls()
        self.matchers: list[Matcher] = []

    def use(self, *lists: Sequence[AclRule], by_tuples: bool = True) -> None:
        """Check against these ACLs, without sessions."""
        numbered = list(enumerate(lists))
        self.matchers.append(
            Matcher(numbered, number=len(self.matchers) + 1, context=0, workers=1, by_tuples=by_tuples)
        )
        self.bench.plane.shared(AclTables).matchers[1, PORT] = self.matchers[-1].address
        clear_sessions(self.bench.plane.shared(AclSessions).address, -1)
        self.naive = naive.NaiveAcls()
        self.naive.acls = dict(numbered)
        self.naive.lists[PORT, True] = [i for i, _ in numbered]

    def check(self, packets: Sequence[bytes], together: bool = True) -> list[str]:
        """Each packet meets what the oracle says, and is as it was; gives the oracle's verdicts."""

        def meta(_: int, record: Any) -> None:
            record["config_index"] = int(self.arc._words[PORT]) + 1

        outs = sorted(self.bench.run(packets, rx=PORT, meta=meta, together=together), key=lambda o: o.index)
        verdicts = []
        met: dict[tuple[int, int], int] = {}
        for out, packet in zip(outs, packets, strict=True):
            seen = naive.see6(packet) if self.ip6 else naive.see4(packet)
            verdict, rule = self.naive.check(PORT, True, seen, 0)
            assert out.data == packet
            reason = out.error or self.bench.plane.graph.error_names[0][1]  # the first node's first is number 0
            wanted = ("error-drop", "ACL deny packets") if verdict == naive.DENIED else (self.arc.type.end, None)
            assert (out.next, reason if verdict == naive.DENIED else None) == wanted, packet.hex()
            verdicts.append(verdict)
            if rule is not None:
                met[rule] = met.get(rule, 0) + 1
        matcher = self.matchers[-1]
        hits = {(p.acl, p.number): n for p, n in zip(matcher.rules, matcher.hits(), strict=True) if n}
        assert hits == met
        matcher._hits[:] = 0
        return verdicts


@pytest.fixture(scope="module")
def four() -> Iterator[NodeBench]:
    """IPv4."""
    made = NodeBench(ACL_IN_IP4_FA)
    yield made
    assert made.bench.leaked() == 0
    made.bench.close()


@pytest.fixture(scope="module")
def six() -> Iterator[NodeBench]:
    """IPv6."""
    made = NodeBench(ACL_IN_IP6_FA)
    yield made
    assert made.bench.leaked() == 0
    made.bench.close()


anything4 = st.one_of(
    strategies.packets(False),
    st.binary(min_size=0, max_size=60),
    st.binary(min_size=40, max_size=60).map(lambda b: b"\x45" + b[1:6] + b"\0\0" + b[8:9] + b"\x06" + b[10:]),
)


@examples(120)
@given(
    lists=st.lists(strategies.rule_lists, min_size=1, max_size=3),
    packets=st.lists(anything4, min_size=1, max_size=20),
    by_tuples=st.booleans(),
    together=st.booleans(),
)
def test_ip4(
    four: NodeBench, lists: list[list[AclRule]], packets: list[bytes], by_tuples: bool, together: bool
) -> None:
    four.use(*lists, by_tuples=by_tuples)
    four.check(packets, together)
    four.check(packets, together)  # verdicts that are remembered, sessions that are there


HOSTS6 = [0x20010DB8 << 96 | n for n in (1, 2, 3, 1 << 64, 0xFFFF)]


@st.composite
def packets6(draw: st.DrawFn) -> bytes:
    """IPv6 packets, with extension headers, fragments, and cut."""
    protocol = draw(st.sampled_from([6, 17, 58, 47]))
    ports = draw(st.sampled_from(strategies.PORTS)), draw(st.sampled_from(strategies.PORTS))
    kind = draw(st.sampled_from([128, 129, 135, 1]))
    rest = bytes([kind, 0]) + bytes(10) if protocol == 58 else strategies.l4(protocol, ports, 2, 0)
    for _ in range(draw(st.integers(0, 2))):
        header = draw(st.sampled_from([0, 43, 44, 60, 51]))
        if header == 44:
            rest = struct.pack(">BBHI", protocol, 0, draw(st.sampled_from([0, 1, 8, 0xFFF8])), 7) + rest
        else:
            more = draw(st.integers(0, 1))
            rest = bytes([protocol, more]) + bytes(6 + 8 * more) + rest
        protocol = header
    source, destination = (draw(st.sampled_from(HOSTS6)) for _ in range(2))
    head = struct.pack(">IHBB", 6 << 28, len(rest), protocol, 64)
    whole = head + source.to_bytes(16, "big") + destination.to_bytes(16, "big") + rest
    return whole[: draw(st.sampled_from([len(whole), len(whole), len(whole) - 3, 44, 39]))]


@st.composite
def prefixes6(draw: st.DrawFn) -> tuple[int, int]:
    """Around the hosts."""
    length = draw(st.sampled_from([0, 0, 16, 32, 63, 64, 65, 127, 128]))
    address = draw(st.sampled_from(HOSTS6))
    return (address >> 128 - length << 128 - length, length) if draw(st.booleans()) else (address, length)


@st.composite
def rules6(draw: st.DrawFn) -> AclRule:
    """Any rule for IPv6, now and then one for IPv4."""
    if draw(st.integers(0, 5)) == 0:
        return draw(strategies.rules())
    protocol = draw(st.sampled_from([0, 6, 17, 58, 47]))
    one = draw(
        strategies.ranges((128, 129, 135), 255) if protocol == 58 else strategies.ranges(strategies.PORTS, 65535)
    )
    other = (0, 255) if protocol == 58 else draw(strategies.ranges(strategies.PORTS, 65535))
    return AclRule(
        draw(st.sampled_from([0, 1, 2])), True, *draw(prefixes6()), *draw(prefixes6()), protocol, *one, *other
    )


@examples(120)
@given(
    lists=st.lists(st.lists(rules6(), max_size=6), min_size=1, max_size=3),
    packets=st.lists(st.one_of(packets6(), st.binary(max_size=80)), min_size=1, max_size=20),
)
def test_ip6(six: NodeBench, lists: list[list[AclRule]], packets: list[bytes]) -> None:
    six.use(*lists)
    six.check(packets)
    six.check(packets)


def test_no_acl_denies(four: NodeBench) -> None:
    four.use([])
    assert four.check([bytes.fromhex("45000014") + bytes(16)]) == [naive.DENIED]


def test_many_rules_of_one_value(four: NodeBench) -> None:
    # ranges that are no prefixes share a chain: the first that fits is met
    rules = [AclRule(PERMIT, proto=17, dport_first=1000 + i, dport_last=60000 - i) for i in range(40)]
    four.use([*rules[::-1], AclRule(REFLECT, proto=6)])
    packets = [
        bytes(strategies.Ip4(1, 2, 17, struct.pack(">HHHH", 5, port, 8, 0))) for port in (999, 1000, 1020, 1039, 59999)
    ]
    assert four.check(packets).count(naive.PERMITTED) == 4
