"""Commands that change something, looked at through the engine; and what they say when they cannot."""

from __future__ import annotations

import pytest

from tests.control.debug_cli.conftest import failure
from vectorplane.backends.engine.fib_entries import CLI
from vectorplane.control.debug_cli.cli import DebugCli
from vectorplane.graph_nodes.forwarding import HASH_DST, HASH_SRC
from vectorplane.graph_nodes.ip4_sv_contexts import SvReassembly


def test_loopbacks_and_sub_interfaces(bare: DebugCli) -> None:
    assert bare.run("loop create mac 02:00:00:00:00:05 instance 3") == "loop3\n"
    assert bare.run("create loopback interface") == "loop0\n"
    assert bare.engine.interfaces["loop3"].mac == bytes.fromhex("020000000005")
    assert failure(bare, "create loopback interface instance 3") == (
        "create loopback interface: vnet_create_loopback_interface failed\n"
    )
    assert bare.run("create sub-interfaces loop0 10-12") == "loop0.10\nloop0.11\nloop0.12\n"
    assert bare.run("create sub-interfaces loop0 10") == ""
    assert bare.run("create sub loop0 20 dot1ad 30 inner-dot1q 40 exact-match") == "loop0.20\n"
    assert bare.engine.interfaces["loop0.20"].tags == (30, 40)
    assert bare.engine.interfaces["loop0.20"].outer_type == 0x88A8
    assert bare.run("create sub loop0 21 default\ncreate sub loop0 22 dot1q 22 inner-dot1q any") == (
        "loop0.21\nloop0.22\n"
    )
    assert failure(bare, "create sub loop0 x") == "create sub-interfaces: expected ID or ID MIN-MAX, got `x'\n"
    assert failure(bare, "create sub loop0 9-3") == "create sub-interfaces: expected ID or ID MIN-MAX, got `9-3'\n"
    assert failure(bare, "create sub loop0 50 dot1q 5000") == (
        "create sub-interfaces: expected dot1q config, got `5000'\n"
    )
    assert failure(bare, "create sub none 5") == "create sub-interfaces: unknown interface `none 5'\n"
    bare.run("delete sub-interface loop0.10\nloopback delete-interface intfc loop3")
    assert "loop0.10" not in bare.engine.plane.interfaces.by_name
    assert "loop3" not in bare.engine.plane.interfaces.by_name
    assert failure(bare, "delete sub-interface loop0") == "delete sub-interface: delete_subinterface_interface failed\n"
    assert "vnet_delete_loopback_interface failed" in failure(bare, "delete loopback interface intfc local0")


def test_interface_state(cli: DebugCli) -> None:
    interfaces = cli.engine.interfaces
    index = interfaces["pg0"].sw_if_index
    cli.run("set int state pg0 down")
    assert not interfaces.is_up(index)
    cli.run("set int state pg0 up\ntest interface link-state pg0 down")
    assert interfaces.is_up(index)
    assert not interfaces.link_is_up(index)
    cli.run("test interface link-state pg0 up")
    assert interfaces.link_is_up(index)
    assert failure(cli, "set interface state pg0 sideways") == "set interface state: unknown flags `sideways'\n"
    assert failure(cli, "set interface state pg9 up") == "set interface state: unknown interface `pg9 up'\n"
    assert failure(cli, "set interface state pg0 up now") == "set interface state: unknown input `now'\n"


def test_interface_properties(cli: DebugCli) -> None:
    interfaces = cli.engine.interfaces
    index = interfaces["pg0"].sw_if_index
    cli.run("set interface mac address pg0 0200.0000.00aa")
    assert interfaces["pg0"].mac == bytes.fromhex("0200000000aa")
    cli.run("set interface mtu packet 1500 pg0")
    assert interfaces.mtus(index) == (1500, 0, 0, 0)
    cli.run("set interface mtu ip4 1400 pg0")
    assert interfaces.mtus(index) == (0, 1400, 0, 0)
    cli.run("set interface tag pg0 uplink")
    assert cli.run("show interface tag pg0") == "pg0: uplink\n"
    cli.run("clear interface tag pg0")
    assert cli.run("show interface tag pg0") == "pg0: (none)\n"
    cli.run("set interface name pg0 wan")
    assert interfaces["wan"].sw_if_index == index
    cli.run("set interface promiscuous on wan\nset interface promiscuous off wan")
    assert failure(cli, "set interface mac address wan 02:00") == (
        "set interface mac address: expected mac address `02:00'\n"
    )
    assert failure(cli, "set interface mtu wan 1500") == "set interface mtu: unknown input `wan 1500'\n"
    assert failure(cli, "set interface name wan pg1") == "set interface name: interface pg1 exists\n"


