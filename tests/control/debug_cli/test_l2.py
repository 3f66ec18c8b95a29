"""Commands of bridging, tunnels, mirrors and cross-connects; the texts are those of a real VPP (26.10)."""

from __future__ import annotations

import pytest

from tests.control.debug_cli.conftest import failure
from vectorplane.control.debug_cli.cli import DebugCli

BRIDGED = """
loopback create-interface
create packet-generator interface pg1
create packet-generator interface pg2
create bridge-domain 7 arp-term 1 mac-age 5 bd-tag hello
set interface l2 bridge pg1 7 2
set interface l2 bridge loop0 7 bvi
set interface state pg1 up
set interface state loop0 up
set interface ip address loop0 10.0.0.1/24
create sub-interfaces pg2 10
set interface l2 bridge pg2.10 7
set interface l2 tag-rewrite pg2.10 pop 1
set bridge-domain arp entry 7 10.0.0.9 02:00:00:00:00:09
l2fib add 02:00:00:00:00:01 7 pg1 static
l2fib add 02:00:00:00:00:02 7 filter
l2fib add 02:00:00:00:00:03 7 pg2.10
"""

TUNNELS = """
create packet-generator interface pg2
set interface state pg2 up
set interface ip address pg2 192.168.1.1/24
set ip neighbor pg2 192.168.1.2 02:00:00:00:00:22
create vxlan tunnel src 192.168.1.1 dst 192.168.1.2 vni 13
create geneve tunnel local 192.168.1.1 remote 192.168.1.2 vni 13
create gre tunnel src 192.168.1.1 dst 192.168.1.2
create gre tunnel src 192.168.1.1 dst 192.168.1.2 erspan 3
create ipip tunnel src 192.168.1.1 dst 192.168.1.2 flags encap-copy-df
"""

DOMAIN = (
    "  BD-ID   Index   BSN  Age(min)  Learning  U-Forwrd   UU-Flood   Flooding  ARP-Term  arp-ufwd Learn-co Learn-li"
    "   BVI-Intf\n"
    "    7       1      0      5         on        on       flood        on        on       off        0    16777216"
    "    loop0\n"
)


def trimmed(text: str) -> list[str]:
    """Lines without the spaces at their ends."""
    return [line.rstrip() for line in text.splitlines()]


@pytest.fixture
def bridged(bare: DebugCli) -> DebugCli:
    """A domain with a port, a BVI and a sub-interface."""
    bare.run(BRIDGED)
    return bare


@pytest.fixture
def tunnels(bare: DebugCli) -> DebugCli:
    """A tunnel of each kind."""
    bare.run(TUNNELS)
    return bare


def test_domain(bridged: DebugCli) -> None:
    assert trimmed(bridged.run("show bridge-domain")) == trimmed(DOMAIN)
    shown = trimmed(bridged.run("show bridge-domain 7 detail"))
    assert shown[:2] == trimmed(DOMAIN)
    assert shown[2].endswith("l2-learn l2-rw l2-fwd l2-flood arp-term-l2bd l2-flood l2-output")
    assert [line.split() for line in shown[4:8]] == [
        ["Interface", "If-idx", "ISN", "SHG", "BVI", "TxFlood", "VLAN-Tag-Rewrite"],
        ["loop0", "1", "1", "0", "*", "*", "none"],
        ["pg1", "2", "1", "2", "-", "*", "none"],
        ["pg2.10", "4", "1", "0", "-", "*", "pop-1"],
    ]
    assert shown[-4:] == [
        "  IP4/IP6 to MAC table for ARP Termination",
        "                10.0.0.9                 =>   02:00:00:00:00:09",
        "",
        "  BD-Tag: hello",
    ]
    assert bridged.run("set bridge-domain learn 7 disable\nset bridge-domain uu-flood 7 disable") == ""
    assert bridged.run("set bridge-domain mac-age 7 0\nset bridge-domain learn-limit 7 99") == ""
    row = bridged.run("show bridge-domain").splitlines()[1].split()
    assert row == ["7", "1", "0", "off", "off", "on", "drop", "on", "on", "off", "0", "99", "loop0"]


