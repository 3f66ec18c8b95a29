"""VLAN sub-interfaces as ports: who takes which frame, tag rewrites in both directions, the EFP filter."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from scapy.layers.l2 import Dot1Q, Ether

from tests.backends.l2.bridged import Bridged
from tests.naive.ethernet_input import INNER_ANY
from tests.naive.l2.tags import OPERATIONS, tag
from vectorplane.backends.engine.l2.tag_rewrite import (
    DISABLED,
    POP_1,
    POP_2,
    PUSH_1,
    PUSH_2,
    TRANSLATE_1_1,
    TRANSLATE_2_2,
    NotEthernet,
    TagRewrite,
    TooFewTags,
)
from vectorplane.backends.engine.pg import PgDevice

HOST, OTHER = bytes.fromhex("020000000001"), bytes.fromhex("020000000002")
BROADCAST = b"\xff" * 6
Q, AD = 0x8100, 0x88A8


@pytest.fixture
def it() -> Iterator[Bridged]:
    """pg0 (1) and pg1 (2)."""
    made = Bridged(2)
    yield made
    made.check_tables()
    made.close()


def frame(*tags: bytes, source: bytes = HOST, destination: bytes = BROADCAST) -> bytes:
    return destination + source + b"".join(tags) + b"\x08\0" + bytes(46)


def tags_of(data: bytes) -> list[tuple[int, int]]:
    """(TPID, VLAN) of each tag, outermost first, as scapy reads them."""
    layer, found = Ether(data), []
    while isinstance(layer.payload, Dot1Q):  # Dot1AD is one too
        found.append((layer.type, layer.payload.vlan))
        layer = layer.payload
    return found


def test_who_takes_which_frame(it: Bridged) -> None:
    """Exact, with any inner tag, the default one, and the interface itself: each frame reaches its own domain."""
    exact = it.add_sub(1, 10, 100)
    double = it.add_sub(1, 11, 100, 7)
    any_inner = it.add_sub(1, 12, 100, INNER_ANY)
    loose = it.add_sub(1, 13, 200, exact=False)
    service = it.add_sub(1, 14, 300, outer_type=AD)
    default = it.add_sub(1, 15)
    for bd_id, index in enumerate((exact, double, any_inner, loose, service, default, 1), 1):
        it.attach(index, bd_id)
        it.attach(2, bd_id)  # the last one keeps it
        it.send(1, frame(tag(Q, 1)))
    arrivals = {
        exact: [(tag(Q, 100),), (tag(Q, 0x6000 | 100),)],
        double: [(tag(Q, 100), tag(Q, 7)), (tag(Q, 100), tag(Q, 7), tag(Q, 9))],
        any_inner: [(tag(Q, 100), tag(Q, 8))],
        loose: [(tag(Q, 200),), (tag(Q, 200), tag(Q, 7))],
        service: [(tag(AD, 300),)],
        default: [(tag(Q, 300),), (tag(AD, 100),), (tag(AD, 300), tag(Q, 7)), (tag(Q, 1), tag(Q, 2), tag(Q, 3))],
        1: [(), (tag(Q, 0),)],
    }
    for index, tags in arrivals.items():
        domain = it.naive.ports[index].domain
        assert domain is not None
        it.attach(2, domain.id)
        for some in tags:
            before = it.engine.plane.if_stats["rx"].total(index)[0]
            assert it.send(1, frame(*some)).sent == [(2, frame(*some))], (index, some)
            assert it.engine.plane.if_stats["rx"].total(index)[0] == before + 1


def test_an_interface_in_l2_mode_takes_what_no_sub_interface_does(it: Bridged) -> None:
    """All tags, while it is bridged; none of them otherwise."""
    it.add_sub(1, 10, 100)
    for index in (1, 2):
        it.attach(index, 7)
    assert it.send(1, frame(tag(Q, 5))).sent == [(2, frame(tag(Q, 5)))]
    assert it.send(1, frame(tag(Q, 100))).sent == [], "the sub-interface is in L3 mode"
    it.detach(1)
    assert it.send(1, frame(tag(Q, 5))).drops == {"unknown vlan": 1}


def test_a_sub_interface_that_is_down(it: Bridged) -> None:
    """It receives nothing and sends nothing; its super-interface does not step in."""
    part = it.add_sub(1, 10, 100)
    for index in (1, 2, part):
        it.attach(index, 7)
    it.set_up(part, False)
    assert it.send(1, frame(tag(Q, 100))).drops == {"subinterface down": 1}
    assert it.send(2, frame()).drops == {"interface is down": 1}


@pytest.mark.parametrize("op", range(9))
@pytest.mark.parametrize("dot1q", [False, True])
@pytest.mark.parametrize("own", [Q, AD])
def test_every_operation_both_ways(it: Bridged, op: int, dot1q: bool, own: int) -> None:
    """What comes in is changed, and what leaves is changed back: a host at the other side sees no difference."""
    part = it.add_sub(1, 10, 100, 7, outer_type=own)
    for index in (part, 2):
        it.attach(index, 7)
    it.set_rewrite(part, op, dot1q, 300, 400)
    pops, pushes = OPERATIONS[op]
    before = [(own, 100), (Q, 7)]
    after = [(Q if dot1q else AD, 300), (Q, 400)][:pushes] + before[pops:]
    (sent,) = it.send(1, frame(tag(own, 100), tag(Q, 7))).sent
    assert sent[0] == 2 and tags_of(sent[1]) == after
    answer = frame(*(tag(*t) for t in after), source=OTHER, destination=HOST)
    (back,) = it.send(2, answer).sent
    assert back[0] == part and tags_of(back[1]) == before
    expected = TagRewrite(op, dot1q and pushes > 0, 300 if pushes else 0, 400 if pushes == 2 else 0)
    assert it.engine.tag_rewrites.get(part) == expected


def test_operations_that_are_refused(it: Bridged) -> None:
    """Only tags that the port's frames must carry can be taken off."""
    rewrites = it.engine.tag_rewrites
    one = it.add_sub(1, 10, 100)
    any_inner = it.add_sub(1, 11, 200, INNER_ANY)
    two = it.add_sub(1, 12, 300, 7)
    default = it.add_sub(1, 13)
    told = {1: 0, one: 1, any_inner: 1, two: 2, default: 0}
    for index, tags in told.items():
        for op, (pops, _) in enumerate(OPERATIONS):
            if pops <= tags:
                rewrites.set(index, op, True, 1, 2)
                assert rewrites.get(index).op == op
            else:
                with pytest.raises(TooFewTags):
                    rewrites.set(index, op, True, 1, 2)
        rewrites.set(index, DISABLED)
        assert rewrites.get(index) == TagRewrite()
    for op in (-1, 9):
        with pytest.raises(ValueError, match="not within 0 to 8"):
            rewrites.set(1, op)
    for call in (rewrites.set, rewrites.set_efp_filter):
        with pytest.raises(KeyError):
            call(99, 1)
    raw = it.engine.interfaces.add("raw", device=PgDevice("ip4"))
    with pytest.raises(NotEthernet):
        rewrites.set(raw.sw_if_index, PUSH_1, True, 1)
    it.engine.interfaces.remove(raw.sw_if_index)


