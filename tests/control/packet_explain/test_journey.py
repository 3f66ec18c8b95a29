"""What is told of packets on their ways through routers: each kind of node, each kind of end."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator

import pytest

from tests.control.packet_explain.routers import explain, frame_of, lines, router, step
from vectorplane.backends.engine.engine import Engine
from vectorplane.backends.engine.handoff import InterfaceHandoffs
from vectorplane.control.packet_explain.explainers import EXPLAINERS
from vectorplane.control.packet_explain.moment import Explainer, Explaining, Moment, Told
from vectorplane.control.packet_explain.text import lines_of
from vectorplane.graph_nodes.handoff import Handoffs

ROUTER = """
tables: {7: {}}
interfaces:
  in:
    mac: 02:00:00:00:01:01
    addresses: [10.10.1.1/24]
    sub_interfaces:
      100: {addresses: [10.10.100.1/24]}
      200: {inner: any, up: false}
  up1: {mac: 02:00:00:00:0a:01, addresses: [10.20.1.1/24], mtu: 1500}
  up2: {mac: 02:00:00:00:0a:02, addresses: [10.20.2.1/24]}
  down: {addresses: [10.30.0.1/24]}
  silent: {}
neighbours:
  - {interface: up1, ip: 10.20.1.2, mac: 02:00:00:00:0a:11}
  - {interface: up2, ip: 10.20.2.2, mac: 02:00:00:00:0a:12}
  - {interface: in, ip: 10.10.1.2, mac: 02:00:00:00:01:02}
routes:
  - prefix: 10.40.0.0/16
    paths: [{via: 10.20.1.2, interface: up1}, {via: 10.20.2.2, interface: up2}]
  - {prefix: 10.41.0.0/16, via: 10.40.0.9}
  - {prefix: 10.42.0.0/16, action: blackhole}
  - {prefix: 10.43.0.0/16, via: 10.20.1.2, interface: up1}
  - {prefix: 10.44.0.0/16, action: unreachable}