def test_no_domain(bare: DebugCli) -> None:
    assert bare.run("show bridge-domain").strip() == "no bridge-domains in use"
    assert "No such bridge domain 4" in failure(bare, "show bridge-domain 4")
    assert "No operations on the default bridge domain are supported" in failure(bare, "show bridge-domain 0")
    assert "bridge domain 0 can not be modified" in failure(bare, "create bridge-domain 0")
    assert "bridge domain ID does not exist" in failure(bare, "create bridge-domain 4 del")
    assert "bridge domain ID exceed 16M limit" in failure(bare, "create bridge-domain 16777216")
    assert "mac age must be less than 256" in failure(bare, "create bridge-domain 4 mac-age 256")
    assert "expecting bridge-domain id but got `x'" in failure(bare, "set bridge-domain learn x")
    assert bare.run("create bridge-domain") == "bridge-domain 1\n"
    assert bare.run("create bridge-domain 1 del") == ""


def test_in_use(bridged: DebugCli) -> None:
    assert "bridge domain in use - remove members" in failure(bridged, "create bridge-domain 7 del")
    assert "bridge-domain already has a bvi interface" in failure(bridged, "set interface l2 bridge pg2 7 bvi")


def test_fib(bridged: DebugCli) -> None:
    summary = bridged.run("show l2fib")
    assert summary.startswith("L2FIB total/learned entries: 4/0  Last scan time: ")
    assert summary.rstrip().endswith("Learn limit: 16777216")
    shown = sorted(line.split() for line in bridged.run("show l2fib verbose").splitlines())
    assert shown[:3] == [
        ["02:00:00:00:00:01", "1", "2", "0/0", "no", "*", "-", "-", "pg1"],
        ["02:00:00:00:00:02", "1", "-1", "0/0", "no", "*", "*", "-", "N/A"],
        ["02:00:00:00:00:03", "1", "4", "0/0", "no", "-", "-", "-", "pg2.10"],
    ]
    assert "mac entry not found" in failure(bridged, "l2fib del 02:00:00:00:00:77 7")
    assert "bridge domain ID 8 invalid" in failure(bridged, "l2fib del 02:00:00:00:00:01 8")
    assert bridged.run("l2fib del 02:00:00:00:00:01 7\nl2fib flush-mac bridge-domain 7\nl2fib flush-mac all") == ""
    assert bridged.run("set l2fib scan-delay 5\nl2fib flush-mac interface pg1\nclear l2fib") == ""
    assert bridged.run("show l2fib") == "no l2fib entries\n"


def test_mode(bridged: DebugCli) -> None:
    assert trimmed(bridged.run("show mode")) == [
        "l3 local0",
        "l2 bridge loop0 bd_id 7 bvi shg 0",
        "l2 bridge pg1 bd_id 7 shg 2",
        "l3 pg2",
        "l2 bridge pg2.10 bd_id 7 shg 0",
    ]
    assert "  L2 bridge bd-id 7 idx 1 shg 2" in bridged.run("show interface address pg1")
    bridged.run("set interface l2 xconnect pg1 pg2\nset interface l3 pg2.10")
    assert trimmed(bridged.run("show mode pg1 pg2.10")) == ["l2 xconnect pg1 pg2", "l3 pg2.10"]
    assert "  L2 xconnect pg2" in bridged.run("show interface address pg1")


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("push dot1q 100", "push-1 dot1q 100"),
        ("push dot1ad 100 150", "push-2 dot1ad 100 150"),
        ("pop 1", "pop-1"),
        ("translate 1-1 dot1ad 9", "trans-1-1 dot1ad 9"),
        ("translate 1-2 dot1q 9 8", "trans-1-2 dot1q 9 8"),
        ("disable", "none"),
    ],
)
def test_tag_rewrite(bridged: DebugCli, given: str, shown: str) -> None:
    bridged.run(f"set interface l2 tag-rewrite pg2.10 {given}")
    assert next(x for x in trimmed(bridged.run("show bridge-domain 7 int")) if "pg2.10" in x).endswith(f"  {shown}")