def test_addresses(cli: DebugCli) -> None:
    assert failure(cli, "set interface ip address pg0 10.0.0.1/24") == (
        "set interface ip address: failed to add 10.0.0.1/24 on pg0 which conflicts with 10.0.0.1/24 "
        "for interface pg0\n"
    )
    assert failure(cli, "set interface ip address pg1 10.0.0.9/24") == (
        "set interface ip address: failed to add 10.0.0.9/24 on pg1 which conflicts with 10.0.0.1/24 "
        "for interface pg0\n"
    )
    assert failure(cli, "set interface ip address del pg1 10.7.0.9/24") == (
        "set interface ip address: 10.7.0.9/24 not found for interface pg1\n"
    )
    assert failure(cli, "set interface ip address pg1 10.0.0.300/24") == (
        "set interface ip address: expected IP4/IP6 address/length `10.0.0.300/24'\n"
    )
    cli.run("set interface ip address pg0 2001:db8::1/64")
    assert "  L3 2001:db8::1/64\n" in cli.run("show interface addr pg0")
    cli.run("set interface ip address del pg0 all")
    assert cli.run("show interface addr pg0") == "pg0 (up):\n"


def test_unnumbered(cli: DebugCli) -> None:
    cli.run("create packet-generator interface pg2\nset interface unnumbered pg2 use pg0")
    assert cli.run("show interface addr pg2") == "pg2 (dn): \n  unnumbered, use pg0\n  L3 10.0.0.1/24\n"
    cli.run("set interface unnumbered del pg2")
    assert cli.run("show interface addr pg2") == "pg2 (dn):\n"
    assert failure(cli, "set interface unnumbered pg2 pg0") == "set interface unnumbered: parse error `pg0'\n"


def test_tables(cli: DebugCli) -> None:
    cli.run("ip table add 7 name blue no-mfib\nip table 8\nip6 table add 9")
    assert cli.run("show ip table") == "[0] table_id:0 ipv4-VRF:0\n[1] table_id:7 blue\n[2] table_id:8 ipv4-VRF:8\n"
    assert cli.run("show ip6 table 9").endswith("table_id:9 ipv6-VRF:9\n")
    assert "blue" not in cli.run("show ip mfib summary")
    assert failure(cli, "ip table add 0") == "ip table: Can't change the default table\n"
    assert failure(cli, "ip table del") == "ip table: No table id\n"
    assert failure(cli, "show ip table 99") == "show ip table: Couldn't find table with table_id 99\n"
    made = cli.run("ip table add")
    assert int(made) in cli.engine.tables
    assert failure(cli, "set interface ip table pg0 7") == (
        "set interface ip table: IP addresses are still present on pg0\n"
    )
    assert failure(cli, "set interface ip table pg0 99") == "set interface ip table: no such table 99\n"
    assert failure(cli, "set interface ip table pg0") == "set interface ip table: expected table id `'\n"
    cli.run(
        "set interface ip address del pg0 all\nset interface ip table pg0 7\nset interface ip address pg0 10.9.0.1/24"
    )
    assert cli.run("show interface addr pg0") == "pg0 (up):\n  L3 10.9.0.1/24 ip4 table-id 7 fib-idx 1\n"
    cli.run("ip table del 8\nset ip flow-hash table 7 src dst")
    assert 8 not in cli.engine.tables
    assert cli.engine.routes.control.hash_config[1] == HASH_SRC | HASH_DST
    assert failure(cli, "set ip flow-hash table 99 src") == "set ip flow-hash: no such FIB table 99\n"


@pytest.mark.parametrize(
    ("words", "path"),
    [
        ("10.0.1.2 pg1", ("10.0.1.2", 2, 1, 0, "normal")),
        ("10.0.1.2 pg1 weight 3 preference 2", ("10.0.1.2", 2, 3, 2, "normal")),
        ("pg1", ("0.0.0.0", 2, 1, 0, "normal")),
        ("10.0.1.99", ("10.0.1.99", -1, 1, 0, "normal")),
        ("10.0.1.99 next-hop-table 5 resolve-via-attached", ("10.0.1.99", -1, 1, 0, "normal")),
        ("ip4-lookup-in-table 5", ("0.0.0.0", -1, 1, 0, "lookup")),
        ("lookup in table 5", ("0.0.0.0", -1, 1, 0, "lookup")),
        ("rx-ip4 pg0", ("0.0.0.0", 1, 1, 0, "interface-rx")),
        ("drop", ("0.0.0.0", -1, 1, 0, "drop")),
        ("null-send-unreach", ("0.0.0.0", -1, 1, 0, "unreachable")),
        ("null-send-prohibit", ("0.0.0.0", -1, 1, 0, "prohibit")),
        ("local", ("0.0.0.0", -1, 1, 0, "local")),
        ("punt", ("0.0.0.0", -1, 1, 0, "punt")),
    ],
)
def test_paths(cli: DebugCli, words: str, path: tuple[str, int, int, int, str]) -> None:
    from vectorplane.backends.engine.route_paths import number

    cli.run(f"ip table 5\nip route add 20.0.0.0/8 via {words}")
    route = cli.engine.routes.get("20.0.0.0/8")
    assert route is not None
    (made,) = route.paths
    hop, index, weight, preference, kind = path
    assert (made.next_hop, made.sw_if_index, made.weight, made.preference, made.kind) == (
        number(hop), index, weight, preference, kind
    )  # fmt: skip
    cli.run("ip route del 20.0.0.0/8")
    assert cli.engine.routes.get("20.0.0.0/8") is None


