"""The walk over the rules says what the nodes do, and why: against the kernels and against the oracle."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from ipaddress import IPv4Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.backends.acl import strategies
from tests.budget import examples
from tests.graph_nodes.acl.test_acl_nodes import packets6, rules6
from tests.naive import acl as naive
from vectorplane.backends.engine.acl.rule import DENY, PERMIT, REFLECT, AclRule
from vectorplane.backends.engine.device import Device
from vectorplane.backends.engine.engine import Engine
from vectorplane.control.packet_explain.acl import FIRST, LAST
from vectorplane.control.packet_explain.acl_seen import SKIPPED, Seen, see
from vectorplane.control.packet_explain.acl_walk import differs, rule_text, walk
from vectorplane.control.packet_explain.explanation import Explanation
from vectorplane.control.packet_explain.flow_text import parse_flow
from vectorplane.control.packet_explain.journey import Journey

INSIDE, OUTSIDE = 1, 2
ACTIONS = {naive.PERMITTED: "permit", naive.REFLECTED: "permit+reflect", naive.BY_SESSION: "session"}


def address(text: str) -> int:
    return int(IPv4Address(text))


class Wall:
    """Two ports, cross-connected: what `inside` receives is checked there, and again on its way out of `outside`."""

    def __init__(self) -> None:
        self.engine = Engine(buffers=2048)
        for name in ("inside", "outside"):
            self.engine.interfaces.set_up(self.engine.interfaces.add(name, device=Device()).sw_if_index)
        self.engine.bridges.xconnect(INSIDE, OUTSIDE)
        self.engine.bridges.xconnect(OUTSIDE, INSIDE)
        self.acls: list[int] = []

    def use(self, inputs: Sequence[Sequence[AclRule]], outputs: Sequence[Sequence[AclRule]]) -> naive.NaiveAcls:
        """These lists, and no sessions."""
        acls, oracle = self.engine.acls, naive.NaiveAcls()
        acls.set_lists(INSIDE, (), ())
        acls.set_lists(OUTSIDE, (), ())
        for index in self.acls:
            acls.delete(index)
        numbers = [acls.add_replace(None, f"list {k}", rules) for k, rules in enumerate((*inputs, *outputs))]
        self.acls = numbers
        acls.set_lists(INSIDE, numbers[: len(inputs)], None)
        acls.set_lists(OUTSIDE, None, numbers[len(inputs) :])
        acls.clear_sessions()
        oracle.acls = {i: acls[i].rules for i in numbers}
        oracle.lists = {(INSIDE, True): numbers[: len(inputs)], (OUTSIDE, False): numbers[len(inputs) :]}
        return oracle

    def explain(self, packet: bytes, *, every: bool = False, frm: int = INSIDE) -> Explanation:
        """An IP packet arrives."""
        kind = b"\x86\xdd" if packet and packet[0] >> 4 == 6 else b"\x08\x00"
        return Journey(self.engine, all_rules=every).go(frm, bytes(12) + kind + packet)

    def close(self) -> None:
        self.engine.close()


@pytest.fixture(scope="module")
def wall() -> Iterator[Wall]:
    made = Wall()
    yield made
    made.close()


def check(wall: Wall, oracle: naive.NaiveAcls, packet: bytes) -> None:
    """The explanation of a packet agrees with the kernels (it says so itself) and with the oracle."""
    story = wall.explain(packet)
    assert story.disagreements == []
    steps = {s.node: s.facts for s in story.steps if s.node.startswith("acl-plugin-")}
    family = "6" if packet and packet[0] >> 4 == 6 else "4"
    seen = naive.see6(packet) if family == "6" else naive.see4(packet)
    for sw_if, direction in ((INSIDE, "in"), (OUTSIDE, "out")):
        name = f"acl-plugin-{direction}-ip{family}-l2"
        if not oracle.lists[sw_if, direction == "in"]:
            assert name not in steps
            continue
        verdict, met = oracle.check(sw_if, direction == "in", seen, wall.engine.now)
        facts = steps[name]
        assert facts["action"] == ACTIONS.get(verdict, "deny")
        if verdict != naive.BY_SESSION:
            assert (None if facts["met"] is None else (facts["met"]["acl"], facts["met"]["rule"])) == met
        if verdict == naive.DENIED:
            assert story.verdict == "dropped" and story.why == f"{name}: ACL deny packets"
            return
    assert story.verdict == "sent"


@examples(80)
@given(
    inputs=st.lists(strategies.rule_lists, max_size=3),
    outputs=st.lists(strategies.rule_lists, max_size=2),
    packets=st.lists(strategies.packets(False), min_size=1, max_size=6),
)
def test_ip4(wall: Wall, inputs: list[list[AclRule]], outputs: list[list[AclRule]], packets: list[bytes]) -> None:
    oracle = wall.use(inputs, outputs)
    for packet in (*packets, *packets):
        check(wall, oracle, packet)


@examples(60)
@given(
    inputs=st.lists(st.lists(rules6(), max_size=6), min_size=1, max_size=2),
    packets=st.lists(packets6(), min_size=1, max_size=6),
)
def test_ip6(wall: Wall, inputs: list[list[AclRule]], packets: list[bytes]) -> None:
    oracle = wall.use(inputs, [])
    for packet in (*packets, *packets):
        check(wall, oracle, packet)


@examples(300)
@given(packet=st.binary(max_size=90), ip6=st.booleans())
def test_any_bytes_are_seen_as_the_oracle_sees_them(packet: bytes, ip6: bool) -> None:
    mine, theirs = see(packet, ip6), naive.see6(packet) if ip6 else naive.see4(packet)
    if theirs is None or mine is None:
        assert mine is theirs is None
        return
    assert (mine.source, mine.destination, mine.protocol) == (theirs.source, theirs.destination, theirs.protocol)
    assert (mine.ports, mine.tcp_flags, mine.later_fragment) == (theirs.ports, theirs.flags, theirs.nonfirst)


WEB = AclRule(
    REFLECT,
    src=address("10.2.0.0"),
    src_len=16,
    dst=address("192.0.2.1"),
    dst_len=32,
    proto=6,
    sport_first=1024,
    sport_last=65535,
    dport_first=443,
    dport_last=443,
    tcp_flags_mask=0x17,
    tcp_flags_value=0x02,
)


@pytest.mark.parametrize(
    ("flow", "why"),
    [
        ("tcp 10.2.0.1:5000 -> 192.0.2.1:443", None),
        ("tcp 10.1.2.3:5000 -> 192.0.2.1:443", "source 10.1.2.3 not in 10.2.0.0/16"),
        ("tcp 10.2.0.1:5000 -> 192.0.2.2:443", "destination 192.0.2.2 not in 192.0.2.1/32"),
        ("udp 10.2.0.1:5000 -> 192.0.2.1:443", "protocol udp is not tcp"),
        ("tcp 10.2.0.1:80 -> 192.0.2.1:443", "source port 80 not in 1024-65535"),
        ("tcp 10.2.0.1:5000 -> 192.0.2.1:8080", "destination port 8080 is not 443"),
        ("tcp 10.2.0.1:5000 -> 192.0.2.1:443 flags SA", "TCP flags SA masked by FSRA are SA, not S"),
        ("tcp 10.2.0.1:5000 -> 192.0.2.1:443 fragment 8", None),
        ("esp 10.2.0.1 -> 192.0.2.1", "protocol esp is not tcp"),
        ("tcp [2001:db8::1]:1 -> [2001:db8::2]:2", "an IPv4 rule"),
    ],
)
def test_reasons(flow: str, why: str | None) -> None:
    made = parse_flow(flow)
    seen = see(made.packet(), made.version == 6)
    assert seen is not None
    found = differs(WEB, seen)
    assert (None if found is None else found.text) == why


@pytest.mark.parametrize(
    ("rule", "seen", "why"),
    [
        (AclRule(proto=1, sport_first=0, sport_last=0), Seen(False, 1, 2, 1, (8, 0)), "type 8 is not 0"),
        (AclRule(proto=1, dport_first=3, dport_last=9), Seen(False, 1, 2, 1, (3, 1)), "code 1 not in 3-9"),
        (
            AclRule(proto=50, dport_first=5, dport_last=6),
            Seen(False, 1, 2, 50, (0, 0)),
            "destination port 0 (as esp has none) not in 5-6",
        ),
        (AclRule(proto=6), Seen(False, 1, 2, 6), "the packet ends before its ports"),
        (
            AclRule(src=address("10.2.0.1"), src_len=16),
            Seen(False, address("10.2.0.1"), 2, 6),
            "source 10.2.0.1/16 has bits beyond its length: nothing is in it",
        ),
        (AclRule(proto=0, tcp_flags_mask=2, tcp_flags_value=2), Seen(False, 1, 2, 6, (1, 2), 0), None),
    ],
)
def test_more_reasons(rule: AclRule, seen: Seen, why: str | None) -> None:
    found = differs(rule, seen)
    assert (None if found is None else found.text) == why


def test_later_fragments_without_their_protocol() -> None:
    found = differs(AclRule(proto=6), Seen(False, 1, 2, 6, later_fragment=True), match_fragments=False)
    assert found is not None and found.text == "a fragment without ports"


def test_rules_as_text() -> None:
    assert rule_text(WEB) == (
        "permit+reflect tcp 10.2.0.0/16 -> 192.0.2.1/32 source port 1024-65535 destination port 443 flags S of FSRA"
    )
    assert rule_text(AclRule(PERMIT, proto=1, sport_first=8, sport_last=8)) == "permit icmp any -> any type 8"
    assert rule_text(AclRule(DENY)) == "deny ip any -> any"


def test_what_is_skipped_is_what_the_engine_skips(wall: Wall) -> None:
    from vectorplane.control.packet_explain.acl_session import skipped_extensions

    assert skipped_extensions(wall.engine) == SKIPPED
    wall.engine.acls.skip_ip6_extension(44, False)
    assert skipped_extensions(wall.engine) == SKIPPED - {44}
    wall.engine.acls.skip_ip6_extension(44, True)


def test_no_packet_meets_a_rule_without_a_whole_header() -> None:
    assert walk([(0, [AclRule(PERMIT, True)])], None).met is None


def test_long_lists_are_cut_short(wall: Wall) -> None:
    rules = [AclRule(DENY, proto=17, dport_first=n, dport_last=n) for n in range(1, 401)]
    rules += [AclRule(DENY, ip6=True), *[AclRule(DENY, proto=6)] * 600, AclRule(PERMIT)]
    wall.use([rules], [])
    packet = parse_flow("udp 10.0.0.1:5 -> 10.0.0.2:5000").packet()
    (step,) = [s for s in wall.explain(packet).steps if s.node == "acl-plugin-in-ip4-l2"]
    told = [line for line in step.lines if " rule " in line]
    assert len(told) == FIRST + LAST + 1
    (cut,) = [line for line in step.lines if line.startswith("...")]
    assert cut == (
        "... 995 more rules are not met: 396 by destination port, 1 by another family, 598 by protocol "
        "(--all-rules shows them)"
    )
    assert step.facts["not_met_by"] == {"destination port": 400, "family": 1, "protocol": 600}
    (step,) = [s for s in wall.explain(packet, every=True).steps if s.node == "acl-plugin-in-ip4-l2"]
    assert sum(" rule " in line for line in step.lines) == 1002 and len(step.facts["rules"]) == 1001


def test_sessions(wall: Wall) -> None:
    wall.use([[AclRule(REFLECT, proto=6)]], [])
    out = parse_flow("tcp 10.0.0.1:1000 -> 10.0.0.2:80").packet()
    back = parse_flow("tcp 10.0.0.2:80 -> 10.0.0.1:1000 flags SA").packet()
    acls = wall.engine.acls

    def facts(packet: bytes, frm: int) -> tuple[dict[str, object], list[str]]:
        story = wall.explain(packet, frm=frm)
        assert story.disagreements == []
        (step,) = [s for s in story.steps if s.node.startswith("acl-plugin-") and s.facts["interface"] == "inside"]
        return step.facts, step.lines

    acls.set_lists(INSIDE, None, [acls.add_replace(None, "nothing", [])])
    wall.acls.append(acls.outputs(INSIDE)[0])
    found, lines = facts(back, OUTSIDE)
    assert found["session"] is None and found["action"] == "deny" and lines[-1] == "there are no rules: denied"
    found, lines = facts(out, INSIDE)
    made = found["made"]
    assert isinstance(made, dict) and made["flow"] == "tcp 10.0.0.1:1000 -> 10.0.0.2:80" and made["both_ways"]
    assert lines[-1].startswith("makes session") and "it ends after 120 s without a packet" in lines[-1]
    wall.engine.run_until(wall.engine.now + 50_000_000_000)
    found, lines = facts(back, OUTSIDE)
    assert found["action"] == "session" and "last packet 50.000 s ago (tcp transient, 120 s)" in lines[1]
    assert "TCP flags seen: S received, none sent" in lines[1] and "made by a packet that inside received" in lines[1]
    wall.engine.advance(wall.engine.now + 130_000_000_000)  # its time is up, nobody has looked at it yet
    found, lines = facts(back, OUTSIDE)
    assert found["action"] == "deny" and "its time is up" in lines[1]
    acls.reclassify = True
    facts(out, INSIDE)
    acls.add_replace(acls.inputs(INSIDE)[0], "changed", [AclRule(DENY)])
    found, lines = facts(out, INSIDE)
    assert found["action"] == "deny" and "it was made under another policy and is ended" in lines[1]
    acls.reclassify = False
    acls.add_replace(acls.inputs(INSIDE)[0], "reflect", [AclRule(REFLECT)])
    most, acls.max_sessions = acls.max_sessions, 0
    found, lines = facts(parse_flow("udp 10.0.0.1:1 -> 10.0.0.2:2").packet(), INSIDE)
    assert lines[-1] == "too many sessions to add new (at most 0): denied"
    acls.max_sessions = most


def test_an_icmp_reply_makes_a_session_that_requests_do_not_pass(wall: Wall) -> None:
    wall.use([[AclRule(REFLECT, proto=1, sport_first=0, sport_last=0)]], [])
    acls = wall.engine.acls
    acls.set_lists(INSIDE, None, [acls.add_replace(None, "nothing", [])])
    wall.acls.append(acls.outputs(INSIDE)[0])
    reply = parse_flow("icmp 10.0.0.1 -> 10.0.0.2 type 0").packet()
    for _ in range(2):
        story = wall.explain(reply)
        assert story.disagreements == [] and story.verdict == "sent"
    story = wall.explain(parse_flow("icmp 10.0.0.2 -> 10.0.0.1 type 8").packet(), frm=OUTSIDE)
    assert story.disagreements == [] and story.verdict == "dropped"
    (step,) = [s for s in story.steps if s.node == "acl-plugin-out-ip4-l2"]
    assert step.facts["session"]["state"] == "one way" and "it lets nothing through this way" in step.lines[1]
