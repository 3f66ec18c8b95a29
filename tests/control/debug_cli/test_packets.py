"""The packet generator, traces and captures by command, with packets."""

from __future__ import annotations

from pathlib import Path

import pytest
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether
from scapy.utils import rdpcap, wrpcap

from tests.control.debug_cli.conftest import failure
from vectorplane.backends.engine.engine import Engine
from vectorplane.control.debug_cli.cli import DebugCli
from vectorplane.control.pcap_trace import NODE

SECOND = 1_000_000_000


@pytest.fixture
def stream(cli: DebugCli, tmp_path: Path) -> str:
    """A stream of three packets from pg0 to a neighbour on pg1 exists; gives its name."""
    mac = cli.engine.interfaces["pg0"].mac.hex(":")
    packets = [
        Ether(dst=mac, src="02:00:00:00:00:09") / IP(src="10.0.0.2", dst="10.0.1.2", id=i) / UDP(sport=7, dport=i)
        for i in range(3)
    ]
    wrpcap(str(tmp_path / "in.pcap"), packets)
    cli.run(f"packet-generator new pcap {tmp_path}/in.pcap source pg0 name s maxframe 2")
    return "s"


def go(cli: DebugCli) -> None:
    """Let a second pass."""
    cli.engine.run_until(cli.engine.now + SECOND)


def test_a_stream(cli: DebugCli, stream: str, tmp_path: Path) -> None:
    row = cli.run("show packet-generator").splitlines()[1]
    assert row == (
        "s                    No             0       limit 3, rate 0.00e0 pps, size 42-42, buffer-size 2048, worker 0, "
    )
    cli.run(f"packet-generator capture pg1 pcap {tmp_path}/out.pcap\npacket-generator enable")
    assert "Yes" in cli.run("show packet-generator")
    go(cli)
    assert "Yes" not in cli.run("show packet-generator")
    assert [int(p[UDP].dport) for p in rdpcap(str(tmp_path / "out.pcap"))] == [0, 1, 2]
    assert failure(cli, f"packet-generator capture pg1 pcap {tmp_path}/out.pcap").endswith("already exists.\n")
    cli.run(f"packet-generator capture pg1 pcap {tmp_path}/out.pcap disable")
    cli.run("packet-generator configure s limit 7\npacket-generator enable-stream s")
    go(cli)
    assert cli.run("show packet-generator").splitlines()[1].split()[:5] == ["s", "No", "7", "limit", "7,"]
    cli.run("packet-generator enable\npacket-generator disable s\npacket-generator delete s")
    assert cli.run("show packet-generator") == "no streams currently defined\n"


def test_a_capture_of_so_many(cli: DebugCli, stream: str, tmp_path: Path) -> None:
    cli.run(f"packet-generator capture pg1 pcap {tmp_path}/out.pcap count 2\npacket-generator enable")
    go(cli)
    cli.run(f"packet-generator capture pg1 pcap {tmp_path}/out.pcap disable")
    assert len(rdpcap(str(tmp_path / "out.pcap"))) == 2


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("new name x source pg0", "new: no packet data given"),
        ("new name x pcap /nowhere.pcap", "new: output interface or node not given"),
        ("new name x pcap /nowhere.pcap source pg0", "new: /nowhere.pcap: "),
        ("new name x pcap /nowhere.pcap source eth0", "new: unknown input `eth0'"),
        ("new name x pcap f interface pg9", "new: unknown interface `pg9'"),
        ("new { name x data { hex 0x00 } }", "new: data: streams are made of capture files"),
        ("new limit x", "new: expected limit, got `x'"),
        ("delete x", "delete: expected stream name `x'"),
        ("enable x", "enable-stream: unknown input `x'"),
        ("configure x", "configure: expecting stream name; got `x'"),
        ("capture pcap f", "capture: Please specify interface name"),
        ("capture local0 pcap f", "capture: Please specify packet-generator interface"),
        ("capture pg0", "capture: Please specify pcap file name"),
        ("capture pg9 pcap f", "capture: unknown input `pg9 pcap f'"),
    ],
)
def test_streams_that_cannot_be(cli: DebugCli, line: str, message: str) -> None:
    assert failure(cli, f"packet-generator {line}").startswith(f"packet-generator {message}")


def test_packet_generator_interfaces(bare: DebugCli) -> None:
    bare.run(
        "create packet-generator interface pg5 mode ip4\ncreate packet-generator interface pg6 csum-offload-enabled"
    )
    assert "  mode: ip4\n" in bare.run("show packet-generator interface pg5")
    assert "  csum_offload_enabled: 1\n" in bare.run("show packet-generator interface sw_if_index 2")
    assert failure(bare, "show packet-generator interface local0").endswith("not a pg interface\n")
    bare.run("delete packet-generator interface pg5")
    assert "pg5" not in bare.engine.plane.interfaces.by_name
    assert failure(bare, "delete packet-generator interface local0").endswith("not a pg interface\n")
    assert failure(bare, "create packet-generator interface eth0").endswith("unknown input `eth0'\n")