def test_tag_rewrites_that_cannot_be(bridged: DebugCli) -> None:
    refused = "vlan tag rewrite is not compatible with interface"
    assert refused in failure(bridged, "set interface l2 tag-rewrite pg2.10 pop 2")
    for wrong in ("", "pop 3", "push dot1q", "translate 1-2 dot1q 5", "translate 3-1 dot1q 5"):
        assert "expecting [disable | pop 1" in failure(bridged, f"set interface l2 tag-rewrite pg2.10 {wrong}")


def test_bvi(bare: DebugCli) -> None:
    assert bare.run("bvi create\nbvi create instance 5") == "bvi0\nbvi5\n"
    assert "BVI create failed" in failure(bare, "bvi create instance 5")
    assert bare.run("bvi delete bvi0") == ""
    assert bare.run("show l2patch") == "no l2patch entries\n"


def test_tunnels(tunnels: DebugCli) -> None:
    lb = tunnels.engine.vxlan.by_index[2]
    assert tunnels.run("show vxlan tunnel").startswith(
        "[0] instance 0 src 192.168.1.1 dst 192.168.1.2 src_port 4789 dst_port 4789 vni 13 fib-idx 0 sw-if-idx 2 "
        "encap-dpo-idx "
    )
    assert lb.vni == 13
    shown = tunnels.run("show geneve tunnel")
    assert shown.startswith("[0] lcl 192.168.1.1 rmt 192.168.1.2 vni 13 fib-idx 0 sw-if-idx 3 encap-dpo-idx ")
    assert shown.endswith(" decap-next-l2 l3-mode 0 \n")
    gre = tunnels.run("show gre tunnel").splitlines()
    ends = "src 192.168.1.1 dst 192.168.1.2"
    assert gre[0] == f"[0] instance 0 {ends} fib-idx 0 sw-if-idx 4 payload L3 point-to-point "
    assert gre[1].startswith(f"[1] instance 1 {ends} fib-idx 0 sw-if-idx 5 payload ERSPAN point-to-point session 3 ")
    assert tunnels.run("show ipip tunnel") == (
        f"[0] instance 0 {ends} table-ID 0 sw-if-idx 6 flags [encap-copy-df ] dscp CS0\n"
    )
    assert tunnels.run("show ipip tunnel-hash") == " src:192.168.1.1 dst:192.168.1.2 fib:0 transport:0 mode:0 -> 0\n"
    for line in (
        "create vxlan tunnel src 192.168.1.1 dst 192.168.1.2 vni 13 del",
        "create geneve tunnel local 192.168.1.1 remote 192.168.1.2 vni 13 del",
        f"create gre tunnel {ends} del",
        f"create gre tunnel {ends} erspan 3 del",
        "delete ipip tunnel sw_if_index 6",
    ):
        tunnels.run(line)
        failure(tunnels, line)
    for kind, name in (("vxlan", "vxlan"), ("geneve", "geneve"), ("gre", "GRE"), ("ipip", "IPIP")):
        assert tunnels.run(f"show {kind} tunnel") == f"No {name} tunnels configured...\n"


