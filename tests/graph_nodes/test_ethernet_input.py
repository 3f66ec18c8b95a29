"""ethernet-input against its naive oracle: tags, sub-interfaces, the MAC filter, short frames."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.budget import examples
from tests.graph_nodes.vlans import Vlans
from tests.harness import Bench, Out, collector
from tests.naive.ethernet_input import INNER_ANY, Sub, Verdict
from tests.naive.ethernet_input import ethernet_input as naive
from vectorplane.dataplane.interface import ADMIN_UP, L2_MODE, LINK_UP, PROMISCUOUS
from vectorplane.graph_nodes.ethernet_input import ETHERNET_INPUT, join_l2_input

MAC = bytes.fromhex("02fe00000001")
OTHER = bytes.fromhex("02fe00000099")
SOURCE = bytes.fromhex("020000000002")
GROUP = bytes.fromhex("01005e000001")


class Port(Bench):
    """ethernet-input of pg0 (interface 1), whose sub-interfaces a test can change."""

    def __init__(self) -> None:
        super().__init__(ETHERNET_INPUT, types=(collector("l2-input"),), arcs=())
        join_l2_input(self.plane)
        self.vlans = Vlans(self.plane)

    def configure(self, subs: Sequence[Sub], promiscuous: bool, l2: bool = False) -> None:
        """These sub-interfaces and no others."""
        flags = (PROMISCUOUS if promiscuous else 0) | (L2_MODE if l2 else 0)
        self.vlans.configure(subs, ADMIN_UP | LINK_UP | flags)

    def close(self) -> None:
        """Give the memory back."""
        super().close()
        self.vlans.close()


@pytest.fixture(scope="module")
def port() -> Iterator[Port]:
    """One for all tests: each configures it anew."""
    made = Port()
    yield made
    assert made.leaked() == 0
    made.close()


def tag(vlan: int, kind: int = 0x8100) -> bytes:
    """A tag with priority bits set."""
    return kind.to_bytes(2, "big") + (vlan | 0x6000).to_bytes(2, "big")


def compare(
    port: Port, frames: Sequence[bytes], subs: Sequence[Sub] = (), promiscuous: bool = False, l2: bool = False
) -> list[Out]:
    """Every frame goes where the oracle says, as whose it says, without the header, otherwise unchanged."""
    port.configure(subs, promiscuous, l2)
    outs = sorted(port.run(frames), key=lambda o: o.index)
    expected = [naive(f, 1, MAC, promiscuous, subs, l2) for f in frames]
    for out, frame, verdict in zip(outs, frames, expected, strict=True):
        # a frame that is dropped for its address may have been counted to its sub-interface or not
        l2_length = out.meta["flow_hash"] if out.next == "l2-input" else 0
        found = Verdict(out.next, out.error, out.rx_sw_if, len(frame) - len(out.data), l2_length)
        assert found == verdict, frame.hex()
        assert out.data == frame[verdict.header :]
        header = verdict.header or verdict.l2_length
        if header:
            meta = out.meta
            assert (meta["l2_offset"], meta["l3_offset"]) == (0, header)
            assert meta["flags"] & 96 == {14: 0, 18: 32, 22: 64}[header]
    for s in subs:
        mine = [f for f, v in zip(frames, expected, strict=True) if v.interface == s.index]
        counted = port.plane.if_stats["rx"].total(s.index).tolist()
        assert counted == [len(mine), sum(map(len, mine))]
    return outs


def frame(kind: int, *, tags: bytes = b"", mac: bytes = MAC, payload: int = 46) -> bytes:
    """An Ethernet frame."""
    return mac + SOURCE + tags + kind.to_bytes(2, "big") + bytes(range(payload))


def test_untagged(port: Port) -> None:
    kinds = (0x0800, 0x0806, 0x86DD, 0x8847, 0x05FF, 0x0600, 0, 46, 0xFFFF)
    macs = (MAC, OTHER, GROUP, b"\xff" * 6)
    frames = [frame(k, mac=m) for k in kinds for m in macs]
    outs = compare(port, frames)
    assert [o.next for o in outs[:4]] == ["ip4-input", "error-drop", "ip4-input", "ip4-input"]
    assert all(o.next != "error-drop" for o in compare(port, frames, promiscuous=True))


def test_every_length(port: Port) -> None:
    """From nothing on: no byte beyond the frame decides (the harness makes a red zone of them)."""
    whole = [frame(0x0800), frame(0x0800, tags=tag(100)), frame(0x0800, tags=tag(100) + tag(7))]
    for promiscuous in (False, True):
        subs = (Sub(10, (100,)), Sub(11, (100, 7)))
        compare(port, [w[:n] for w in whole for n in range(27)], subs, promiscuous)


def test_sub_interfaces(port: Port) -> None:
    """Every kind of sub-interface against every kind of tag."""
    subs = (
        Sub(10, (100,)),
        Sub(11, (100, 7)),
        Sub(12, (100, INNER_ANY)),
        Sub(13, (200,), exact=False),
        Sub(14, (200, 7)),
        Sub(15, (300,), outer_type=0x88A8),
        Sub(16, (300, 7), outer_type=0x88A8),
        Sub(17, (400,), up=False),
        Sub(18, (500,)),
    )
    vlans = (0, 7, 100, 200, 300, 400, 500, 4095)
    tags = [tag(v, t) for v in vlans for t in (0x8100, 0x88A8)]
    tags += [
        tag(v, t) + tag(i, u) for v in vlans for t in (0x8100, 0x88A8) for i in (0, 7, 9) for u in (0x8100, 0x88A8)
    ]
    tags += [tag(100) + tag(7) + tag(8), tag(0x0FFF, 0x9100)]
    frames = [frame(0x0800, tags=t) for t in tags]
    compare(port, frames[:256], subs)
    compare(port, frames[:256], (*subs, Sub(19, ())))


@pytest.mark.parametrize("reverse", [False, True])
def test_the_most_specific_wins(port: Port, reverse: bool) -> None:
    """Whatever order they were made in: both tags, any inner tag, the outer alone, the default."""
    subs = [Sub(10, (5, 6)), Sub(11, (5, INNER_ANY)), Sub(12, (5,), exact=False), Sub(13, ())]
    if reverse:
        subs.reverse()
    double = frame(0x0800, tags=tag(5) + tag(6))
    while subs:
        (out,) = compare(port, [double], subs)
        best = min(s.index for s in subs)
        assert out.rx_sw_if == best
        subs = [s for s in subs if s.index != best]


def test_a_priority_tag_is_no_vlan(port: Port) -> None:
    """802.1Q 6.9: VLAN 0 only carries a priority; the frame is the interface's own, a default sub-interface or not."""
    (out,) = compare(port, [frame(0x0800, tags=tag(0))], [Sub(10, ())])
    assert (out.rx_sw_if, out.next) == (1, "ip4-input")


