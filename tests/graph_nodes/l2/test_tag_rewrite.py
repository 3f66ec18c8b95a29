"""l2-input-vtr and l2-output against their naive oracles: tags taken off and put on, split horizon, the EFP filter."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.l2 import Dot1AD, Dot1Q, Ether

from tests.budget import examples
from tests.graph_nodes.l2.bench import THERE, L2Bench, l2_words, put
from tests.graph_nodes.l2.frames import HOSTS, received, received_length
from tests.harness import Out
from tests.naive.l2.features import INPUT, OUTPUT, bits, following
from tests.naive.l2.l2_output import OutputPort, l2_output
from tests.naive.l2.tags import Rewrite, rewrite, tag
from vectorplane.dataplane.buffer import VLAN_1_DEEP, VLAN_2_DEEP
from vectorplane.graph_nodes.l2.config import L2Config
from vectorplane.graph_nodes.l2.l2_input_vtr import L2_INPUT_VTR
from vectorplane.graph_nodes.l2.l2_output import DROP, L2_OUTPUT_NODE
from vectorplane.graph_nodes.l2.vtr import ONE_TAG_MASK, TWO_TAGS_MASK

PORTS = range(1, 4)
OUTPUT_NODES = {k: f"pg{k - 1}-output" for k in PORTS}


class Outputs(L2Bench):
    """l2-output with three ports."""

    def __init__(self) -> None:
        super().__init__(L2_OUTPUT_NODE)
        graph = self.plane.graph
        self.slots = {k: graph.add_next(self.node, self.add_stub(name).name) for k, name in OUTPUT_NODES.items()}


@pytest.fixture(scope="module")
def outputs() -> Iterator[Outputs]:
    made = Outputs()
    yield made
    assert made.leaked() == 0
    made.close()


@pytest.fixture(scope="module")
def inputs() -> Iterator[L2Bench]:
    made = L2Bench(L2_INPUT_VTR)
    yield made
    assert made.leaked() == 0
    made.close()


def word(tags: bytes) -> int:
    """Tags as a port's record holds them."""
    return int.from_bytes(tags.rjust(8, b"\0"), "little", signed=True)


def write_rewrites(config: L2Config, port: int, incoming: Rewrite, outgoing: Rewrite) -> None:
    """A port's record."""
    r = config.outputs[port]
    r["in_tags"], r["in_push"], r["in_pop"] = word(incoming.push), len(incoming.push), incoming.pop
    r["out_tags"], r["out_push"], r["out_pop"] = word(outgoing.push), len(outgoing.push), outgoing.pop
    r["efp_mask"] = {0: 0, 4: ONE_TAG_MASK, 8: TWO_TAGS_MASK}[len(incoming.push)]


def depth_flags(length: int) -> int:
    """The buffer flags of a frame with a header of that length, as ethernet-input sets them."""
    return {14: 0, 18: VLAN_1_DEEP, 22: VLAN_2_DEEP}[length]


def check_metadata(out: Out, length: int) -> None:
    """Length, place and tags of the header are known, of a frame whose header was that long."""
    now = out.meta["flow_hash"] & 0xFF
    assert out.meta["l2_offset"] == out.meta["current_data"] == length - now
    expected = {14: 0, 18: VLAN_1_DEEP}.get(now, VLAN_2_DEEP)
    assert out.meta["flags"] & (VLAN_1_DEEP | VLAN_2_DEEP) == expected


tag_bytes = st.builds(tag, st.sampled_from([0x8100, 0x88A8]), st.integers(0, 4095))
pushes = st.one_of(st.just(b""), tag_bytes, st.tuples(tag_bytes, tag_bytes).map(b"".join))
rewrites = st.builds(Rewrite, st.sampled_from([0, 4, 8]), pushes)


@examples(150)
@given(hows=st.lists(rewrites, min_size=3, max_size=3), frames=st.lists(received, min_size=1, max_size=16))
def test_input(inputs: L2Bench, hows: list[Rewrite], frames: list[bytes]) -> None:
    for port, how in zip(PORTS, hows, strict=True):
        write_rewrites(inputs.config, port, how, Rewrite())
    left = bits("LEARN", "FWD")

    def meta(i: int, record: Any) -> None:
        length = received_length(frames[i])
        put(record, **l2_words(length), adj=left | bits("VTR"), flags=depth_flags(length) | int(record["flags"]))

    rx = [PORTS[k % 3] for k in range(len(frames))]
    outs = inputs.send(frames, rx=rx, meta=meta)
    for out, frame, port in zip(outs, frames, rx, strict=True):
        length = received_length(frame)
        wanted = rewrite(frame, length, hows[port - 1])
        assert out.meta["adj"] == left
        if wanted is None:
            assert (out.next, out.error) == ("error-drop", "L2 input tag rewrite drops")
            continue
        assert (out.next, out.data) == (following(left, THERE), wanted)
        if hows[port - 1] != Rewrite():
            assert out.meta["flow_hash"] & 0xFF == length + len(wanted) - len(frame)
            check_metadata(out, length)


