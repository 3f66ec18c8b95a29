"""llc-input and what follows it: by SAP, by OUI, by Ethernet type."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.budget import examples
from tests.harness import run_node
from vectorplane.graph_nodes.llc_input import ETHERNET_INPUT_TYPE, LLC_INPUT, OSI_INPUT, SNAP_INPUT

SAPS = st.sampled_from([0x42, 0xAA, 0xFE, 0x14, 0xE0, 0])
FRAMES = st.one_of(
    st.builds(lambda s, c, b: bytes((s, s, c)) + b, SAPS, st.sampled_from([3, 0, 1, 0xAF]), st.binary(max_size=12)),
    st.binary(max_size=12),
)


def llc(data: bytes) -> tuple[str, str, bytes]:
    """Oracle: next node, error, what is left."""
    header = 3 if len(data) >= 3 and data[2] & 3 == 3 else 4
    if len(data) < header:
        return "error-drop", "unknown llc ssap/dsap", data
    nodes = {0xAA: "snap-input"} | dict.fromkeys((0x14, 0x20, 0x34, 0x54, 0xFE), "osi-input")
    following = nodes.get(data[0], "error-drop")
    return following, "unknown llc ssap/dsap" if following == "error-drop" else "no error", data[header:]


@examples(20)
@given(st.lists(FRAMES, min_size=1, max_size=30))
def test_llc(frames: list[bytes]) -> None:
    outs = run_node(LLC_INPUT, frames)
    assert {o.index: (o.next, o.error or "no error", o.data) for o in outs} == {i: llc(f) for i, f in enumerate(frames)}


@examples(20)
@given(st.lists(st.one_of(st.binary(max_size=8), st.binary(max_size=8).map(lambda b: bytes(3) + b)), min_size=1))
def test_snap(frames: list[bytes]) -> None:
    for o in run_node(SNAP_INPUT, frames):
        f = frames[o.index]
        if len(f) >= 5 and f[:3] == bytes(3):
            assert (o.next, o.data) == ("ethernet-input-type", f[3:])
        else:
            assert (o.next, o.error, o.data) == ("error-drop", "unknown oui/snap protocol", f)


def test_types_and_osi() -> None:
    frames = [b"\x08\x00abc", b"\x08\x06", b"\x86\xddx", b"\x08", b""]
    outs = {o.index: o for o in run_node(ETHERNET_INPUT_TYPE, frames)}
    assert [outs[i].next for i in range(5)] == ["ip4-input", "arp-input", "error-punt", "error-punt", "error-punt"]
    assert outs[0].data == b"abc" and outs[2].error == "unknown ethernet type"
    (out,) = run_node(OSI_INPUT, [b"\x83"])
    assert (out.next, out.error) == ("error-drop", "unknown osi protocol")
