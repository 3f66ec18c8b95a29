"""l2-flood against its naive oracle: who gets a replica, with which bytes, and where all the buffers are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.budget import examples
from tests.graph_nodes.l2.bench import L2Bench, l2_words, put
from tests.graph_nodes.l2.frames import HOSTS, received, received_length
from tests.harness import Out
from tests.naive.l2.flood import Member, wanted
from tests.naive.l2.header import to_bvi
from vectorplane.dataplane.buffer import BUFFER, GSO, GSO_SIZE, NEXT_PRESENT, OFFLOAD_L4_CHECKSUM
from vectorplane.dataplane.inject import enqueue_packet, free_packet, make_packet
from vectorplane.graph_nodes.l2.config import MEMBER_BVI, MEMBER_SHG
from vectorplane.graph_nodes.l2.l2_flood import L2_FLOOD

BVI_ERRORS = {"mac": "BVI L3 mac mismatch", "ethertype": "BVI packet with unhandled ethertype"}
STEP = 32
"""Replicas are copied in whole steps of so many bytes."""
DOMAIN = 5
BVI = 3
GSO_WORD = (GSO_SIZE - BUFFER.fields["opaque"][1]) // 8  # type: ignore[index]
BVI_MAC = bytes.fromhex("02fe00000003")

Replica = tuple[str, int, bytes, str | None]
"""Next node, interface that it leaves by (or came to L3 by), bytes, error."""


@pytest.fixture(scope="module")
def bench() -> Iterator[L2Bench]:
    made = L2Bench(L2_FLOOD, behind=STEP)
    yield made
    assert made.leaked() == 0
    made.close()


def expected(frame: bytes, members: Sequence[Member], interface: int, shg: int) -> list[Replica]:
    """The oracle's replicas of a frame, in VPP's order."""
    chosen = wanted(members, interface, shg)
    if not chosen:
        return [("error-drop", interface, frame, "L2 replication complete")]
    made: list[Replica] = []
    for member in chosen:
        if not member.is_bvi:
            made.append(("l2-output", member.interface, frame, None))
            continue
        given = to_bvi(frame, received_length(frame), BVI_MAC)
        if given.wrong is not None:
            made.append(("error-drop", interface, frame, BVI_ERRORS[given.wrong]))
        else:
            made.append((given.next or "", member.interface, given.data, None))
    return made


def found(out: Out) -> Replica:
    """A packet that left."""
    return out.next, out.tx_sw_if if out.next == "l2-output" else out.rx_sw_if, out.data, out.error


def flood(
    bench: L2Bench, frames: Sequence[bytes], members: Sequence[Member], rx: Sequence[int], shg: int = 0, offset: int = 0
) -> list[list[Out]]:
    """What each frame became; ``members`` in VPP's order. ``offset``: of the frames in their buffers."""
    words = [m.interface | m.shg << MEMBER_SHG | m.is_bvi * MEMBER_BVI for m in reversed(members)]
    bench.config.set_flood(DOMAIN, words)

    def meta(i: int, record: Any) -> None:
        put(record, **l2_words(received_length(frames[i]), shg, bd_index=DOMAIN), adj=0x84)
        record["current_data"] += offset
        record["current_length"] -= offset

    outs = bench.send([bytes(offset) + f for f in frames], rx=list(rx), meta=meta)
    made: list[list[Out]] = [[] for _ in frames]
    for out in outs:
        made[out.index].append(out)
    return made


def compare(
    bench: L2Bench, frames: Sequence[bytes], members: Sequence[Member], rx: Sequence[int], shg: int = 0, offset: int = 0
) -> None:
    """Every member that is to have a replica has one; no buffer is lost, and the balance is right."""
    generated = int(bench.worker.record["generated"])
    free = bench.plane.free_buffers()
    before = bench.plane.if_stats["rx"].total(BVI).tolist()
    by_frame = flood(bench, frames, members, rx, shg, offset)
    replicas = [expected(f, members, k, shg) for f, k in zip(frames, rx, strict=True)]
    to_l3 = []
    for outs, wanted_ones, frame in zip(by_frame, replicas, frames, strict=True):
        assert Counter(map(found, outs)) == Counter(wanted_ones), frame.hex()
        to_l3 += [r[2] for r in wanted_ones if r[0].endswith("-input")]
        for out in outs:
            # what tells its place in time, and which port it came in by, goes with each
            assert out.meta["adj"] == 0x84 and out.meta["fib_index"] == DOMAIN
    assert int(bench.worker.record["generated"]) - generated == sum(map(len, replicas)) - len(frames)
    assert bench.plane.free_buffers() == free
    counted = bench.plane.if_stats["rx"].total(BVI) - before
    assert counted.tolist() == [len(to_l3), sum(map(len, to_l3))]