def configure(bench: Outputs, ports: Sequence[OutputPort]) -> None:
    """Write the ports' records, as the control side does it."""
    for index, port in zip(PORTS, ports, strict=True):
        record = bench.config.outputs[index]
        record["next"] = bench.slots[index] if port.node is not None else DROP
        record["feature_bitmap"], record["shg"] = port.features, port.shg
        write_rewrites(bench.config, index, port.incoming, port.outgoing)
        busy = port.features & ~1 or port.outgoing != Rewrite() or port.node is None
        record["plain"] = not busy


def compare(
    bench: Outputs, ports: Sequence[OutputPort], packets: Sequence[tuple[bytes, int, int]]
) -> list[tuple[str, str | None]]:
    """Every frame (with its port and split-horizon group) leaves as the oracle says; next node and error of each."""
    configure(bench, ports)

    def meta(i: int, record: Any) -> None:
        frame, port, shg = packets[i]
        length = received_length(frame)
        flags = depth_flags(length) | int(record["flags"])
        put(record, **l2_words(length, shg), tx_sw_if=port, adj=-1, flags=flags)

    before = bench.errors().get("l2-output: L2 output packets", 0)
    outs = bench.send([p[0] for p in packets], meta=meta)
    assert bench.errors()["l2-output: L2 output packets"] - before == len(packets)
    told = []
    for out, (frame, port, shg) in zip(outs, packets, strict=True):
        p, length = ports[port - 1], received_length(frame)
        sent = l2_output(frame, length, shg, p, THERE)
        assert (out.next, out.error, out.tx_sw_if) == (sent.next, sent.error, port), frame.hex()
        told.append((out.next, out.error))
        if sent.data is None:
            continue
        assert out.data == sent.data
        if p.outgoing != Rewrite():
            check_metadata(out, length)
        if p.features & ~1:
            assert out.meta["adj"] == p.features
    return told


output_bits = st.one_of(
    st.just(1),
    st.just(1),
    st.just(bits("OUTPUT", "EFP_FILTER", of=OUTPUT)),
    st.lists(st.sampled_from(list(OUTPUT)), max_size=4).map(
        lambda names: bits("OUTPUT", *{*names} - {"OUTPUT"}, of=OUTPUT)
    ),
)


@st.composite
def output_ports(draw: st.DrawFn) -> list[OutputPort]:
    """Three ports, some plain; rewrites as both sides of one operation have them, or of none."""
    made = []
    for k in PORTS:
        pop, push = draw(st.sampled_from([0, 0, 4, 8])), draw(pushes)
        if not draw(st.booleans()):
            pop, push = 0, b""
        back = draw(st.tuples(tag_bytes, tag_bytes)) if pop else (b"", b"")
        outgoing = Rewrite(len(push), b"".join(back)[:pop])
        node = OUTPUT_NODES[k] if draw(st.integers(0, 5)) else None
        shg = draw(st.sampled_from([0, 0, 1, 200]))
        made.append(OutputPort(node, draw(output_bits), shg, Rewrite(pop, push), outgoing))
    return made


@examples(200)
@given(
    ports=output_ports(),
    packets=st.lists(
        st.tuples(received, st.sampled_from(PORTS), st.sampled_from([0, 1, 200])), min_size=1, max_size=16
    ),
)
def test_output(outputs: Outputs, ports: list[OutputPort], packets: list[tuple[bytes, int, int]]) -> None:
    compare(outputs, ports, packets)


def frame(tags: bytes = b"", size: int = 60) -> bytes:
    return HOSTS[0] + HOSTS[1] + tags + b"\x08\0" + bytes(range(size - 14))


PLAIN = [OutputPort(OUTPUT_NODES[k]) for k in PORTS]


