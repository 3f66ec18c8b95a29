"""What is read from the debug CLI, as VPP 26.10 prints it."""

from __future__ import annotations

from vectorplane.backends.report import Report
from vectorplane.backends.vpp.runtime import ErrorCount, node_rows, read_errors
from vectorplane.backends.vpp.vpp_report import CONSUMED, UNCOUNTED, Reading, difference

RUNTIME = """\
Thread 0 vpp_main (lcore 0)
Time 29.9, 10.000000 sec internal node vector rate 0.00 loops/sec 4947.38
  vector rates in 0.0000e0, out 3.3518e-2, drop 0.0000e0, punt 0.0000e0
             Name                 State         Calls          Vectors        Suspends      Packet-Clocks   Vectors/Call
api-rx-from-ring                "running"                0               0             135          7.03e5            0.00
bfd-process                   "event wait"               0               0               1          7.32e3            0.00
startup-config-process        "not started               1               0               1          3.70e4            0.00
ip4-lookup                       active                  2              20               0          1.00e2           10.00
pg2-output                       active                  1               1               0          1.16e7            1.00
---------------
Thread 1 vpp_wk_0 (lcore 1)
             Name                 State         Calls          Vectors        Suspends      Packet-Clocks   Vectors/Call
ip4-lookup                       active                  1              60               0          6.00e1           60.00
"""  # noqa: E501
ERRORS = """\
   Count                  Node                              Reason               Severity 
      6411             null-node                      blackholed packets           error  
         3             ip4-local                     unknown ip protocol           error  
         2             arp-reply                       ARP replies sent             info  
         4             ip4-local                     unknown ip protocol           error  
"""  # noqa: W291


def test_runtime() -> None:
    assert node_rows(RUNTIME) == [
        {"name": "ip4-lookup", "calls": 3, "vectors": 80, "clocks_per_packet": 70.0},
        {"name": "pg2-output", "calls": 1, "vectors": 1, "clocks_per_packet": 11600000.0},
    ]
    assert node_rows("") == []


def test_errors() -> None:
    assert read_errors(ERRORS) == [
        ErrorCount("null-node: blackholed packets", 6411, True),
        ErrorCount("ip4-local: unknown ip protocol", 7, True),
        ErrorCount("arp-reply: ARP replies sent", 2, False),
    ]


def _reading(rx: int, tx: int, errors: dict[str, int], dropped: int) -> Reading:
    row = {"name": "a", "rx_packets": rx, "rx_bytes": 10 * rx, "tx_packets": tx, "tx_bytes": 10 * tx, "drops": 0}
    node = {"name": "error-drop", "calls": dropped, "vectors": dropped, "clocks_per_packet": 5.0}
    return Reading({"a": row, "sub": row}, errors, {"error-drop": node} if dropped else {})


def _made(before: Reading, after: Reading) -> Report:
    made = difference(before, after, {"a"}, 0.5)
    assert made.missing == 0 and made.seconds == 0.5
    return made


def test_what_vpp_does_not_count_is_left_open_honestly() -> None:
    before = _reading(5, 1, {"n: x": 2}, 2)
    made = _made(before, _reading(105, 81, {"n: x": 7, "n: y": 3}, 12))
    assert (made.packets_in, made.bytes_in, made.packets_out, made.generated) == (100, 1000, 80, 0)
    assert made.drops == {"n: x": 5, "n: y": 3, UNCOUNTED: 2} and made.consumed == {CONSUMED: 10}
    assert made.nodes == [{"name": "error-drop", "calls": 10, "vectors": 10, "clocks_per_packet": 5.0}]
    assert [row["name"] for row in made.interfaces] == ["a", "sub"]
    made = _made(before, _reading(105, 106, {"n: x": 2}, 2))
    assert made.generated == 5 and made.drops == made.consumed == {}
