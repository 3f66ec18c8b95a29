"""l2-input-acl and l2-output-acl against the oracle: any rules, any frames."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.budget import examples
from tests.graph_nodes.l2.bench import L2Bench, l2_words, put
from tests.naive import macip as naive
from vectorplane.backends.engine.acl.macip_rule import MacipRule
from vectorplane.graph_nodes.acl.macip import L2_INPUT_ACL, L2_OUTPUT_ACL, MacipLists
from vectorplane.graph_nodes.acl.macip_table import MacipTable
from vectorplane.graph_nodes.l2.features import ACL, FWD, OUT_ACL, OUT_OUTPUT

PORT = 1
MACS = [bytes.fromhex(m) for m in ("020000000001", "020000000002", "0200000100ff", "aa0000000001")]
MASKS = [bytes.fromhex(m) for m in ("ffffffffffff", "ffff00000000", "000000000000", "ffffffffff00")]
IPS = [0x0A000001, 0x0A000002, 0x0A000101, 0xC0000201]
IPS6 = [0x20010DB8 << 96 | n for n in (1, 2, 1 << 70)]


@st.composite
def rules(draw: st.DrawFn) -> MacipRule:
    """From few addresses."""
    ip6 = draw(st.booleans())
    length = draw(st.sampled_from([0, 32, 64, 66, 128] if ip6 else [0, 8, 24, 31, 32]))
    return MacipRule(
        draw(st.sampled_from([0, 1, 1, 3])),
        ip6,
        draw(st.sampled_from(MACS)),
        draw(st.sampled_from(MASKS)),
        draw(st.sampled_from(IPS6 if ip6 else IPS)),
        length,
    )


@st.composite
def frames(draw: st.DrawFn) -> bytes:
    """IPv4, IPv6, ARP and others, with up to two tags, now and then cut."""
    ends = draw(st.sampled_from(MACS)) + draw(st.sampled_from(MACS))
    tags = draw(st.sampled_from(["", "", "81000005", "88a8000581000007", "8100000581000007", "88a80005"]))
    kind = draw(st.integers(0, 3))
    if kind == 0:
        l3 = b"\x08\x00\x45" + bytes(11) + struct.pack(">II", *(draw(st.sampled_from(IPS)) for _ in range(2)))
    elif kind == 1:
        l3 = b"\x86\xdd\x60" + bytes(7) + b"".join(draw(st.sampled_from(IPS6)).to_bytes(16, "big") for _ in range(2))
    elif kind == 2:
        sender = draw(st.sampled_from([ends[6:], draw(st.sampled_from(MACS))]))
        l3 = b"\x08\x06\x00\x01\x08\x00\x06\x04\x00\x01" + sender + draw(st.sampled_from(IPS)).to_bytes(4, "big")
        l3 += bytes(10)
    else:
        l3 = b"\x88\xcc" + bytes(30)
    frame = ends + bytes.fromhex(tags) + l3
    return frame[: draw(st.sampled_from([len(frame)] * 5 + [len(frame) - 1, 22, 14]))]


class MacipBench(L2Bench):
    """One of the nodes, with a list."""

    def __init__(self, output: bool) -> None:
        super().__init__(L2_OUTPUT_ACL if output else L2_INPUT_ACL)
        self.output = output
        self.tables: list[MacipTable] = []

    def check(self, rules: Sequence[MacipRule], sent: Sequence[bytes]) -> None:
        """Each frame goes where the oracle says."""
        table = MacipTable(rules)
        self.tables.append(table)
        on = not table.is_empty and (table.checks_output or not self.output)
        self.plane.shared(MacipLists).lists[int(not self.output), PORT] = table.address if on else 0

        def meta(_: int, m: Any) -> None:
            bits = OUT_ACL | OUT_OUTPUT if self.output else ACL | FWD
            put(m, adj=bits, tx_sw_if=PORT if self.output else -1, **l2_words())

        way = "output" if self.output else "input"
        outs = self.send(sent, meta=meta, rx=PORT)
        for out, frame in zip(outs, sent, strict=True):
            wanted = naive.decide(rules, frame, self.output)
            if wanted == naive.PERMIT:
                assert out.next == ("interface-output" if self.output else "l2-fwd"), frame.hex()
            else:
                assert (out.next, out.error) == ("error-drop", f"{way} ACL {wanted} drops"), frame.hex()


@pytest.fixture(scope="module", params=[False, True], ids=["input", "output"])
def bench(request: pytest.FixtureRequest) -> Iterator[MacipBench]:
    made = MacipBench(request.param)
    yield made
    assert made.leaked() == 0
    made.close()


@examples(150)
@given(some=st.lists(rules(), max_size=8), sent=st.lists(frames(), min_size=1, max_size=20))
def test_any_rules(bench: MacipBench, some: list[MacipRule], sent: list[bytes]) -> None:
    bench.check(some, sent)