subs_strategy = st.lists(
    st.tuples(
        st.sampled_from([(1,), (2,), (1, 2), (2, 1), (1, INNER_ANY), (2, INNER_ANY), (0, 1), ()]),
        st.sampled_from([0x8100, 0x8100, 0x88A8]),
        st.booleans(),
        st.booleans(),
        st.booleans(),
    ),
    max_size=6,
    unique_by=lambda s: s[:2] if s[0] else (),
)
vlan = st.sampled_from([0, 1, 2, 3, 4095])
kind = st.sampled_from([0x0800, 0x0806, 0x8100, 0x88A8, 0x86DD, 100, 0x600])


@st.composite
def frames(draw: st.DrawFn) -> bytes:
    """Well-formed, cut, or random."""
    if draw(st.integers(0, 5)) == 0:
        return draw(st.binary(max_size=40))
    tags = b"".join(tag(draw(vlan), draw(st.sampled_from([0x8100, 0x88A8]))) for _ in range(draw(st.integers(0, 3))))
    mac = draw(st.sampled_from([MAC, MAC, OTHER, GROUP]))
    made = mac + SOURCE + tags + draw(kind).to_bytes(2, "big") + draw(st.binary(max_size=60))
    return made[: draw(st.integers(0, len(made)))] if draw(st.integers(0, 5)) == 0 else made


