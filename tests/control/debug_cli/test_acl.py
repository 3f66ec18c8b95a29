"""Commands of the acl plugin; the texts are those of a real VPP (26.10) but where it says nothing about mistakes."""

from __future__ import annotations

import pytest

from tests.control.debug_cli.conftest import failure
from vectorplane.control.debug_cli.cli import DebugCli

ANY = "src 0.0.0.0/0 dst 0.0.0.0/0"
PORTS = "sport 0-65535 dport 0-65535"
MADE = """
set acl-plugin acl permit tag first
set acl-plugin acl deny src 10.0.0.9/24 dst 10.0.1.1/32 proto 17 sport 53 dport 1000-2000,permit+reflect \
src 2001:db8::/32 dst ::/0 proto 6 tcpflags 2 mask 3, action 7
set acl-plugin acl permit
"""
RULES = [
    "acl-index 1 count 3 tag {cli}",
    "          0: ipv4 deny src 10.0.0.0/24 dst 10.0.1.1/32 proto 17 sport 53 dport 1000-2000",
    f"          1: ipv6 permit+reflect src 2001:db8::/32 dst ::/0 proto 6 {PORTS} tcpflags 2 mask 3",
    f"          2: ipv4 action 7 {ANY} proto 0 {PORTS}",
]
FIRST = ["acl-index 0 count 1 tag {first}", f"          0: ipv4 permit {ANY} proto 0 {PORTS}"]


def lines(cli: DebugCli, command: str) -> list[str]:
    return [line.rstrip() for line in cli.run(command).splitlines()]


def test_acls(cli: DebugCli) -> None:
    assert lines(cli, MADE) == ["ACL index:0", "ACL index:1", "ACL index:2"]
    assert lines(cli, "show acl-plugin acl")[:6] == FIRST + RULES
    assert lines(cli, "show acl-plugin acl index 1") == RULES and lines(cli, "show acl-plugin acl index 9") == []
    assert cli.run("set acl-plugin acl index 1 deny tag a,b, permit tcpflags 1 2") == "ACL index:1\n"
    assert lines(cli, "show acl-plugin acl index 1") == [
        "acl-index 1 count 1 tag {a,b,}",
        f"          0: ipv4 permit {ANY} proto 0 {PORTS} tcpflags 1 mask 2",
    ]
    assert cli.run("delete acl-plugin acl index 1") == "Deleted ACL index:1\n"
    assert cli.run("set acl-plugin acl tag none") == "ACL index:1\n" and not cli.engine.acls[1].rules
    assert cli.run("set acl-plugin acl") == "" and len(cli.engine.acls) == 3


@pytest.mark.parametrize(
    ("typed", "complaint"),
    [
        ("permit src 10.0.0.0/24 dst ::/0", "failed: source and destination of rule 0 are of two families"),
        ("permit, permit dst ::/0", "failed: source and destination of rule 1 are of two families"),
        ("permit sport 5-3", "failed: a range of ports of rule 0 ends before it begins"),
        ("index 7 permit", "failed: there is no ACL 7"),
        ("permit tag " + "x" * 64, "failed: a tag of 64 bytes, 63 are possible"),
        ("permit src 10.0.0.1", "expecting a prefix, got `10.0.0.1'"),
        ("permit dport 65536", "expecting a port or a range of ports, got `65536'"),
        ("permit dport 5-", "expecting a port or a range of ports, got `5-'"),
        ("permit proto 256", "expecting a protocol, got `256'"),
        ("permit tcpflags 1", "expecting a mask, got `'"),
        ("permit what", "unknown input `what'"),
        (", permit", "no rule before the comma in front of `permit'"),
    ],
)
def test_rules_that_cannot_be(cli: DebugCli, typed: str, complaint: str) -> None:
    assert failure(cli, f"set acl-plugin acl {typed}").strip() == f"set acl-plugin acl: {complaint}"
    assert not len(cli.engine.acls)