def test_a_rewrite_goes_with_l2_mode(it: Bridged) -> None:
    """It lasts while the port changes domains, or is cross-connected; back in L3 mode it is gone."""
    part = it.add_sub(1, 10, 100)
    for index in (part, 2):
        it.attach(index, 7)
    it.set_rewrite(part, POP_1, False, 0, 0)
    assert it.send(1, frame(tag(Q, 100))).sent == [(2, frame())]
    for index in (part, 2):
        it.attach(index, 8)
    assert it.send(1, frame(tag(Q, 100))).sent == [(2, frame())]
    it.xconnect(part, 2)
    it.xconnect(2, part)
    assert it.send(1, frame(tag(Q, 100))).sent == [(2, frame())]
    assert it.send(2, frame()).sent == [(part, frame(tag(Q, 100)))]
    it.detach(part)
    assert it.engine.tag_rewrites.get(part).op == DISABLED
    for index in (part, 2):
        it.attach(index, 8)
    assert it.send(1, frame(tag(Q, 100))).sent == [(2, frame(tag(Q, 100)))]


def test_told_before_the_interface_is_a_port(it: Bridged) -> None:
    """As in VPP that works too; an interface that is removed takes it with it."""
    part = it.add_sub(1, 10, 100)
    it.set_rewrite(part, TRANSLATE_1_1, True, 300, 0)
    for index in (part, 2):
        it.attach(index, 7)
    assert it.send(1, frame(tag(Q, 100))).sent == [(2, frame(tag(Q, 300)))]
    it.remove(part)
    assert it.add_sub(1, 10, 100) == part and it.engine.tag_rewrites.get(part).op == DISABLED
    it.attach(part, 7)
    assert it.send(1, frame(tag(Q, 100))).sent == [(2, frame(tag(Q, 100)))]


def test_frames_with_too_few_tags(it: Bridged) -> None:
    """Of what comes in and of what leaves."""
    part = it.add_sub(1, 10, 100, 7)
    for index in (part, 2):
        it.attach(index, 7)
    it.set_rewrite(2, PUSH_2, True, 300, 400)
    assert it.send(1, frame(tag(Q, 100), tag(Q, 7))).sent == [(2, frame())], "two tags off, as they were put on"
    it.set_rewrite(part, POP_2, False, 0, 0)
    assert it.send(1, frame(tag(Q, 100), tag(Q, 7))).drops == {"L2 output tag rewrite drops": 1}


def test_the_efp_filter(it: Bridged) -> None:
    """Before the rewrite: tags that the port would have put on; behind it: what would be the port's own."""
    part = it.add_sub(1, 10, 100)
    for index in (part, 2):
        it.attach(index, 7)
    it.set_efp_filter(part, True)
    assert it.send(2, frame()).drops == {"L2 EFP filter post-rewrite drops": 1}
    assert it.send(2, frame(tag(Q, 101))).drops == {"L2 EFP filter post-rewrite drops": 1}
    assert it.send(2, frame(tag(Q, 100), tag(Q, 7))).drops == {"L2 EFP filter post-rewrite drops": 1}
    assert len(it.send(2, frame(tag(Q, 100))).sent) == 1
    it.set_rewrite(part, TRANSLATE_1_1, True, 300, 0)
    assert it.send(2, frame(tag(Q, 301))).drops == {"L2 EFP filter pre-rewrite drops": 1}
    assert it.send(2, frame(tag(Q, 300))).sent == [(part, frame(tag(Q, 100)))]
    it.set_efp_filter(part, False)
    assert it.send(2, frame(tag(Q, 301))).sent == [(part, frame(tag(Q, 100)))]


def test_translating_both_tags(it: Bridged) -> None:
    """Two providers' tags: in one domain, each with its own."""
    parts = [it.add_sub(sup, 10, 100 + sup, 7, outer_type=AD) for sup in (1, 2)]
    for index in parts:
        it.attach(index, 7)
        it.set_rewrite(index, TRANSLATE_2_2, True, 1, 2)
    (sent,) = it.send(1, frame(tag(AD, 101), tag(Q, 7))).sent
    assert tags_of(sent[1]) == [(AD, 102), (Q, 7)]