"""


@pytest.fixture(scope="module")
def ip4() -> Iterator[Engine]:
    with router(ROUTER) as engine:
        yield engine


def test_forwarded(ip4: Engine) -> None:
    story = explain(ip4, "in", "tcp 10.10.1.2:1234 -> 10.43.0.1:80 ttl 9")
    assert (story.verdict, story.why) == ("sent", "by up1")
    nodes = ["ethernet-input", "ip4-input", "ip4-lookup", "ip4-rewrite", "up1-output", "up1-tx"]
    assert [s.node for s in story.steps] == nodes
    assert [s.next for s in story.steps] == [*nodes[1:], None]
    assert all(s.explained for s in story.steps)
    assert "route 10.43.0.0/16 (API)" in lines(story, "ip4-lookup")
    assert "to neighbour 10.20.1.2 on up1" in lines(story, "ip4-lookup")
    assert lines(story, "ip4-rewrite").startswith(
        "TTL 9 -> 8\n40 bytes fit in the MTU of up1, 1500\nheader for 10.20.1.2"
    )
    outcome = story.packets[0].outcome
    assert outcome is not None and outcome.hex.startswith("020000000a11020000000a010800")
    assert outcome.changes == [
        "ethernet source 02:00:00:00:01:02 -> 02:00:00:00:0a:01",
        "ethernet destination 02:00:00:00:01:01 -> 02:00:00:00:0a:11",
        "ip4 ttl 9 -> 8",
    ]


def test_a_path_is_chosen_by_flow_hash(ip4: Engine) -> None:
    ways: Counter[str] = Counter()
    for port in range(20):
        story = explain(ip4, "in", f"udp 10.10.1.2:{port} -> 10.40.0.1:80")
        facts = step(story, "ip4-lookup").facts
        assert facts["buckets"] == 2 and facts["path"].endswith(story.why.removeprefix("by "))
        assert f"chooses bucket {facts['bucket']}" in lines(story, "ip4-lookup")
        assert "source, destination, protocol, source port, destination port" in lines(story, "ip4-lookup")
        ways[story.why] += 1
    assert len(ways) == 2


def test_a_recursive_route(ip4: Engine) -> None:
    story = explain(ip4, "in", "udp 10.10.1.2:1 -> 10.41.0.1:80")
    assert story.verdict == "sent" and "by another route" in lines(story, "ip4-lookup")
    assert "2 buckets: 1 to neighbour 10.20.1.2 on up1" in lines(story, "ip4-load-balance")


@pytest.mark.parametrize(
    ("flow", "node", "told", "why"),
    [
        ("udp 10.10.1.2:1 -> 10.42.0.1:2", "ip4-lookup", "route 10.42.0.0/16 (API)\ndropped", "null-node: blackholed"),
        (
            "udp 10.10.1.2:1 -> 99.0.0.1:2",
            "ip4-lookup",
            "takes route 0.0.0.0/0 (default-route)",
            "null-node: blackholed",
        ),
        ("udp 10.10.1.2:1 -> 10.43.0.1:2 ttl 1", "ip4-rewrite", "TTL 1 is used up", "ip4-input: ip4 ttl <= 1"),
        ("udp 10.10.1.2:1 -> 10.43.0.1:2 ttl 0", "ip4-input", "its TTL is 0", "ip4-input: ip4 ttl <= 1"),
        (
            "udp 10.10.1.2:1 -> 10.43.0.1:2 length 2000 df",
            "ip4-rewrite",
            "it may not be fragmented",
            "ip4-input: ip4 MTU",
        ),
        (
            "udp 10.10.1.2:1 -> 10.20.1.9:2",
            "ip4-glean",
            "the MAC address of 10.20.1.9 on up1 is not known",
            "ip4-glean: ARP",
        ),
        (
            "udp 10.10.1.2:1 -> 10.10.1.1:9",
            "ip4-udp-lookup",
            "UDP port 9: nobody listens",
            "ip4-udp-lookup: No listener",
        ),
        ("tcp 10.10.1.2:1 -> 10.10.1.1:9", "ip4-receive", "nobody here takes tcp", "ip4-local: unknown ip protocol"),
        ("udp 10.10.1.2:1 -> 10.10.1.1:9 length 9", "ip4-receive", "udp goes to ip4-udp-lookup", "ip4-udp-lookup"),
    ],
)
def test_dropped(ip4: Engine, flow: str, node: str, told: str, why: str) -> None:
    story = explain(ip4, "in", flow)
    assert story.verdict == "dropped" and story.why.startswith(why)
    assert told in lines(story, node, 1)
    outcome = story.packets[0].outcome
    assert outcome is not None and outcome.severity == "error"


def test_what_the_router_makes_of_it(ip4: Engine) -> None:
    ip4.advance(1_000_000)  # one ICMP error in 10 us
    story = explain(ip4, "in", "udp 10.10.1.2:1 -> 10.43.0.1:2 ttl 1")
    assert "10.10.1.2 is told so by an ICMP error" in lines(story, "ip4-icmp-error")
    error = story.packets[1]
    assert (error.origin, error.parent, error.by) == ("made", 1, "ip4-icmp-error")
    assert error.outcome is not None and error.outcome.kind == "sent" and error.outcome.interface == "in"
    assert "icmp type time_exceeded code 0" in error.outcome.summary
    assert "the router's own packet" in lines(story, "ip4-rewrite", 2)
    story = explain(ip4, "in", "udp 10.10.1.2:1 -> 10.20.2.77:2")
    (request,) = [p.outcome for p in story.packets if p.origin == "made"]
    assert request is not None and "who" not in request.summary[1] and "10.20.2.77" in request.summary[1]
    assert story.verdict == "dropped"


def test_a_ping_is_consumed_and_answered(ip4: Engine) -> None:
    story = explain(ip4, "in", "icmp 10.10.1.2 -> 10.10.1.1")
    assert (story.verdict, story.why) == ("consumed", "ip4-icmp-input: echo replies sent")
    assert "10.10.1.1 is this router's own, an address of in" in lines(story, "ip4-receive")
    assert "echo_request: goes to ip4-icmp-echo-request" in lines(story, "ip4-icmp-input")
    reply = story.packets[1].outcome
    assert reply is not None and reply.kind == "sent" and "echo_reply" in reply.summary[-1]
    assert reply.changes == []


def test_fragments_are_parts_of_the_packet(ip4: Engine) -> None:
    story = explain(ip4, "in", "udp 10.10.1.2:1 -> 10.43.0.1:2 length 3000")
    assert story.verdict == "sent" and lines(story, "ip4-frag") == "3028 bytes become 3 fragments of at most 1500"
    first = story.packets[0].outcome
    assert first is not None and (first.kind, first.into) == ("became", [2, 3, 4])
    last = story.packets[3].outcome
    assert (
        last is not None and "ip4 fragment none -> 2960" in last.changes and not any("taken" in c for c in last.changes)
    )


def test_a_fragment_for_us_is_held(ip4: Engine) -> None:
    story = explain(ip4, "in", "udp 10.10.1.2:1 -> 10.10.1.1:2 fragment 64")
    assert story.verdict == "consumed" and "held for reassembly" in story.why


def test_arp_is_told_by_the_trace(ip4: Engine) -> None:
    ask = bytes.fromhex("ffffffffffff 020000000102 0806 0001080006040001 020000000102 0a0a0102 000000000000 0a0a0101")
    story = explain(ip4, "in", ask)
    assert story.verdict == "consumed"
    assert step(story, "ethernet-input").lines[0] == "for everybody (broadcast)"
    assert not step(story, "arp-reply").explained and "request, type ethernet/IP4" in step(story, "arp-reply").trace
    reply = story.packets[1].outcome
    assert reply is not None and reply.summary[1].startswith("arp reply 02:00:00:00:01:01/10.10.1.1")


def tagged(engine: Engine, *tags: int) -> bytes:
    frame = frame_of(engine, "in", "udp 10.10.1.2:1 -> 10.43.0.1:2")
    return frame[:12] + b"".join(b"\x81\x00" + tag.to_bytes(2, "big") for tag in tags) + frame[12:]


def test_which_interface_a_frame_is_for(ip4: Engine) -> None:
    story = explain(ip4, "in.100", "udp 10.10.100.2:1 -> 10.43.0.1:2")
    assert step(story, "ethernet-input").facts["interface"] == "in.100"
    assert "VLAN 100: sub-interface in.100 (100)" in lines(story, "ethernet-input")
    assert story.notes == ["it arrives on in: its tags say that it is for in.100, or not"]
    for tags, told, why in (
        ((5,), "VLAN 5: no sub-interface of in takes it; there are in.100 (100), in.200 (200/any)", "unknown vlan"),
        ((200, 7), "VLANs 200 and 7: in.200 is down", "subinterface down"),
        ((0,), "VLAN 0: it belongs to in itself", ""),
    ):
        story = explain(ip4, "in", tagged(ip4, *tags))
        assert told in lines(story, "ethernet-input")
        assert story.verdict == ("dropped" if why else "sent") and story.why.endswith(why)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (
            lambda f: b"\x02" * 6 + f[6:],
            "for 02:02:02:02:02:02, not the address of in (02:00:00:00:01:01); in is not prom",
        ),
        (lambda f: f[:12] + b"\x88\xb5" + f[14:], "unknown ethernet type 0x88b5"),
        (lambda f: f[:9], "the frame has 9 bytes, an Ethernet header has 14"),
        (lambda f: b"\x01" + f[1:], "for the group 01:00:00:00:01:01"),
    ],
)
def test_frames(ip4: Engine, change: object, told: str) -> None:
    frame = change(frame_of(ip4, "in", "udp 10.10.1.2:1 -> 10.43.0.1:2"))  # type: ignore[operator]
    assert told in lines(explain(ip4, "in", frame), "ethernet-input")


@pytest.mark.parametrize(
    ("at", "value", "told"),
    [
        (10, b"\x12\x34", "bad ip4 checksum: its checksum is 0x1234, it should be 0x"),
        (2, b"\x00\xff", "its length says 255 bytes, there are 28"),
        (2, b"\x00\x0a", "its length says 10 bytes, a header has at least 20"),
        (6, b"\x00\x01", "its fragment offset is 1"),
        (0, b"\x65", "its version is 6"),
        (0, b"\x41", "its header length says 4 bytes"),
        (0, b"\x4f", "its header length says 60 bytes, the packet ends before"),
    ],
)
def test_broken_headers(ip4: Engine, at: int, value: bytes, told: str) -> None:
    frame = bytearray(frame_of(ip4, "in", "udp 10.10.1.2:1 -> 10.43.0.1:2"))
    frame[14 + at : 14 + at + len(value)] = value
    story = explain(ip4, "in", bytes(frame))
    assert story.verdict == "dropped" and told in lines(story, "ip4-input")


def test_interfaces_that_do_not_take_it(ip4: Engine) -> None:
    story = explain(ip4, "silent", "udp 10.10.1.2:1 -> 10.43.0.1:2")
    assert "silent has no IPv4 address" in lines(story, "ip4-not-enabled") and story.verdict == "dropped"
    down = ip4.interfaces["down"].sw_if_index
    ip4.neighbours.add(down, "10.30.0.2", bytes(5) + b"\x01", static=True)
    ip4.interfaces.set_link(down, False)
    story = explain(ip4, "in", "udp 10.10.1.2:1 -> 10.30.0.2:2")
    if story.steps[-2].node == "down-output":
        assert "interface is down: down has no link" in lines(story, "down-output")
    ip4.interfaces.set_up(down, False)
    story = explain(ip4, "down", "udp 10.10.1.2:1 -> 10.43.0.1:2")
    assert "down is down" in lines(story, "ethernet-input") and story.verdict == "dropped"


def test_nobody_is_told_of_what_others_have_under_way(ip4: Engine) -> None:
    from vectorplane.dataplane.inject import enqueue_packet, make_packet

    enqueue_packet(ip4.plane, "ip4-input", make_packet(ip4.plane, bytes(40)))
    story = explain(ip4, "in", "udp 10.10.1.2:1 -> 10.43.0.1:2")
    assert len(story.packets) == 1 and story.verdict == "sent"


BRIDGE = """
bridge_domains:
  1: {fib: [{mac: 02:00:00:00:00:0b, interface: b}, {mac: 02:00:00:00:00:66, filter: true}]}