def test_where_they_apply(cli: DebugCli) -> None:
    cli.run(MADE)
    assert lines(cli, "show acl-plugin interface") == []
    assert lines(cli, "show acl-plugin lookup context") == ["ACL lookup contexts are not initialized"]
    for acl in (0, 1, 2, 0):
        assert cli.run(f"set acl-plugin interface pg0 input acl {acl}") == ""
    cli.run("set acl-plugin interface pg1 output acl 1\nset acl-plugin interface pg0 output acl 9")
    assert "ERROR: there is no ACL 9" in cli.run("show logging")
    applied = ["  applied inbound on sw_if_index: 1", "  applied outbound on sw_if_index: 2"]
    assert lines(cli, "show acl-plugin acl index 1") == [*RULES, *applied, "  used in lookup context index: 0, 1"]
    assert lines(cli, "show acl-plugin acl index 2")[2:] == [applied[0], "  used in lookup context index: 0"]
    assert lines(cli, "show acl-plugin interface") == [
        *("sw_if_index 0:", "sw_if_index 1:", "  input acl(s): 0, 1, 2", "sw_if_index 2:", "  output acl(s): 1"),
    ]
    assert lines(cli, "show acl-plugin interface sw_if_index 2 acl detail") == [
        *("sw_if_index 2:", "  output acl(s): 1", "", *RULES, "", "  output lookup context index: 1"),
    ]
    assert lines(cli, "show acl-plugin interface sw_if_index 2 acl")[-2:] == [RULES[-1], ""]
    assert lines(cli, "show acl-plugin interface sw_if_index 0 detail") == [
        *("sw_if_index 0:", "   input lookup context index: -1", "  output lookup context index: -1"),
    ]
    contexts = [
        "index 0:interface ACL sw_if_index: 1 is_input: 1, acl_indices: 0, 1, 2",
        "index 1:interface ACL sw_if_index: 2 is_input: 0, acl_indices: 1",
    ]
    assert lines(cli, "show acl-plugin lookup context") == contexts
    assert lines(cli, "show acl-plugin lookup context index 1") == contexts[1:]
    assert "delete acl-plugin acl: failed" in failure(cli, "delete acl-plugin acl index 1")
    assert "invalid interface" in failure(cli, "set acl-plugin interface acl 1")
    assert "invalid acl" in failure(cli, "set acl-plugin interface pg0 input")
    cli.run("set acl-plugin interface pg0 input acl 0 del")
    assert cli.engine.acls.inputs(1) == (2, 1), "the last one takes its place"
    for acl in (1, 2, 2):
        assert cli.run(f"set acl-plugin interface pg0 input acl {acl} del") == ""
    nowhere = ["  applied inbound on sw_if_index:", "  applied outbound on sw_if_index:"]
    assert lines(cli, "show acl-plugin acl index 0") == [*FIRST, *nowhere, "  used in lookup context index:"]


def test_order_is_that_of_a_vector_in_vpp(cli: DebugCli) -> None:
    """Who leaves gives its place to the last one; the number freed last is taken first."""

    def put(index: int, inputs: list[int], outputs: list[int]) -> None:
        cli.engine.acls.set_lists(index, inputs, outputs)

    def where(acl: int) -> list[str]:
        return [line.partition(": ")[2] for line in lines(cli, f"show acl-plugin acl index {acl}")[-3:]]

    cli.run("create packet-generator interface pg2\n" + 3 * "set acl-plugin acl permit\n")
    put(3, [0], [])
    put(1, [0], [1])
    put(2, [0, 1], [])
    assert where(0) == ["3, 1, 2", "", "0, 2, 3"]
    put(3, [], [])
    assert where(0) == ["2, 1", "", "3, 2"]
    put(1, [], [])
    put(3, [2], [2])
    assert where(2) == ["3", "3", "2, 1"]
    put(3, [1, 0], [2])
    assert [where(acl) for acl in range(3)] == [["2, 3", "", "3, 1"], ["2, 3", "", "3, 1"], ["", "3", "2"]]
    cli.run("set acl-plugin acl index 0 deny")
    assert where(0) == ["2, 3", "", "3, 1"], "other rules change no list"
    for index in (1, 2, 3):
        put(index, [], [])
    for index, inputs, outputs in ((1, [0], [1]), (2, [0], [1]), (1, [], [1]), (2, [], [1]), (1, [], []), (3, [1], [])):
        put(index, inputs, outputs)
    assert lines(cli, "show acl-plugin lookup context") == [
        "index 1:interface ACL sw_if_index: 3 is_input: 1, acl_indices: 1",
        "index 3:interface ACL sw_if_index: 2 is_input: 0, acl_indices: 1",
    ]


def test_policy_epochs_and_types(cli: DebugCli) -> None:
    cli.run("set acl-plugin acl permit\nset acl-plugin reclassify-sessions 1")
    cli.run("set acl-plugin interface pg0 input acl 0\nset acl-plugin acl index 0 deny")
    cli.engine.acl_whitelists.set(1, [0x806, 1], [0x88CC])
    assert lines(cli, "show acl-plugin interface") == [
        "sw_if_index 0:",
        "   input policy epoch: 0",
        "sw_if_index 1:",
        "   input policy epoch: 8002",
        "  input etype whitelist: 0806, 0001",
        " output etype whitelist: 88cc",
        "  input acl(s): 0",
    ]