@examples(120)
@given(
    made=subs_strategy,
    packets=st.lists(frames(), min_size=1, max_size=20),
    promiscuous=st.booleans(),
    l2=st.booleans(),
)
def test_random(
    port: Port,
    made: list[tuple[tuple[int, ...], int, bool, bool, bool]],
    packets: list[bytes],
    promiscuous: bool,
    l2: bool,
) -> None:
    """In L3 mode or in L2 mode, with sub-interfaces in either."""
    subs = [Sub(10 + i, *rest) for i, rest in enumerate(made)]
    compare(port, packets, subs, promiscuous, l2)


def test_an_interface_in_l2_mode_takes_all_frames(port: Port) -> None:
    """Whatever their destination and their tags, whole; but what a sub-interface takes is the sub-interface's."""
    tagged = [b"", tag(7), tag(100), tag(100, 0x88A8), tag(100) + tag(7), tag(0), tag(1) + tag(2) + tag(3)]
    packets = [
        frame(k, tags=t, mac=m) for k in (0x0800, 0x0806, 5, 0x9999) for t in tagged for m in (MAC, OTHER, GROUP)
    ]
    outs = compare(port, packets, l2=True)
    assert {(o.next, o.rx_sw_if) for o in outs} == {("l2-input", 1)}
    outs = compare(port, packets, [Sub(10, (100,)), Sub(11, (100, 7), l2=True)], l2=True)
    assert {o.next for o in outs if o.rx_sw_if == 10} == {
        "ip4-input",
        "arp-input",
        "llc-input",
        "error-punt",
        "error-drop",
    }
    assert {o.next for o in outs if o.rx_sw_if == 11} == {"l2-input"}


def test_a_sub_interface_in_l2_mode(port: Port) -> None:
    """Its frames are bridged, those of the interface itself are not; a frame that is cut in its tags is no frame."""
    subs = (
        Sub(10, (100,), l2=True),
        Sub(11, (), l2=True),
        Sub(12, (200, INNER_ANY), l2=True),
        Sub(13, (300,), exact=False),
    )
    vlans = [tag(v) for v in (100, 200, 300, 400)] + [tag(v) + tag(i) for v in (100, 200, 300) for i in (7, 9)]
    packets = [frame(0x0800, tags=t, mac=m) for t in (b"", tag(0), *vlans) for m in (MAC, OTHER, GROUP)]
    compare(port, packets + [frame(0x0800, tags=tag(100))[:n] for n in range(14, 24)], subs)


def test_no_interface_in_l2_mode_yet() -> None:
    """Before the first one joined, l2-input is not even in the graph."""
    bench = Bench(ETHERNET_INPUT, arcs=())
    bench.plane.interfaces.records[1]["flags"] = ADMIN_UP | LINK_UP | L2_MODE
    assert [o.next for o in bench.run([frame(0x0800)])] == ["error-drop"]
    assert "l2-input" not in bench.plane.graph
    bench.close()


def test_jumbo_frames(port: Port) -> None:
    """A chain: the header is in the first buffer; a sub-interface counts all of it."""
    long = frame(0x0800, tags=tag(100), payload=0) + bytes(5000)
    (out,) = compare(port, [long], (Sub(10, (100,)),))
    assert len(out.data) == 5000


def test_interfaces_mixed_in_one_vector(port: Port) -> None:
    """The filter is that of the frame's own interface, also right behind a tagged one."""
    port.configure([Sub(10, (100,))], False)
    mac2 = bytes.fromhex("02fe00000002")
    packets = [frame(0x0800), frame(0x0800, tags=tag(100)), frame(0x0800, mac=mac2), frame(0x0800), frame(0x0800)]
    outs = port.run(packets, rx=[1, 1, 2, 2, 1])
    assert [(o.index, o.rx_sw_if) for o in outs if o.next == "ip4-input"] == [(0, 1), (1, 10), (2, 2), (4, 1)]
    assert [(o.index, o.error) for o in outs if o.next == "error-drop"] == [(3, "l3 mac mismatch")]


def test_an_interface_that_is_down_receives_nothing() -> None:
    """Packets of a port that is administratively down are dropped for that reason."""
    bench = Bench(ETHERNET_INPUT)
    bench.plane.interfaces.records[1]["flags"] = LINK_UP
    frame = bytes.fromhex("02fe00000001" + "020000000002" + "0800") + bytes(46)
    assert [(o.next, o.error) for o in bench.run([frame])] == [("error-drop", "subinterface down")]
    bench.close()