def test_routes(cli: DebugCli) -> None:
    cli.run("ip route add 20.0.0.0/8 via 10.0.1.2 pg1 via 10.0.1.3 pg1\nip route 20.0.0.0/8 via 10.0.1.4 pg1")
    entry = cli.engine.routes.control.find(0, 20 << 24, 8)
    assert entry is not None
    assert [p.next_hop & 255 for p in entry.sources[CLI].paths] == [2, 3, 4]
    cli.run("ip route del 20.0.0.0/8 via 10.0.1.3 pg1")
    assert [p.next_hop & 255 for p in entry.sources[CLI].paths] == [2, 4]
    cli.run("ip route del 20.0.0.0/8\nip route del 20.0.0.0/8")
    assert cli.engine.routes.get("20.0.0.0/8") is None
    assert cli.run("ip route add count 100 30.0.0.0/24 via drop").endswith(" routes/sec\n")
    assert cli.engine.routes.get("30.0.99.0/24") is not None
    assert cli.engine.routes.get("30.0.100.0/24") is None
    cli.run("ip route add 2001:db8:1::/48 via 2001:db8::2 pg1")
    assert cli.engine.routes6.get("2001:db8:1::/48") is not None


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("ip route add via pg0", "expected ip4/ip6 destination address/length."),
        ("ip route add 20.0.0.0/8", "expected paths."),
        ("ip route add 20.0.0.0/8 via", "parse error `via'"),
        ("ip route add 20.0.0.0/8 via pg9", "parse error `via pg9'"),
        ("ip route add 20.0.0.0/33 via pg0", "parse error `20.0.0.0/33 via pg0'"),
        ("ip route add 20.0.0.0/8 via 10.0.0.300 pg0", "parse error `via 10.0.0.300 pg0'"),
        ("ip route add 20.0.0.0/8 via 2001:db8::1", "parse error `via 2001:db8::1'"),
        ("ip route add 20.0.0.0/8 via pg0 weight 300", "parse error `via pg0 weight 300'"),
        ("ip route add 20.0.0.0/8 table 99 via pg0", "Nonexistent table id 99"),
        ("ip route add 20.0.0.0/8 via ip4-lookup-in-table 99", "parse error `via ip4-lookup-in-table 99'"),
        ("ip route add count x 20.0.0.0/8 via pg0", "expected count, got `x 20.0.0.0/8 via pg0'"),
        ("ip route add count 1e12 20.0.0.0/8 via pg0", "count: at most 4194304 routes at once"),
    ],
)
def test_routes_that_cannot_be(cli: DebugCli, line: str, message: str) -> None:
    assert failure(cli, line) == f"ip route: {message}\n"


def test_neighbours(cli: DebugCli) -> None:
    neighbours = cli.engine.neighbours
    cli.run("set ip neighbor static pg0 10.0.0.9 0200.0000.0009 no-fib-entry")
    made = neighbours.get(1, "10.0.0.9")
    assert made is not None
    assert (made.static, made.no_fib_entry, made.mac) == (True, True, bytes.fromhex("020000000009"))
    cli.run("set ip neighbor count 3 pg0 10.0.0.20 02:00:00:00:00:ff")
    assert [n.mac[4:].hex() for n in neighbours.dump(1)[1:]] == ["00ff", "0100", "0101"]
    cli.run("set ip neighbor del pg0 10.0.0.21 02:00:00:00:00:01\nset ip neighbor pg0 2001:db8::2 02:00:00:00:00:02")
    assert neighbours.get(1, "10.0.0.21") is None
    assert cli.engine.neighbours6.get(1, "2001:db8::2") is not None
    cli.run("set ip neighbor flush pg0")
    assert neighbours.dump(1) == []
    cli.run("set ip neighbor-config ip4 limit 200 age 30 recycle")
    assert (neighbours.limit, neighbours.ageing.max_age, neighbours.recycle) == (200, 30, True)
    assert cli.run("show ip neighbor-config").startswith("ip4:\n  limit:200, age:30, recycle:1\nip6:\n")
    assert failure(cli, "set ip neighbor pg0 10.0.0.9") == (
        "set ip neighbor: specify interface, IP address and MAC: `pg0 10.0.0.9'\n"
    )
    assert failure(cli, "set ip neighbor-config ip5") == "set ip neighbor-config: parse error `ip5'\n"