def test_plain_ports_mixed_with_busy_ones(outputs: Outputs) -> None:
    """A full vector whose ports change at each step."""
    ports = [PLAIN[0], PLAIN[1]._replace(shg=7), PLAIN[2]._replace(outgoing=Rewrite(0, tag(0x8100, 9)))]
    told = compare(outputs, ports, [(frame(), 1 + k % 3, 7 * (k // 3 % 2)) for k in range(256)])
    assert told.count(("error-drop", "L2 split horizon drops")) == 42


def test_the_split_horizon(outputs: Outputs) -> None:
    """Only within a group; group 0 is none."""
    ports = [PLAIN[0], PLAIN[1]._replace(shg=1), PLAIN[2]._replace(shg=255)]
    packets = [(frame(), port, shg) for port in PORTS for shg in (0, 1, 255)]
    dropped = [error is not None for _, error in compare(outputs, ports, packets)]
    assert dropped == [False] * 3 + [False, True, False] + [False, False, True]


def test_the_reason_is_the_one_that_vpp_gives(outputs: Outputs) -> None:
    """Too few tags, then the wrong tags, then the split horizon: the last one counts."""
    efp = bits("OUTPUT", "EFP_FILTER", of=OUTPUT)
    port = OutputPort(OUTPUT_NODES[1], efp, 0, Rewrite(0, tag(0x8100, 5)), Rewrite(4, b""))
    mine, other = frame(tag(0x8100, 0xE005)), frame(tag(0x8100, 6))
    packets = [(mine, 1, 0), (other, 1, 0), (frame(), 1, 0)]
    assert [e for _, e in compare(outputs, [port, *PLAIN[1:]], packets)] == [
        None,
        "L2 EFP filter pre-rewrite drops",
        "L2 EFP filter pre-rewrite drops",
    ]
    no_filter = port._replace(features=1)
    assert compare(outputs, [no_filter, *PLAIN[1:]], packets)[2][1] == "L2 output tag rewrite drops"
    grouped = port._replace(shg=3)
    assert {e for _, e in compare(outputs, [grouped, *PLAIN[1:]], [(p, 1, 3) for p, _, _ in packets])} == {
        "L2 split horizon drops"
    }


def test_an_interface_in_l3_mode_sends_nothing(outputs: Outputs) -> None:
    ports = [PLAIN[0]._replace(node=None), *PLAIN[1:]]
    assert compare(outputs, ports, [(frame(), 1, 0)]) == [("error-drop", "L2 Output interface not valid")]


def test_what_scapy_sees(inputs: L2Bench) -> None:
    """Each operation on a frame with a tag of each kind."""
    inner = tag(0x8100, 7)
    given_frame = frame(tag(0x88A8, 100) + inner)
    results = []
    for how in (
        Rewrite(0, tag(0x8100, 5)),
        Rewrite(4, b""),
        Rewrite(8, b""),
        Rewrite(4, tag(0x8100, 5)),
        Rewrite(8, tag(0x88A8, 5) + tag(0x8100, 6)),
    ):
        write_rewrites(inputs.config, 1, how, Rewrite())

        def meta(i: int, record: Any) -> None:
            put(record, **l2_words(22), adj=bits("VTR", "FWD"), flags=VLAN_2_DEEP)

        (out,) = inputs.send([given_frame], rx=1, meta=meta)
        seen = Ether(out.data)
        layers = []
        while seen:
            if isinstance(seen, Dot1Q):
                layers.append((seen.__class__, seen.vlan, seen.type))
            seen = seen.payload
        results.append(layers)
    assert results == [
        [(Dot1Q, 5, 0x88A8), (Dot1AD, 100, 0x8100), (Dot1Q, 7, 0x800)],
        [(Dot1Q, 7, 0x800)],
        [],
        [(Dot1Q, 5, 0x8100), (Dot1Q, 7, 0x800)],
        [(Dot1AD, 5, 0x8100), (Dot1Q, 6, 0x800)],
    ]


def test_no_room_in_front(inputs: L2Bench) -> None:
    """After so many tags were put on that the headroom is full the next ones are refused."""
    write_rewrites(inputs.config, 1, Rewrite(0, tag(0x8100, 1) + tag(0x8100, 2)), Rewrite())
    data = frame()
    for k in range(17):

        def meta(i: int, record: Any, k: int = k) -> None:
            put(record, **l2_words(14), adj=bits("VTR", "FWD"), l2_offset=-8 * k, current_data=-8 * k)
            record["current_length"] += 8 * k

        (out,) = inputs.send([data], rx=1, meta=meta)
        assert (out.error is None) == (k < 16)
        if k < 16:
            assert out.meta["current_data"] == -8 * (k + 1) and len(out.data) == len(data) + 8 * (k + 1)


def test_features_that_exist() -> None:
    """The names and numbers are VPP's."""
    from vectorplane.graph_nodes.l2.features import INPUT_FEATURES, OUTPUT_FEATURES

    assert dict(INPUT_FEATURES) == INPUT and dict(OUTPUT_FEATURES) == OUTPUT
    assert [n for n, _ in INPUT_FEATURES] == list(INPUT) and [n for n, _ in OUTPUT_FEATURES] == list(OUTPUT)