ports = st.tuples(st.integers(0, 40), st.sampled_from([0, 0, 1, 2, 255])).map(lambda m: Member(*m))


@st.composite
def domains(draw: st.DrawFn) -> list[Member]:
    """Members in VPP's order: a BVI first, if there is one."""
    others = draw(st.lists(ports, max_size=9, unique_by=lambda m: m.interface))
    others = [m for m in others if m.interface != BVI]
    bvi = Member(BVI, draw(st.sampled_from([0, 1, 2])), True, "bvi")
    return [bvi, *others] if draw(st.booleans()) else others


@st.composite
def floods(draw: st.DrawFn) -> list[bytes]:
    """Frames, some of them longer than is copied, or than a buffer is."""
    made = []
    for frame in draw(st.lists(received, min_size=1, max_size=6)):
        size = draw(st.sampled_from([0, 0, 0, 200, 470, 512, 513, 600, 2047, 2048, 2049, 2300, 5000]))
        if size > len(frame):
            frame += bytes((7 * k + len(frame)) & 0xFF for k in range(size - len(frame)))
        made.append(frame)
    return made


@examples(150)
@given(
    frames=floods(),
    members=domains(),
    rx=st.integers(1, 8),
    shg=st.sampled_from([0, 0, 1, 2]),
    offset=st.integers(0, 70),
)
def test_random(bench: L2Bench, frames: list[bytes], members: list[Member], rx: int, shg: int, offset: int) -> None:
    compare(bench, frames, members, [rx] * len(frames), shg, offset)


def frame(size: int = 60, destination: bytes = b"\xff" * 6, kind: bytes = b"\x08\0") -> bytes:
    return destination + HOSTS[0] + kind + bytes((k * 7) & 0xFF for k in range(size - 14))


SIZES = (14, 15, 45, 46, 47, 255, 256, 257, 511, 512, 513, 1500, 2047, 2048, 2049, 2303, 2304, 4096, 4097, 9000)


@pytest.mark.parametrize("bvi", [False, True])
@pytest.mark.parametrize("size", SIZES)
def test_every_size(bench: L2Bench, size: int, bvi: bool) -> None:
    """Around each length at which something else is done, for one, two and many members."""
    for n in (0, 1, 2, 7):
        members = [Member(BVI, 0, True, "bvi")] * bvi + [Member(10 + k) for k in range(n)]
        compare(bench, [frame(size)] * 3, members, [1, 2, 10])


def test_the_order_in_which_replicas_leave(bench: L2Bench) -> None:
    """As in VPP, the member that joined last first; frame by frame."""
    members = [Member(10 + k) for k in range(4)]
    for size in (60, 1500):
        outs = [o for outs in flood(bench, [frame(size)] * 2, members, [1, 1]) for o in outs]
        assert [o.tx_sw_if for o in outs] == [13, 12, 11, 10] * 2


def test_many_members_fill_many_frames(bench: L2Bench) -> None:
    """A hundred replicas of each of 16 frames spill into further frames."""
    members = [Member(100 + k) for k in range(100)]
    compare(bench, [frame(60)] * 16, members, [1] * 16)
    compare(bench, [frame(600)] * 8, members, [1] * 8)


@pytest.mark.parametrize("size", [60, 600, 3000])
def test_more_members_than_buffers_are_promised_at_a_time(bench: L2Bench, size: int) -> None:
    """A domain of hundreds of tunnels: a pool promises 256 buffers at once."""
    for n in (256, 257, 258, 700):
        compare(bench, [frame(size)], [Member(BVI, 0, True, "bvi")] + [Member(100 + k) for k in range(n)], [1])


