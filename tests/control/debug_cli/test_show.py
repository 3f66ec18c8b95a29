"""What `show` prints, and every line that VPP's test suite and the recorded scenarios send."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.control.debug_cli.conftest import failure
from vectorplane.backends.engine.engine import Engine
from vectorplane.control.debug_cli.cli import DebugCli
from vectorplane.control.debug_cli.commands import commands
from vectorplane.control.debug_cli.errors import CliError
from vectorplane.control.debug_cli.tree import Command

FIB = """\
ipv4-VRF:0, fib_index:0, flow hash:[src dst sport dport proto flowlabel ] epoch:0 flags:none \
locks:[adjacency:1, default-route:1, ]
10.0.1.2/32 fib:0 index:N locks:2
  adjacency refs:1 entry-flags:attached, src-flags:added,contributing,active,
    path-list:[N] locks:2 uPRF-list:N len:1 itfs:[2, ]
      path:[0] pl-index:N ip4 weight=1 pref=0 attached-nexthop:  oper-flags:resolved,
        10.0.1.2 pg1
      [@0]: ipv4 via 10.0.1.2 pg1: mtu:9000 next:N flags:[] 0200000000020200000011010800

 forwarding:   unicast-ip4-chain
  [@0]: dpo-load-balance: [proto:ip4 index:N buckets:1 uRPF:N to:[0:0]]
    [0] [@4]: ipv4 via 10.0.1.2 pg1: mtu:9000 next:N flags:[] 0200000000020200000011010800