def test_proxy_arp(cli: DebugCli) -> None:
    cli.run("set arp proxy start 10.0.0.50 end 10.0.0.60\nset interface proxy-arp pg0 enable")
    assert cli.run("show arp proxy") == "Proxy arps enabled for:\nFib_index 0   10.0.0.50 - 10.0.0.60 \n"
    assert cli.engine.proxy_arp.interfaces == {1}
    cli.run("set arp proxy del start 10.0.0.50 end 10.0.0.60\nset interface proxy-arp pg0 disable")
    assert cli.run("show arp proxy") == ""
    assert failure(cli, "set arp proxy table-id 9 start 1.1.1.1 end 1.1.1.2") == "set arp proxy: no such table: 9\n"


def test_punt_redirect(cli: DebugCli) -> None:
    cli.run("ip punt redirect add rx pg0 via 10.0.1.2 pg1")
    assert cli.run("show ip punt redirect") == (
        " rx pg0 via:\n   path: ip4 weight=1 pref=0 attached-nexthop: 10.0.1.2 pg1\n"
    )
    cli.run("ip punt redirect del rx pg0")
    assert cli.run("show ip punt redirect") == ""


def test_features(cli: DebugCli) -> None:
    cli.run("set interface feature pg0 ip4-not-enabled arc ip4-unicast")
    assert "  ip4-not-enabled\n" in cli.run("show interface features pg0")
    cli.run("set interface feature pg0 ip4-not-enabled arc ip4-unicast disable")
    assert "  ip4-not-enabled\n" not in cli.run("show interface pg0 feat")
    assert failure(cli, "set interface feature pg0 nothing arc ip4-unicast").startswith(
        "set interface feature: Feature (nothing) not registered to arc (ip4-unicast)"
    )
    assert failure(cli, "set interface feature pg0 a arc b") == "set interface feature: Unknown arc name (b)... \n"


def test_more_of_interfaces(cli: DebugCli) -> None:
    cli.run("set interface reassembly pg0 ip4")
    assert "  ip4-full-reassembly-feature\n" in cli.run("show interface features pg0")
    assert "Current full IP4 reassemblies count: 0\n" in cli.run("show ip4-full-reassembly")
    cli.run("set interface reassembly pg0 off")
    cli.run("set interface feature gso pg0 enable")
    assert "  gso-ip4\n" in cli.run("show interface features pg0")
    cli.run("set interface feature gso pg0")
    assert "  gso-ip4\n" not in cli.run("show interface features pg0")
    assert "  ip4-full-reassembly-feature\n" not in cli.run("show interface features pg0")
    assert "not available" in failure(cli, "set interface reassembly pg0 ip6")
    assert "10.0.0.255/32\n  unicast-ip4-chain\n" in cli.run("show ip fib")
    cli.run("set interface ip directed-broadcast pg0 enable")
    assert "dpo-drop" not in cli.run("show ip fib table 0 10.0.0.255")
    cli.run("set interface ip directed-broadcast pg0 disable")
    assert "dpo-drop" in cli.run("show ip fib table 0 10.0.0.255")
    cli.run("create loopback interface\nenable ip4 interface loop0")
    assert "  ip4-not-enabled\n" not in cli.run("show interface features loop0")
    cli.run("disable ip4 interface loop0\nenable ip6 interface loop0")
    assert "  ip4-not-enabled\n" in cli.run("show interface features loop0")
    assert cli.engine.addresses6.is_enabled(cli.engine.interfaces["loop0"].sw_if_index)
    cli.run("disable ip6 interface loop0")
    assert not cli.engine.addresses6.is_enabled(cli.engine.interfaces["loop0"].sw_if_index)


def test_extended_reassembly(cli: DebugCli) -> None:
    contexts = cli.engine.plane.shared(SvReassembly)

    def extended() -> bool:
        return all(int(t["extended"]) == 1 for t in contexts._tables)

    for words, on in (
        ("ip4 on", True),
        ("", True),
        ("ip6 off", True),
        ("off", True),
        ("ip4 off", False),
        ("off", False),
    ):
        assert cli.run(f"set ip reassembly extended {words}") == ""
        assert extended() == on, words
    assert failure(cli, "set ip reassembly extended maybe").endswith(": Unknown input `maybe'\n")