def test_a_tunnel_of_the_midchain(tunnels: DebugCli) -> None:
    tunnels.run("set interface state ipip0 up\nset interface ip address ipip0 10.5.5.1/30")
    lines = tunnels.run("show ip fib 10.5.5.2").splitlines()
    at = next(i for i, line in enumerate(lines) if "ipv4 via 0.0.0.0 ipip0: mtu:9000" in line)
    assert lines[at].endswith("c0a80101c0a80102") and lines[at + 1].strip() == "stacked-on:"
    assert "ipv4 via 192.168.1.2 pg2: mtu:9000" in lines[at + 2]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("create vxlan tunnel dst 1.1.1.1 vni 3", "tunnel src address not specified"),
        ("create vxlan tunnel src 1.1.1.1 vni 3", "tunnel dst address not specified"),
        ("create vxlan tunnel src 1.1.1.1 dst 1.1.1.1 vni 3", "src and dst addresses are identical"),
        ("create vxlan tunnel src 1.1.1.1 dst 1.1.1.2", "vni not specified"),
        ("create vxlan tunnel src 1.1.1.1 dst 1.1.1.2 vni 16777216", "vni 16777216 out of range"),
        ("create vxlan tunnel src 1.1.1.1 dst 239.1.1.1 vni 3", "dst address must be unicast"),
        ("create vxlan tunnel src 1.1.1.1 group 1.1.1.2 pg2 vni 3", "tunnel group address not multicast"),
        ("create vxlan tunnel src 1.1.1.1 dst 1.1.1.2 vni 3 encap-vrf-id 9", "nonexistent encap-vrf-id 9"),
        ("create vxlan tunnel src 192.168.1.1 dst 192.168.1.2 vni 13", "tunnel already exists..."),
        ("create vxlan tunnel src 1.1.1.1 dst 1.1.1.2 vni 3 instance 0", "Instance is in use"),
        ("create vxlan tunnel src 1.1.1.1 dst 1.1.1.2 vni 3 mood 7", "parse error: `mood 7'"),
        ("create vxlan tunnel src 1::1 dst 1::2 vni 3", "tunnels over IPv6 are not available"),
        ("create gre tunnel src 192.168.1.1 dst 192.168.1.2", "GRE tunnel already exists..."),
        ("create gre tunnel src 1.1.1.1 dst 1.1.1.2 erspan 1024", "session ID 1024 out of range"),
        ("create gre tunnel src 1.1.1.1 dst 1.1.1.2 outer-table-id 9", "outer table ID 9 doesn't exist"),
        ("create ipip tunnel src 1.1.1.1", "mandatory argument(s) missing"),
    ],
)
def test_tunnels_that_cannot_be(tunnels: DebugCli, line: str, why: str) -> None:
    assert why in failure(tunnels, line)


def test_bypass(tunnels: DebugCli) -> None:
    arc = tunnels.engine.plane.arcs["ip4-unicast"]
    tunnels.run("set interface ip vxlan-bypass pg2\nset interface ip geneve-bypass pg2")
    assert {"ip4-vxlan-bypass", "ip4-geneve-bypass"} <= set(arc.chain(1))
    tunnels.run("set interface ip vxlan-bypass pg2 del\nset interface ip geneve-bypass pg2 del")
    assert arc.chain(1) == []


def test_span(cli: DebugCli) -> None:
    assert cli.run("show interface span") == ""
    cli.run("set interface span pg0 destination pg1\nset interface span pg0 l2 destination pg1 rx")
    assert cli.run("show interface span").splitlines() == [
        f"{'Source':<32} {'Destination':<32}  Device       L2",
        f"{'pg0':<32} {'pg1':<32} (  both) (    rx)",
    ]
    assert "Invalid interface" in failure(cli, "set interface span pg0 destination pg0")
    assert "Multiple mirror states in input" in failure(cli, "set interface span pg0 rx tx destination pg1")
    cli.run("set interface span pg0 disable\nset interface span pg0 l2 destination pg1 disable")
    assert cli.run("show interface span") == ""


def test_l3xc(cli: DebugCli) -> None:
    assert cli.run("l3xc add via 10.0.1.2 pg1") == "Specify an input interface\n"
    assert cli.run("l3xc add pg0") == "Specify some paths\n"
    cli.run("l3xc add pg0 via 10.0.1.2 pg1")
    shown = cli.run("show l3xc").splitlines()
    assert shown[0] == "l3xc:[0]: pg0" and "ipv4 via 10.0.1.2 pg1: mtu:9000" in shown[-1]
    cli.run("l3xc del pg0 via 10.0.1.2 pg1")
    assert cli.run("show l3xc") == ""