"""


def test_fib_entry(cli: DebugCli) -> None:
    text = cli.run("show ip fib 10.0.1.2")
    text = re.sub(r"(\bindex|uRPF|uPRF-list|next):\d+(?= )", r"\1:N", text)
    assert text.replace("path-list:[5]", "path-list:[N]") == FIB


def test_fib_objects(cli: DebugCli) -> None:
    cli.run("ip table 5\nip route add 20.0.0.0/8 via 10.0.1.2 pg1 weight 3 via 10.0.1.3 pg1")
    text = cli.run("show ip fib 20.0.0.0/8")
    assert "    [0-2] [@4]: ipv4 via 10.0.1.2 pg1" in text
    assert "    [3] [@2]: arp-ipv4: via 10.0.1.3 pg1\n" in text
    for way, shown in (
        ("10.0.1.2", "dpo-load-balance: [proto:ip4"),
        ("ip4-lookup-in-table 5", "dst-address,unicast lookup in ipv4-VRF:5"),
        ("null-send-unreach", "ip4-null action:send-unreachable"),
        ("punt", "dpo-punt"),
        ("local", "dpo-receive"),
        ("rx-ip4 pg0", "pg0-rx-dpo: ip4"),
        ("pg1", "ipv4-glean: [src:0.0.0.0/0] pg1: mtu:9000"),
        ("drop", "dpo-drop ip4"),
    ):
        cli.run(f"ip route add 30.0.0.0/8 via {way}")
        assert re.search(r"    \[0\] \[@\d+\]: " + re.escape(shown), cli.run("show ip fib table 0 30.0.0.0/8")), way
        cli.run("ip route del 30.0.0.0/8")
    assert "ipv4-glean: [src:10.0.0.0/24] pg0:" in cli.run("show ip fib 10.0.0.0/24")
    assert "dpo-receive: 10.0.0.1 on pg0" in cli.run("show ip fib 10.0.0.1")
    assert cli.run("show ip fib summary table 5").split("\n")[1:3] == [
        "    Prefix length         Count",
        "                   0               1",
    ]


def test_fib_of_loaded_routes(cli: DebugCli) -> None:
    cli.engine.routes.load([20 << 24, 21 << 24], [8, 8], [cli.engine.routes.path("10.0.1.2", "pg1")], [0, 0])
    assert "ipv4 via 10.0.1.2 pg1" in cli.run("show ip fib 21.1.1.1")
    assert cli.run("show ip fib").count("/8\n") == 2


def test_fib_details(cli: DebugCli) -> None:
    cli.run("ip table 5\nip route add 21.0.0.0/8 via 10.0.1.77\nip route add 22.0.0.0/8 via ip4-lookup-in-table 5")
    recursive = cli.run("show ip fib table 0 21.0.0.0/8")
    assert re.search(
        r"recursive:  oper-flags:resolved,\n        via 10.0.1.77 in fib:0 via-fib:\d+ via-dpo:", recursive
    )
    assert "deag:  oper-flags:resolved,\n         fib-index:1\n" in cli.run("show ip fib table 0 22.0.0.0/8")
    glean = cli.run("show ip fib table 0 10.0.0.0/24")
    assert "attached:  oper-flags:resolved, cfg-flags:glean,\n         pg0\n" in glean
    own = cli.run("show ip fib table 0 10.0.0.1")
    assert "receive:  oper-flags:resolved, cfg-flags:local,\n        [@5]: dpo-receive: 10.0.0.1 on pg0\n" in own
    none = cli.run("show ip fib table 0 99.0.0.1")
    assert "special:  cfg-flags:drop,\n        [@0]: dpo-drop ip4\n" in none
    assert "locks:[CLI:1, ]" in cli.run("show ip fib table 5 summary")


def test_multicast(cli: DebugCli) -> None:
    text = cli.run("show ip mfib")
    assert "(*, 0.0.0.0/0):  flags:Drop,\n  Interfaces:\n  multicast-ip4-chain\n  [@0]: dpo-drop ip4\n" in text
    assert "(*, 224.0.0.1/32): \n  Interfaces:\n   pg0: Accept,\n   pg1: Accept,\n  multicast-ip4-chain\n" in text
    assert cli.run("show ip mfib table 9") == ""


def test_ip6_fib(cli: DebugCli) -> None:
    cli.run("set interface ip address pg0 2001:db8::1/64")
    assert "2001:db8::/64\n  unicast-ip6-chain\n    path: ip6 weight=1 pref=0 attached: pg0\n" in cli.run(
        "show ip6 fib"
    )
    assert "2001:db8::1/128" in cli.run("show ip6 fib 2001:db8::1")
    assert "Prefix length" in cli.run("show ip6 fib summary")


def test_adjacencies(cli: DebugCli) -> None:
    rows = cli.run("show adj").splitlines()
    neighbour = next(r for r in rows if " via 10.0.1.2 pg1: mtu:9000" in r)
    number = neighbour[2 : neighbour.index("]")]
    assert neighbour.startswith(f"[@{number}] ipv4 via 10.0.1.2 pg1")
    assert "\n   counts:[0:0]\n" in cli.run(f"show adj {number}")
    assert cli.run("show adj nbr pg1") == neighbour + "\n"
    assert cli.run("show adj summary").startswith(f"Number of adjacencies: {len(rows)}\n")
    assert cli.run("show adj 9999") == "adjacency 9999 invalid\n"


def test_neighbours(cli: DebugCli) -> None:
    head, row = cli.run("show ip neighbors").splitlines()
    assert head.split() == ["Age", "IP", "Flags", "Ethernet", "Interface"]
    assert row.split() == [".0000", "10.0.1.2", "D", "02:00:00:00:00:02", "pg1"]
    assert cli.run("show ip4 neighbor pg0") == ""
    assert cli.run("show ip4 neighbor-sorted").splitlines()[1:] == [row]


def test_interfaces(cli: DebugCli) -> None:
    rows = cli.run("show interface").splitlines()
    assert [r.split() for r in rows[1:]] == [
        ["local0", "0", "down", "0/0/0/0"],
        ["pg0", "1", "up", "9000/0/0/0"],
        ["pg1", "2", "up", "9000/0/0/0"],
    ]
    assert cli.run("sh int 2 pg0").splitlines() == [rows[0], rows[3], rows[2]]
    assert cli.run("show int addr") == "local0 (dn):\npg0 (up):\n  L3 10.0.0.1/24\npg1 (up):\n  L3 10.0.1.1/24\n"
    assert failure(cli, "show interface 77") == "show interface: unknown interface index `77'\n"
    assert failure(cli, "show interface features") == "show interface features: Interface not specified...\n"
    hardware = cli.run("show hardware-interfaces pg1")
    assert [line.split() for line in hardware.splitlines()[1:4]] == [
        ["pg1", "2", "up", "pg1"],
        ["Link", "speed:", "unknown"],
        ["Ethernet", "address", "02:00:00:00:11:01"],
    ]
    assert "  Ethernet" not in cli.run("show hardware brief")


def test_graph(cli: DebugCli) -> None:
    assert cli.run("show node ip4-lookup").startswith("node ip4-lookup, type internal, state active, index ")
    index = cli.engine.plane.graph["ip4-lookup"].index
    assert cli.run(f"show node index {index}") == cli.run("show node ip4-lookup")
    assert failure(cli, "show node nothing") == "show node: unknown node name: 'nothing'\n"
    assert failure(cli, "show node") == "show node: please specify valid node\n"
    assert "ip4-lookup" in cli.run("show vlib graph")
    assert cli.run("show vlib graphviz").startswith("digraph")
    assert "  ip4-not-enabled\n" in cli.run("show features")
    assert re.search(r"\[ \d\] arp:\n  \[ 0\]: arp-reply\n", cli.run("show features verbose"))


def test_the_program(cli: DebugCli) -> None:
    assert cli.run("show version").startswith("vpp v")
    assert f"Current PID:              {os.getpid()}\n" in cli.run("show version verbose")
    cli.arguments = ["vpp", "unix", "{"]
    assert cli.run("show version cmdline") == "Command line arguments:\n  vpp\n  unix\n  {\n"
    assert cli.run("show threads").splitlines()[0].split() == ["ID", "Name", "LWP", "CPU", "Sched", "Loops"]
    assert " resident, " in cli.run("show memory")
    assert "GHz" in cli.run("show cpu")


def test_clock() -> None:
    engine = Engine(clock="real")
    try:
        cli = DebugCli(engine)
        before = float(cli.run("show clock").partition("Time now")[2].partition(",")[0])
        cli.run("set clock adjust 1000.5")
        after = float(cli.run("show clock").partition("Time now")[2].partition(",")[0])
        assert 1000.5 <= after - before < 1100
        assert failure(cli, "set clock adjust soon") == "set clock adjust: expected seconds, got `soon'\n"
        assert "seconds must be within" in failure(cli, "set clock adjust -5")
    finally:
        engine.close()


def test_log(cli: DebugCli) -> None:
    assert cli.run("show logging") == ""
    cli.run("test log notice fib entry this is a test\ntest log info fib entry unseen\nvpplog hello")
    first, second = cli.run("show log").splitlines()
    assert re.fullmatch(r"\d{4}/\d\d/\d\d \d\d:\d\d:\d\d:\d{3} notice     fib/entry      this is a test", first)
    assert second.endswith("notice     cli            CLI: hello")
    cli.run("set logging class fib level debug\ntest log debug fib entry seen\nset logging size 2")
    assert [e.text for e in cli.log.entries()] == ["CLI: hello", "seen"]
    assert "fib\n  default              debug\n" in cli.run("show logging configuration")
    assert failure(cli, "set logging size 0").startswith("set logging size: log size 0 is not within")
    assert failure(cli, "test log loud fib entry x") == (
        "test log: unknown log level near beginning of `loud fib entry x'\n"
    )
    cli.run("clear logging")
    assert cli.run("show logging") == ""


def test_api_trace_makes_a_file(cli: DebugCli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("vectorplane.control.debug_cli.api_trace._FOLDER", str(tmp_path))
    assert cli.run("api trace save a.log") == f"API trace saved to {tmp_path}/a.log\n"
    assert (tmp_path / "a.log").exists()
    assert cli.run("api trace save a.log") == f"file exists: {tmp_path}/a.log\n"
    assert cli.run("api trace save ../b") == "illegal characters in filename '../b'\n"
    assert cli.run("api trace save-json b\napi trace on\napi trace off") == f"API trace saved to {tmp_path}/b\n"


def test_clients(cli: DebugCli) -> None:
    class Client:
        name, pid = "test", 17

    cli.clients = lambda: [Client()]
    assert cli.run("show api clients").splitlines()[1:] == ["                Name      PID", f"{'test':>20} {17:>8}"]


VPPS_OWN = """
show trace max 100
show interface
show hardware
show error
show run
show log
show bihash
show ip4 neighbors
show ip fib
sh ip fib mtrie
adjacency counters enable
adj counters enable
sh int addr
sh adj 5
sh ip pmtu
show ip neighbors
show ip6 fib
show ip6 neighbors
sh ip neighbor-watcher
sh ip neighbor-stats
sh ip neighbor-stats pg1
set logging unthrottle 0
set logging size 65535
sh ip neighbor-config
sh ip4 neighbor-sorted
sh ip neighbor
ip table add 1 no-mfib
ip table add 1
show ip fib summary
show ip mfib summary
set interface ip table pg2 1
ip table del 1
set interface ip table pg2 0
ip6 table add 1 no-mfib
ip6 table add 1
set interface ip6 table pg2 1
show ip6 mfib summary
set interface ip6 table pg2 0
ip6 table del 1
show errors
sh errors
show thread
show clock
set clock adjust 1
test log notice fib entry this is a test
test log debug fib entry test
test interface link-state pg2 down
test interface link-state pg2 up
set interface name pg2 other
show buffers
clear trace
trace add pg-input 1000
packet-generator enable
show packet-generator
clear errors
clear interfaces
clear runtime
clear hardware
show plugins
show api clients
"""


@pytest.mark.parametrize("line", VPPS_OWN.split("\n")[1:-1])
def test_lines_of_vpps_own_tests_work(everything: DebugCli, line: str) -> None:
    text = everything.run(line + "\n")
    assert "error" not in text.lower() or "err" in line or line == "show clock"


@pytest.fixture(scope="module")
def everything() -> Iterator[DebugCli]:
    """One engine for all of these lines."""
    engine = Engine(clock="real")
    made = DebugCli(engine)
    for i in range(3):
        made.run(f"create packet-generator interface pg{i}\nset interface state pg{i} up")
    yield made
    engine.close()


COMMANDS = [c for c in commands() if c.path not in ("exec", "api trace", "pcap trace", "packet-generator capture")]
KEYWORDS = sorted({w for c in COMMANDS for w in re.findall("[a-z][a-z0-9-]+", c.help)})
_SOME = "pg0 pg1 local0 10.0.0.1 10.0.0.0/24 2001:db8::1/64 via table 0 5 99 del add count 3 { } drop up max any name"
WORDS = st.sampled_from([*_SOME.split(), "02:00:00:00:00:01", "x" * 70, "-1", "1e9", "\0", "\N{GREEK SMALL LETTER MU}"])


@pytest.fixture(scope="module")
def fuzzed() -> Iterator[DebugCli]:
    """One engine that all kinds of lines are tried on."""
    engine = Engine()
    yield DebugCli(engine)
    engine.close()


@settings(derandomize=True, deadline=None, max_examples=300)
@given(st.sampled_from(COMMANDS), st.lists(st.tuples(st.integers(0, 10_000), WORDS), max_size=5))
def test_garbage_arguments_raise_nothing_else(fuzzed: DebugCli, command: Command, words: list[tuple[int, str]]) -> None:
    own = re.findall("[a-z][a-z0-9-]+", command.help)[command.path.count(" ") + 1 :] or KEYWORDS
    line = " ".join([command.path, *(f"{own[n % len(own)]} {word}" for n, word in words)])
    try:
        fuzzed.run(line)
    except CliError as error:
        assert "internal error" not in str(error)


@settings(derandomize=True, deadline=None, max_examples=100)
@given(st.text(max_size=60))
def test_garbage_lines_raise_nothing_else(fuzzed: DebugCli, line: str) -> None:
    try:
        fuzzed.run(line)
    except CliError as error:
        assert "internal error" not in str(error)
