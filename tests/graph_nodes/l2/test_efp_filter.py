"""l2-efp-filter against its naive oracle: a port sends only what would be its own if it arrived."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.budget import examples
from tests.graph_nodes.l2.bench import L2Bench, l2_words, put
from tests.graph_nodes.l2.frames import received, received_length
from tests.graph_nodes.vlans import Vlans
from tests.naive.ethernet_input import INNER_ANY, Sub
from tests.naive.ethernet_input import ethernet_input as naive
from tests.naive.l2.features import OUTPUT, bits
from tests.naive.l2.tags import belongs, tag
from vectorplane.dataplane.interface import ADMIN_UP, L2_MODE, LINK_UP
from vectorplane.graph_nodes.l2.l2_efp_filter import L2_EFP_FILTER

EFP, REST = bits("EFP_FILTER", of=OUTPUT), bits("OUTPUT", of=OUTPUT)


class Filter(L2Bench):
    """l2-efp-filter, and pg0 (interface 1) with sub-interfaces."""

    def __init__(self) -> None:
        super().__init__(L2_EFP_FILTER)
        self.vlans = Vlans(self.plane)

    def close(self) -> None:
        """Give the memory back."""
        super().close()
        self.vlans.close()


@pytest.fixture(scope="module")
def bench() -> Iterator[Filter]:
    made = Filter()
    yield made
    assert made.leaked() == 0
    made.close()


def compare(bench: Filter, subs: Sequence[Sub], packets: Sequence[tuple[bytes, int]]) -> list[bool]:
    """Every frame (with the port that it leaves by) is sent or dropped as the oracle says; which were sent."""
    bench.vlans.configure(subs, ADMIN_UP | LINK_UP | L2_MODE)

    def meta(i: int, record: Any) -> None:
        frame, port = packets[i]
        put(record, **l2_words(received_length(frame)), tx_sw_if=port, adj=EFP | REST)

    outs = bench.send([p[0] for p in packets], rx=2, meta=meta)
    sent = []
    for out, (frame, port) in zip(outs, packets, strict=True):
        passes = belongs(frame, port, 1, subs)
        found = (out.next, out.error)
        expected = ("interface-output", None) if passes else ("error-drop", "L2 EFP filter post-rewrite drops")
        assert found == expected, frame.hex()
        assert (out.data, out.meta["adj"], out.tx_sw_if) == (frame, REST, port)
        sent.append(passes)
    return sent


subs_strategy = st.lists(
    st.tuples(
        st.sampled_from([(1,), (2,), (5,), (1, 2), (5, 5), (1, INNER_ANY), (0, 1), ()]),
        st.sampled_from([0x8100, 0x8100, 0x88A8]),
        st.booleans(),
    ),
    max_size=6,
    unique_by=lambda s: s[:2] if s[0] else (),
).map(lambda made: [Sub(10 + i, *rest) for i, rest in enumerate(made)])


@examples(120)
@given(data=st.data(), subs=subs_strategy, frames=st.lists(received, min_size=1, max_size=16))
def test_random(bench: Filter, data: st.DataObject, subs: list[Sub], frames: list[bytes]) -> None:
    ports = st.sampled_from([1, *(s.index for s in subs)])
    compare(bench, subs, [(f, data.draw(ports)) for f in frames])


def test_it_is_what_ethernet_input_does(bench: Filter) -> None:
    """The frames that pass are those that would arrive as the port's; priority tags and defaults too."""
    subs = [
        Sub(10, (100,)),
        Sub(11, (100, 7)),
        Sub(12, (100, INNER_ANY)),
        Sub(13, (200,), exact=False),
        Sub(14, (300,), 0x88A8),
        Sub(15, ()),
    ]
    vlans = (0, 7, 100, 200, 300)
    tags = [b""] + [tag(t, v) for v in vlans for t in (0x8100, 0x88A8)]
    tags += [tag(0x8100, v) + tag(0x8100, 0x6000 | i) for v in vlans for i in (0, 7, 9)]
    frames = [bytes(12) + t + b"\x08\0" + bytes(46) for t in tags]
    for some in (subs, subs[:-1], subs[:3], []):
        packets = [(f, port) for f in frames for port in (1, *(s.index for s in some))][:256]
        sent = compare(bench, some, packets)
        arrives = [naive(f, 1, bytes(6), False, some, l2=True).interface for f, _ in packets]
        assert sent == [port == whose for (_, port), whose in zip(packets, arrives, strict=True)]