interfaces:
  a: {bridge: 1}
  b: {bridge: {domain: 1, shg: 1}}
  c: {bridge: {domain: 1, shg: 1}}
  trunk: {sub_interfaces: {10: {bridge: 1, tag_rewrite: pop-1}}}
  left: {xconnect: right}
  right: {xconnect: left}
  bvi0: {device: bvi, mac: 02:00:00:00:10:01, addresses: [10.9.0.1/24], bridge: 1}
  uplink: {mac: 02:00:00:00:20:01, addresses: [192.0.2.1/24]}
  vx: {device: {type: vxlan, src: 192.0.2.1, dst: 192.0.2.2, vni: 7}, bridge: 1}
neighbours:
  - {interface: uplink, ip: 192.0.2.2, mac: 02:00:00:00:20:02}
"""


@pytest.fixture(scope="module")
def bridge() -> Iterator[Engine]:
    with router(BRIDGE) as engine:
        yield engine


def test_bridged(bridge: Engine) -> None:
    story = explain(bridge, "a", "udp 10.9.0.2:1 -> 10.9.0.3:2", "02:00:00:00:00:0b")
    assert (story.verdict, story.why) == ("sent", "by b")
    assert "a is in L2 mode" in lines(story, "ethernet-input")
    assert lines(story, "l2-input").startswith("a is a port of bridge domain 1\nthe way is l2-learn, l2-fwd")
    assert "is learnt on a" in lines(story, "l2-learn")
    assert lines(story, "l2-fwd") == "destination 02:00:00:00:00:0b is on b (static)"
    outcome = story.packets[0].outcome
    assert outcome is not None and outcome.changes == []
    story = explain(bridge, "c", "udp 10.9.0.2:1 -> 10.9.0.3:2", "02:00:00:00:00:0b")
    assert "was on a (learnt), has moved: on c (learnt)" in lines(story, "l2-learn")
    assert lines(story, "l2-output") == "by port b: L2 split horizon drops" and story.verdict == "dropped"
    story = explain(bridge, "c", "udp 10.9.0.2:1 -> 10.9.0.3:2", "02:00:00:00:00:66")
    assert "is nowhere (static, filter)\nFilter Mac Drop" in lines(story, "l2-fwd")


def test_flooded(bridge: Engine) -> None:
    story = explain(bridge, "b", "udp 10.9.0.7:1 -> 10.9.0.3:2", "ff:ff:ff:ff:ff:ff")
    told = lines(story, "l2-flood", 1)
    assert "flooded in bridge domain 1 to bvi0 (to L3), a, trunk.10, vx" in told
    assert "not to c: the same split-horizon group, 1" in told
    sent = {p.outcome.interface: p for p in story.packets if p.origin != "made" and p.outcome is not None}
    sent.pop("", None)  # the one for L3 is dropped
    assert sent.keys() == {"a", "trunk.10", "uplink"} and story.verdict == "sent"
    pushed, outer = sent["trunk.10"].outcome, sent["uplink"].outcome
    assert pushed is not None and pushed.changes == ["put in front: 802.1q (vlan 10)"]
    assert outer is not None and "put in front: vxlan (vni 7)" in outer.changes
    assert "tags: none -> VLAN 10" in lines(story, "l2-output", sent["trunk.10"].number)
    told = lines(story, "vxlan4-encap", sent["uplink"].number)
    assert told.startswith("tunnel vx: 36 bytes in front: udp 192.0.2.1:")
    assert told.endswith("by the route to its other end: to neighbour 192.0.2.2 on uplink")


def test_out_of_a_tunnel(bridge: Engine) -> None:
    out = explain(bridge, "b", "udp 10.9.0.7:1 -> 10.9.0.3:2", "ff:ff:ff:ff:ff:ff")
    (outer,) = [p.outcome for p in out.packets if p.outcome is not None and p.outcome.interface == "uplink"]
    back = bytearray(bytes.fromhex(outer.hex))
    back[:12] = bytes.fromhex("020000002001020000002002")
    back[26:34] = back[30:34] + back[26:30]
    story = explain(bridge, "uplink", bytes(back))
    assert lines(story, "vxlan4-input").startswith("received by tunnel vx; in it:\n  02:fe:ff:00:00:01 -> ff:ff:ff")
    sent = [p.outcome for p in story.packets if p.outcome is not None and p.outcome.interface == "a"]
    assert sent[0] is not None and "taken off: vxlan (vni 7)" in sent[0].changes


def test_cross_connected_and_rewritten(bridge: Engine) -> None:
    story = explain(bridge, "left", "udp 10.9.0.2:1 -> 10.9.0.3:2")
    assert lines(story, "l2-input") == "left is cross-connected to right" and story.why == "by right"
    story = explain(bridge, "trunk.10", "udp 10.9.0.2:1 -> 10.9.0.3:2", "02:00:00:00:00:0b")
    assert lines(story, "l2-input-vtr") == "tags: VLAN 10 -> none"


def test_lists_of_macs_and_types(bridge: Engine) -> None:
    from vectorplane.backends.engine.acl.macip_rule import MacipRule
    from vectorplane.backends.engine.acl.rule import PERMIT, AclRule

    engine, a = bridge, bridge.interfaces["a"].sw_if_index
    mac, exact = bytes.fromhex("02feff000001"), b"\xff" * 6
    rules = [
        MacipRule(0, False, mac, exact, 10 << 24 | 9 << 16 | 5, 32),
        MacipRule(1, False, bytes(6), bytes(6), 10 << 24 | 9 << 16, 24),
        MacipRule(1, True, mac, exact, 0, 0),
    ]
    engine.macips.apply(a, engine.macips.add_replace(None, "who", rules))
    story = explain(engine, "a", "udp 10.9.0.4:1 -> 10.9.0.3:2")
    told = lines(story, "l2-input-acl")
    assert told.startswith(
        "MACIP list 0 (who) of a\nrule 0: deny 02:fe:ff:00:00:01 10.9.0.5/32: address 10.9.0.4 not in"
    )
    assert told.endswith("rule 1: permit 00:00:00:00:00:00/00:00:00:00:00:00 10.9.0.0/24: met")
    story = explain(engine, "a", "udp 10.9.0.5:1 -> 10.9.0.3:2")
    assert story.why == "l2-input-acl: input ACL session deny drops"
    story = explain(engine, "a", "udp 10.8.0.5:1 -> 10.9.0.3:2")
    assert lines(story, "l2-input-acl").endswith("no rule is met: dropped")
    frame = frame_of(engine, "a", "udp 10.9.0.4:1 -> 10.9.0.3:2")
    story = explain(engine, "a", frame[:12] + b"\x88\xb5" + frame[14:])
    assert "a frame of type 0x88b5 is neither IP nor ARP: dropped" in lines(story, "l2-input-acl")
    engine.macips.remove(a)
    acl = engine.acls.add_replace(None, "all", [AclRule(PERMIT)])
    engine.acls.set_lists(a, [acl], None)
    engine.acl_whitelists.set(a, [0x88CC], [])
    for kind, verdict, told in ((b"\x88\xcc", "sent", "it is listed"), (b"\x88\xb5", "dropped", "it is not listed")):
        story = explain(engine, "a", frame[:12] + kind + frame[14:])
        assert story.verdict == verdict and told in lines(story, "acl-plugin-in-nonip-l2")
    engine.acl_whitelists.set(a, [], [])
    engine.acls.set_lists(a, [], None)


def test_macips_of_routed_packets(ip4: Engine) -> None:
    from vectorplane.backends.engine.acl.macip_rule import MacipRule

    sw_if = ip4.interfaces["in"].sw_if_index
    mac, exact = bytes.fromhex("020000000102"), b"\xff" * 6
    ip4.macips.apply(sw_if, ip4.macips.add_replace(None, "", [MacipRule(1, False, mac, exact, 0, 0)]))
    story = explain(ip4, "in", "udp 10.10.1.2:1 -> 10.43.0.1:2")
    assert story.verdict == "sent" and "rule 0: permit 02:00:00:00:01:02 0.0.0.0/0: met" in lines(story, "ip4-inacl")
    story = explain(ip4, "in", "udp 10.10.1.3:1 -> 10.43.0.1:2")
    assert "MAC address 02:fe:ff:00:00:01 is not 02:00:00:00:01:02" in lines(story, "ip4-inacl")
    assert story.why == "ip4-input: input ACL table-miss drops"
    ip4.macips.remove(sw_if)


def test_handed_to_another_worker() -> None:
    engine = Engine(workers=2)
    from vectorplane.backends.engine.pg import PgDevice

    for n in (1, 2):
        made = engine.interfaces.add(f"pg{n}", device=PgDevice())
        engine.interfaces.set_up(n)
        engine.addresses.add(n, f"10.0.{n}.1/24")
        engine.neighbours.add(made.sw_if_index, f"10.0.{n}.2", bytes(5) + b"\x01", static=True)
    engine.plane.shared(InterfaceHandoffs).set(1, [1])
    try:
        story = explain(engine, "pg1", "udp 10.0.1.2:1 -> 10.0.2.2:2")
        assert [s.node for s in story.steps][:2] == ["worker-handoff", "ethernet-input"]
        assert story.verdict == "sent" and len(story.packets) == 1
        assert engine.plane.shared(Handoffs).under_way() == []
    finally:
        engine.close()


def test_others_add_their_part(ip4: Engine) -> None:
    def tell(at: Moment) -> Explaining:
        before = at.before.data
        yield
        return Told([f"policy of {at.interface(at.before.rx)}, {len(before)} bytes, {at.next}"], {"policy": 1}, "no")

    from vectorplane.control.packet_explain.journey import Journey

    mine = (*EXPLAINERS, Explainer(("ip4-input",), tell))
    frame = frame_of(ip4, "in", "udp 10.10.1.2:1 -> 10.43.0.1:2")
    story = Journey(ip4, explainers=mine).go(ip4.interfaces["in"].sw_if_index, frame)
    told = step(story, "ip4-input")
    assert told.lines[0].startswith("the header is right") and told.lines[-1] == "policy of in, 28 bytes, ip4-lookup"
    assert told.facts["policy"] == 1 and "faults" in told.facts
    assert story.disagreements == ["ip4-input: no"]
    text = [line.text for line in lines_of(story.json())]
    assert text[0] == text[-1] == "!!! ip4-input: no: this is a bug, please report it"


def test_every_explained_node_exists(ip4: Engine) -> None:
    known = {t.name for t in ip4.plane.graph.registry}
    assert {n for e in EXPLAINERS for n in e.nodes} <= known


def test_json_and_text(ip4: Engine) -> None:
    ip4.advance(1_000_000)
    story = explain(ip4, "in", "udp 10.10.1.2:1 -> 10.43.0.1:2 length 3000")
    answer = json.loads(json.dumps(story.json()))
    assert list(answer) == ["received", "verdict", "why", "steps", "packets", "notes", "disagreements"]
    assert list(answer["steps"][0]) == ["packet", "node", "next", "text", "explained", "facts", "counted", "trace"]
    fields = ["kind", "node", "reason", "severity", "interface", "hex", "summary", "changes", "into"]
    assert list(answer["packets"][0]["outcome"]) == fields
    assert answer["received"]["summary"][1] == "udp 10.10.1.2:1 -> 10.43.0.1:2, ttl 64, 3028 bytes"
    text = "\n".join(line.text for line in lines_of(answer))
    assert text.startswith("in receives 3,042 bytes at 0.001000000 s\n  02:00:00:00:01:02 -> 02:00:00:00:01:01\n")
    assert "Packet 2, made of packet 1 by ip4-frag" in text and "In its place: packet 2, 3, 4" in text
    assert "... 1,386 more bytes" in text and text.endswith("What became of it: sent by up1")
    whole = "\n".join(line.text for line in lines_of(answer, trace=True))
    assert "more bytes" not in whole and "    UDP: 10.10.1.2 -> 10.43.0.1" in whole
