"""ip4-options: what goes to the local stack, and that everything else is punted as it came."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.budget import examples
from tests.harness import Bench, run_node
from tests.naive.ip4_packet import Ip4
from vectorplane.graph_nodes.ip4_options import IP4_OPTIONS


def expected(packet: bytes) -> str:
    """Oracle: router alert of 4 bytes first, and IGMP."""
    if len(packet) >= 24 and packet[20] & 0x7F == 20 and packet[21] == 4 and packet[9] == 2:
        return "ip4-local"
    return "ip4-punt"


OPTIONS = st.sampled_from(
    [b"\x94\x04\0\0", b"\x14\x04\0\0", b"\x94\x05\0\0", b"\x07\x04\x04\0", b"\x94\x04\0\0\x01\x01\x01\0"]
)
PACKETS = st.one_of(
    st.builds(lambda o, p: bytes(Ip4(options=o, protocol=p, payload=b"x" * 8)), OPTIONS, st.sampled_from([2, 17, 6])),
    st.binary(max_size=64),
)


@examples(20)
@given(st.lists(PACKETS, min_size=1, max_size=40))
def test_agrees_with_oracle(packets: list[bytes]) -> None:
    outs = run_node(IP4_OPTIONS, packets)
    assert {o.index: (o.next, o.data) for o in outs} == {i: (expected(p), p) for i, p in enumerate(packets)}


def test_igmp_gets_the_table_of_its_interface() -> None:
    def setup(bench: Bench) -> None:
        bench.plane.interfaces.records[2]["ip4_table"] = 7

    (out,) = run_node(IP4_OPTIONS, [bytes(Ip4(options=b"\x94\x04\0\0", protocol=2))], rx=2, setup=setup)
    assert out.next == "ip4-local" and out.meta["fib_index"] == 7
