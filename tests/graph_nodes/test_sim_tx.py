"""sim-tx: staging in order of time, checksum offload, and what happens when there is no room."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.l2 import Ether

from tests.harness import Bench
from vectorplane.dataplane.buffer import OFFLOAD_IP_CHECKSUM, OFFLOAD_L4_CHECKSUM
from vectorplane.graph_nodes.sim_tx import SIM_TX, STAGE_BYTES, TxStage

BOTH = OFFLOAD_IP_CHECKSUM | OFFLOAD_L4_CHECKSUM


class Port:
    """A sim-tx node with its stage."""

    def __init__(self, offload: bool = True) -> None:
        self.bench = Bench(SIM_TX, setup=self._attach(offload))

    def _attach(self, offload: bool) -> Any:
        def attach(bench: Bench) -> None:
            self.stage = TxStage(bench.node, 1, offload)

        return attach

    def send(self, packets: list[bytes], flags: int = 0, l3: int = 14, times: list[int] | None = None) -> None:
        def meta(i: int, m: Any) -> None:
            m["flags"] = int(m["flags"]) | flags
            m["l3_offset"], m["tx_sw_if"] = l3, 1

        self.bench.run(packets, meta=meta, times=times)

    def sent(self, until: int = 1 << 60) -> list[bytes]:
        data = self.stage._data
        taken = self.stage.take(until)
        made = [bytes(data.bytes[int(k["address"]) - data.address :][: int(k["size"])]) for k in taken]
        self.stage.release()
        return made


@pytest.mark.parametrize("size", [0, 1, 18, 1000, 1981, 1982, 1983, 4001, 8999])
@pytest.mark.parametrize("layer", [UDP(sport=5, dport=6), TCP(sport=5, dport=6), ICMP()])
def test_checksums_are_filled_in(size: int, layer: Any) -> None:
    """Also over chains, whose parts need not be even."""
    packet = Ether() / IP(src="10.0.0.1", dst="10.0.0.2") / layer / bytes(np.arange(size, dtype=np.uint8))
    right = bytes(packet)
    blank = packet.copy()
    blank[IP].chksum = 0
    blank[type(layer)].chksum = 0x1234
    port = Port()
    port.send([bytes(blank)], BOTH)
    port.send([right], OFFLOAD_L4_CHECKSUM)
    port.send([bytes(blank)])
    assert port.sent() == [right, right, bytes(blank)]


def test_a_udp_checksum_of_zero_becomes_all_ones() -> None:
    headers = Ether() / IP(src="10.0.0.1", dst="10.0.0.2") / UDP(sport=1, dport=2)
    with_zeros = bytes(headers / b"\0\0")
    # with its own checksum as the payload the sum is 0xffff, and its complement 0
    frame = with_zeros[:-2] + with_zeros[40:42]
    port = Port()
    port.send([frame], OFFLOAD_L4_CHECKSUM)
    assert Ether(port.sent()[0])[UDP].chksum == 0xFFFF


def test_what_cannot_be_offloaded_is_dropped() -> None:
    frame = bytes(Ether() / IP(src="10.0.0.1", dst="10.0.0.2") / UDP() / b"xx")
    port = Port(offload=False)
    port.send([frame], OFFLOAD_IP_CHECKSUM)
    port.send([frame])
    assert port.sent() == [frame]
    assert port.bench.errors() == {"sim-tx: checksum offload not possible": 1}
    assert int(port.bench.plane.if_stats["tx-error"].total(1)) == 1
    port = Port()
    port.send([frame[:30], frame[:14] + b"\x41" + frame[15:], frame], BOTH)
    port.send([frame], BOTH, l3=1000)
    assert port.sent() == [frame]
    assert port.bench.errors() == {"sim-tx: checksum offload not possible": 3}
    assert port.bench.leaked() == 0


def test_in_order_of_time_up_to_a_time() -> None:
    port = Port()
    frames = [bytes([i]) * 60 for i in range(6)]
    port.send(frames, times=[30, 10, 50, 10, 40, 20])
    assert len(port.stage) == 6
    assert port.sent(30) == [frames[1], frames[3], frames[5], frames[0]]
    assert len(port.stage) == 2 and port.sent(5) == []
    port.send([b"\xaa" * 60], times=[45])
    assert port.sent() == [frames[4], b"\xaa" * 60, frames[2]]
    assert int(port.bench.node.data["used"][0]) == 0


def test_a_full_stage_and_one_that_is_compacted() -> None:
    port = Port()
    record = port.bench.node.data[0]
    port.send([b"\x01" * 60, b"\x02" * 60, b"\x03" * 60], times=[1, 9, 9])
    record["used"] = STAGE_BYTES - 70
    port.send([b"\x04" * 60, b"\x05" * 60], times=[10, 11])
    assert port.bench.errors() == {"sim-tx: no free tx slots": 1}
    assert port.sent(1) == [b"\x01" * 60]
    assert int(record["used"]) == 180
    assert port.sent() == [b"\x02" * 60, b"\x03" * 60, b"\x04" * 60]
    assert port.bench.leaked() == 0
