"""Interface output: counters of the interface and its sub-interfaces, interfaces that are down or gone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.harness import Bench
from tests.naive.ip4_packet import Ip4, checksum
from vectorplane.dataplane.buffer import GSO, OFFLOAD_IP_CHECKSUM, OFFLOAD_L4_CHECKSUM
from vectorplane.dataplane.interface import ADMIN_UP, CHECKSUM_OFFLOAD, LINK_UP, SUB_INTERFACE
from vectorplane.graph_nodes.interface_output import INTERFACE_OUTPUT, OUTPUT, OUTPUT_ARC, OutputSlots


@pytest.fixture
def port() -> Iterator[Bench]:
    """``pg1-output`` with a collecting ``pg1-tx``; sub-interface 4 of pg1 (2)."""
    made = Bench(INTERFACE_OUTPUT, types=(OUTPUT,), arcs=(OUTPUT_ARC,))
    made.add_stub("tx")
    output = made.plane.graph.add("pg1-output", "interface-output-template")
    assert made.plane.graph.add_next(output, "pg1-tx", "tx") == 1
    assert made.plane.add_interface("pg1.100") == 4
    record = made.plane.interfaces.records[4]
    record["sup"], record["flags"] = 2, ADMIN_UP | LINK_UP | SUB_INTERFACE
    slots = made.plane.shared(OutputSlots)
    for index in (2, 4):
        slots.set(index, "pg1-output")
    yield made
    assert made.leaked() == 0
    made.close()


def send(port: Bench, interfaces: list[int], sizes: list[int] | None = None) -> list[tuple[int, str, str | None]]:
    """Packets to these interfaces; where each went and why."""
    sizes = sizes or [60] * len(interfaces)
    outs = port.run([bytes(s) for s in sizes], meta=lambda i, m: m.__setitem__("tx_sw_if", interfaces[i]))
    return [(o.index, o.next, o.error) for o in sorted(outs, key=lambda o: o.index)]


def tx(port: Bench, index: int) -> list[int]:
    """Packets and bytes sent."""
    found: list[int] = port.plane.if_stats["tx"].total(index).tolist()
    return found


def test_counted_and_sent(port: Bench) -> None:
    found = send(port, [2, 4, 2, 4, 4], [60, 100, 1500, 0, 5000])
    assert found == [(i, "pg1-tx", None) for i in range(5)]
    assert tx(port, 4) == [3, 5100], "the sub-interface's own, chains in full"
    assert tx(port, 2) == [5, 6660], "the interface counts them all"


@pytest.mark.parametrize("sub", [False, True])
@pytest.mark.parametrize("flags", [0, ADMIN_UP, LINK_UP])
def test_down(port: Bench, flags: int, sub: bool) -> None:
    """The interface needs link and administrative state; a sub-interface needs its own administrative state too."""
    if sub:
        port.plane.interfaces.records[4]["flags"] = SUB_INTERFACE | flags
        up = bool(flags & ADMIN_UP)
        expected = [(0, "pg1-tx", None), (1, "pg1-tx" if up else "error-drop", None if up else "interface is down")]
    else:
        port.plane.interfaces.records[2]["flags"] = flags
        expected = [(i, "error-drop", "interface is down") for i in range(2)]
    assert send(port, [2, 4]) == expected
    sent = sum(n == "pg1-tx" for _, n, _ in expected)
    assert tx(port, 2) == [sent, 60 * sent]


def test_deleted_and_undecided(port: Bench) -> None:
    """No output node, or no interface was ever chosen: dropped with a reason."""
    gone = "interface is deleted"
    assert send(port, [3, -1, 2]) == [(0, "error-drop", gone), (1, "error-drop", gone), (2, "pg1-tx", None)]
    port.plane.shared(OutputSlots).set(2, None)
    assert send(port, [2, 4]) == [(0, "error-drop", gone), (1, "pg1-tx", None)]


def test_checksums_that_the_device_cannot_fill_in(port: Bench) -> None:
    """Filled in here, but not in what a card shall cut, nor where the card can do it itself."""
    good = bytes(14) + bytes(Ip4(protocol=17, payload=udp(b"x" * 21)))
    bad = good[:24] + bytes(2) + good[26:40] + bytes(2) + good[42:]
    offload = OFFLOAD_IP_CHECKSUM | OFFLOAD_L4_CHECKSUM

    def sent(flags: int) -> bytes:
        def meta(i: int, m: object) -> None:
            m["tx_sw_if"], m["l3_offset"] = 2, 14  # type: ignore[index]
            m["flags"] |= flags  # type: ignore[index]

        (out,) = port.run([bad], meta=meta)
        assert out.next == "pg1-tx"
        return out.data

    assert sent(0) == bad and sent(offload | GSO) == bad
    assert sent(offload) == good
    assert sent(OFFLOAD_IP_CHECKSUM) == good[:40] + bytes(2) + good[42:]
    port.plane.interfaces.records[2]["flags"] |= CHECKSUM_OFFLOAD
    assert sent(offload) == bad


def udp(payload: bytes) -> bytes:
    """A UDP header between the addresses of `Ip4` with the right checksum."""
    head = bytes.fromhex("04d204d2") + (8 + len(payload)).to_bytes(2, "big")
    pseudo = bytes.fromhex("0a0000020a000001") + b"\0\x11" + head[4:6]
    return head + checksum(pseudo + head + payload).to_bytes(2, "big") + payload