def replicas(bench: L2Bench, size: int, gso_size: int = 0, **fields: int) -> tuple[int, list[int]]:
    """A frame with this metadata to three members: its buffer's index, and the indices of what left."""
    bench.config.set_flood(DOMAIN, [10, 11, 12])
    index = make_packet(bench.plane, frame(size))
    put(bench.plane.pool.meta[index], rx_sw_if=1, **{**l2_words(14, bd_index=DOMAIN), **fields})
    bench.plane.pool.meta[index]["opaque"][GSO_WORD] = gso_size
    enqueue_packet(bench.plane, "l2-flood", index)
    bench.worker.dispatch(0)
    node = bench.plane.graph["l2-output"]
    return index, [int(bi) for bi in node.data[0]["bi"][: int(node.data[0]["count"])]]


def test_replicas_do_not_share_what_they_may_write(bench: L2Bench) -> None:
    """A long frame's replicas have a head each; their common tail is freed with the last of them."""
    index, heads = replicas(bench, 1500)
    meta = bench.plane.pool.meta
    assert len(set(heads)) == 3 and index not in heads
    assert {int(meta[bi]["next_buffer"]) for bi in heads} == {index} and int(meta[index]["ref_count"]) == 3
    assert {int(meta[bi]["ref_count"]) for bi in heads} == {1}
    assert {int(meta[bi]["current_length"]) for bi in heads} == {256}
    assert {int(meta[bi]["total_rest"]) for bi in heads} == {1244}
    bench._collect()
    assert int(meta[index]["ref_count"]) == 1 and bench.leaked() == 0


@pytest.mark.parametrize("size", [60, 1500])
@pytest.mark.parametrize("flags", [OFFLOAD_L4_CHECKSUM, OFFLOAD_L4_CHECKSUM | GSO])
def test_replicas_know_all_that_the_frame_knew(bench: L2Bench, size: int, flags: int) -> None:
    """Its place in time, its offsets, its flow's partition; of a segment that a card is to cut the size too."""
    fields = {"time": 7, "seq": 9, "adj": 3, "partition": 5, "l2_offset": 1, "l3_offset": 15, "l4_offset": 35}
    meta = bench.plane.pool.meta
    meta["opaque"] = -1  # what earlier packets left there
    _, made = replicas(bench, size, gso_size=1440, flags=flags, **fields)
    for bi in made:
        assert {name: int(meta[bi][name]) for name in fields} == fields
        assert int(meta[bi]["flags"]) & ~NEXT_PRESENT == flags and int(meta[bi]["rx_sw_if"]) == 1
        assert not flags & GSO or int(meta[bi]["opaque"][GSO_WORD]) == 1440
    bench._collect()
    assert bench.leaked() == 0


@pytest.mark.parametrize("bvi", [False, True])
@pytest.mark.parametrize("size", [60, 1500, 5000])
def test_without_free_buffers(size: int, bvi: bool) -> None:
    """Somebody gets nothing, and that is counted; nothing is lost or made up."""
    members = [Member(BVI, 0, True, "bvi")] * bvi + [Member(10 + k) for k in range(6)]
    bench = L2Bench(L2_FLOOD, behind=STEP)
    taken = []
    needed = -(-size // 2048)
    for free in range(13, -1, -1):
        while bench.plane.free_buffers() > free + needed:
            taken.append(make_packet(bench.plane, b""))
        before = Counter(bench.errors())
        generated = int(bench.worker.record["generated"])
        (outs,) = flood(bench, [frame(size)], members, [1])
        replicas = expected(frame(size), members, 1, 0)
        assert not Counter(map(found, outs)) - Counter(replicas), "only replicas that were wanted, each once"
        told = Counter(bench.errors()) - before
        assert told["l2-flood: L2 replication failures"] == len(replicas) - len(outs)
        assert int(bench.worker.record["generated"]) - generated == len(outs) - 1
        assert bench.plane.free_buffers() == free + needed
        if size == 60:
            assert len(outs) == min(len(replicas), 1 + free)
    for index in taken:
        free_packet(bench.plane, index)
    assert bench.leaked() == 0
    bench.close()


def test_a_list_of_members_is_used_again(bench: L2Bench) -> None:
    """Changing a domain's members over and over takes no more memory than the lists that are in use at once."""
    config = bench.config
    top = config._top
    for k in range(50):
        config.set_flood(DOMAIN, [10 + k, 20, 30])
        flood(bench, [frame()], [Member(10 + k), Member(20), Member(30)], [1])
        bench.plane.epochs.poll()
    assert config._top <= top + 12