def test_traces(cli: DebugCli, stream: str) -> None:
    cli.run("trace add pg-input 2\npacket-generator enable")
    go(cli)
    text = cli.run("show trace")
    assert text.count("\nPacket ") == 2
    assert "Limiting display to 1 packets" in cli.run("show trace max 1")
    cli.run("clear trace")
    assert "No packets in trace buffer\n" in cli.run("show trace")
    assert failure(cli, "trace add ip4-lookup 5").startswith("trace add: node 'ip4-lookup' doesn't support per-node")
    assert failure(cli, "trace add nothing 5") == "trace add: expected NODE COUNT, got `nothing 5'\n"
    assert failure(cli, "trace add pg-input") == "trace add: expected NODE COUNT, got `pg-input'\n"
    assert failure(cli, "show trace 5") == "show trace: expected 'max COUNT', got `5'\n"


def test_counters_and_their_clearing(cli: DebugCli, stream: str) -> None:
    cli.run("packet-generator enable\nset interface state pg1 down")
    go(cli)
    assert "rx packets                     3\n" in cli.run("show interface pg0")
    errors = cli.run("show errors").splitlines()[1:]
    assert [e.split()[0] for e in errors] == ["3"]
    assert "pg-input" in cli.run("show runtime")
    cli.run("clear interfaces\nclear errors\nclear runtime")
    assert "rx packets" not in cli.run("show interface")
    assert len(cli.run("show errors").splitlines()) == 1
    assert "pg-input" not in cli.run("show runtime")


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Where `pcap trace` writes."""
    monkeypatch.setattr("vectorplane.control.debug_cli.pcap_trace._FOLDER", str(tmp_path))
    return tmp_path


def test_pcap_trace_of_both_directions(cli: DebugCli, stream: str, folder: Path) -> None:
    cli.run("pcap trace rx tx max 100 file both.pcap")
    assert cli.run("pcap trace status").startswith("pcap rx tx dispatch capture enabled: 0 of 100 pkts...\n")
    cli.run("packet-generator enable")
    go(cli)
    assert cli.run("pcap trace off") == f"Write 6 packets to {folder}/both.pcap, and stop capture...\n"
    packets = rdpcap(str(folder / "both.pcap"))
    assert sorted((int(p[UDP].dport), int(p[IP].ttl)) for p in packets) == [(i, t) for i in range(3) for t in (63, 64)]
    cli.run("packet-generator enable")
    go(cli)
    calls = cli.engine.plane.node_stats["vectors"]
    spliced = [n for n in cli.engine.plane.graph if n.type.name == NODE]
    assert sum(int(calls.total(n.index)) for n in spliced) == 6, "nothing passes there when it is off"
    assert cli.run("pcap trace status") == "pcap dispatch capture disabled\n"


def test_pcap_trace_of_one_interface(cli: DebugCli, stream: str, folder: Path) -> None:
    cli.run("pcap trace tx intfc pg0 file a.pcap\npacket-generator enable")
    go(cli)
    assert failure(cli, "pcap trace rx") == "pcap trace: dispatch trace already enabled...\n"
    assert failure(cli, "pcap trace off") == "pcap trace: No packets captured...\n"
    assert not (folder / "a.pcap").exists()
    cli.run("pcap trace rx interface pg0 max 2 max-bytes-per-pkt 32\npacket-generator enable")
    go(cli)
    assert cli.run("pcap trace off") == f"Write 2 packets to {folder}/rx.pcap, and stop capture...\n"
    assert [(len(p), p.wirelen) for p in rdpcap(str(folder / "rx.pcap"))] == [(32, 42)] * 2


def test_pcap_trace_of_a_new_interface(cli: DebugCli, stream: str, folder: Path) -> None:
    cli.run("pcap trace tx intfc any\ncreate packet-generator interface pg7\nset interface state pg7 up")
    cli.run("set interface ip address pg7 10.7.0.1/24\nset ip neighbor pg7 10.7.0.2 02:00:00:00:00:07")
    cli.run("ip route add 10.0.1.2/32 via 10.7.0.2 pg7\npacket-generator enable")
    go(cli)
    assert "Write 3 packets" in cli.run("pcap trace off")


def test_pcap_trace_that_cannot_be(cli: DebugCli, folder: Path) -> None:
    assert failure(cli, "pcap trace off") == "pcap trace: dispatch trace already disabled...\n"
    assert failure(cli, "pcap trace rx file ../x") == "pcap trace: illegal characters in filename '../x'\n"
    assert failure(cli, "pcap trace rx max-bytes-per-pkt 8") == (
        "pcap trace: Max bytes per pkt must be > 32, < 9000...\n"
    )
    assert failure(cli, "pcap trace rx max 0").startswith("pcap trace: the number of packets must be within 1 to ")
    assert failure(cli, "pcap trace drop") == "pcap trace: capturing by drop is not available\n"
    assert failure(cli, "pcap trace rx intfc pg9") == "pcap trace: unknown input `pg9'\n"
    assert cli.pcap_trace.settings is None


def test_two_engines_do_not_share_anything() -> None:
    first, second = Engine(), Engine()
    try:
        a, b = DebugCli(first), DebugCli(second)
        a.run("create loopback interface\npcap trace rx")
        assert "loop0" not in b.run("show interface")
        assert b.run("pcap trace status") == "pcap dispatch capture disabled\n"
    finally:
        first.close()
        second.close()