def test_macip(cli: DebugCli) -> None:
    made = "permit ip 10.0.0.9/24 mac 02:00:00:00:00:01 mask ff:ff:ff:00:00:00, deny src ip ::/0 tag x"
    assert lines(cli, f"set acl-plugin macip acl {made}") == ["ACL index:0"]
    assert lines(cli, "set acl-plugin macip acl tag empty\nset acl-plugin macip acl action 3 mac 0200.0000.0002,") == [
        *("ACL index:1", "ACL index:2"),
    ]
    tables = [
        "  ip4_table_index -1, ip6_table_index -1, l2_table_index -1",
        "  out_ip4_table_index -1, out_ip6_table_index -1, out_l2_table_index -1",
    ]
    zero = "00:00:00:00:00:00"
    first = [
        "MACIP acl_index: 0, count: 2 (true len 2) tag {x} is free pool slot: 0",
        *tables,
        "    rule 0: ipv4 action 1 ip 10.0.0.0/24 mac 02:00:00:00:00:01 mask ff:ff:ff:00:00:00",
        f"    rule 1: ipv6 action 0 ip ::/0 mac {zero} mask {zero}",
    ]
    third = [
        "MACIP acl_index: 2, count: 1 (true len 1) tag {cli} is free pool slot: 0",
        *tables,
        "    rule 0: ipv4 action 3 ip 0.0.0.0/0 mac 02:00:00:00:00:02 mask ff:ff:ff:ff:ff:ff",
    ]
    assert lines(cli, "show acl-plugin macip acl index 0") == first
    assert lines(cli, "show acl-plugin macip acl")[-4:] == third
    assert [r.action for r in cli.engine.macips[1].rules] == [1], "any word begins a rule"
    cli.run("set acl-plugin macip interface pg1 acl 0")
    assert lines(cli, "show acl-plugin macip interface") == [
        *("  sw_if_index 0: -1", "  sw_if_index 1: -1", "  sw_if_index 2: 0"),
    ]
    assert lines(cli, "show acl-plugin macip acl index 0") == [*first, "  applied on sw_if_index(s): 2"]
    assert lines(cli, "show acl-plugin macip acl index 2") == third
    for command, complaint in (
        ("set acl-plugin macip interface pg1 acl 9", "Failed to add acl rule to interface"),
        ("set acl-plugin macip interface pg0 acl 0 del", "Failed to add acl rule to interface"),
        ("set acl-plugin macip interface pg0", "invalid acl index"),
        ("set acl-plugin macip interface acl 0", "invalid interface"),
        ("set acl-plugin macip acl permit ip x", "expecting a prefix, got `x'"),
        ("set acl-plugin macip acl permit mac x", "expected mac address `x'"),
        ("delete acl-plugin macip acl", "invalid acl index"),
        ("delete acl-plugin macip acl index 9", "Failed to delete ACL index"),
    ):
        assert complaint in failure(cli, command)
    cli.run("set acl-plugin macip interface pg1 acl 0 del")
    assert lines(cli, "delete acl-plugin macip acl index 0") == ["Deleted ACL index:0"]


def test_order_of_macip_interfaces(cli: DebugCli) -> None:
    def where(index: int) -> str:
        return lines(cli, f"show acl-plugin macip acl index {index}")[-1].partition(": ")[2]

    cli.run("create packet-generator interface pg2\nset acl-plugin macip acl permit\nset acl-plugin macip acl deny")
    for name in ("pg2", "pg0", "pg1", "pg2"):
        cli.run(f"set acl-plugin macip interface {name} acl 0")
    assert where(0) == "3, 1, 2"
    cli.run("set acl-plugin macip interface pg2 acl 1")
    assert [where(i) for i in (0, 1)] == ["2, 1", "3"]


def test_settings(cli: DebugCli) -> None:
    acls = cli.engine.acls
    cli.run(
        "set acl-plugin session timeout udp idle 5\nset acl-plugin session timeout tcp idle 6\n"
        "set acl-plugin session timeout tcp transient 7\nset acl-plugin session table max-entries 8\n"
        "set acl-plugin use-hash-acl-matching 0\nset acl-plugin l4-match-nonfirst-fragment 0\n"
        "set acl-plugin reclassify-sessions 2\nset acl-plugin skip-ipv6-extension-header 44 0\n"
        "set acl-plugin session table hash-table-buckets 64\nset acl-plugin session table hash-table-memory 1g\n"
        "set acl-plugin session table event-trace 1\nset acl-plugin event-trace 1\nset acl-plugin heap main trace 1\n"
        "clear acl-plugin sessions"
    )
    assert [acls.timeout(kind) for kind in (1, 2, 3)] == [5, 6, 7] and acls.max_sessions == 8
    assert (acls.use_hash_matching, acls.l4_match_nonfirst_fragment, acls.reclassify) == (False, False, True)
    for typed, complaint in (
        ("session timeout udp idle", "expecting timeout value in seconds, got ``"),
        ("session timeout tcp transient x", "expecting timeout value in seconds, got `x`"),
        ("session table max-entries", "expecting maximum number of entries, got ``"),
        ("session table max-entries 99999999", "at most 16777216 are possible"),
        ("session table hash-table-buckets", "expecting maximum number of hash table buckets, got ``"),
        ("session table hash-table-memory", "expecting maximum amount of hash table memory, got ``"),
        ("session table event-trace", "expecting trace level, got ``"),
        ("skip-ipv6-extension-header 256 0", "expecting eh=0..255, value=0..1"),
        ("skip-ipv6-extension-header 44 2", "expecting eh=0..255, value=0..1"),
        ("skip-ipv6-extension-header 44", "unknown input `skip-ipv6-extension-header 44'"),
        ("use-hash-acl-matching", "unknown input `use-hash-acl-matching'"),
        ("session timeout udp", "unknown input `session timeout udp'"),
        ("foo", "unknown input `foo'"),
    ):
        assert complaint in failure(cli, f"set acl-plugin {typed}")
