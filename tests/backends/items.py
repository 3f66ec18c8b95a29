"""One item, or several, of every kind: what both backends must take and give back."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Interface, IPv4Network, IPv6Address, IPv6Interface, IPv6Network

from vectorplane.backends.base import Backend, Operation
from vectorplane.backends.devices import options
from vectorplane.backends.items import (
    Acl,
    AclBinding,
    AclRule,
    BridgeArp,
    BridgeDomain,
    BridgePort,
    EtypeWhitelist,
    Interface,
    InterfaceAddress,
    InterfaceMac,
    InterfaceMtu,
    InterfaceTable,
    InterfaceUp,
    Ip4Enabled,
    Item,
    L2FibEntry,
    L2Xconnect,
    L3Xconnect,
    MacipAcl,
    MacipBinding,
    MacipRule,
    Nat44,
    NatAddress,
    NatBackend,
    NatIdentity,
    NatInterface,
    NatInterfaceAddress,
    NatService,
    NatStatic,
    Neighbour,
    Path,
    ProxyArpInterface,
    ProxyArpRange,
    Reassembly,
    Route,
    SoftwareGso,
    Span,
    SubInterface,
    Table,
    TagRewrite,
    Unnumbered,
)


def route(prefix: str, *paths: Path, table: int = 0) -> Route:
    """A route of either IP version."""
    network = IPv6Network(prefix) if ":" in prefix else IPv4Network(prefix)
    return Route(network, tuple(sorted(paths)), table)


def address(interface: str, text: str) -> InterfaceAddress:
    """An address of either IP version."""
    return InterfaceAddress(interface, IPv6Interface(text) if ":" in text else IPv4Interface(text))


def tunnel(name: str, device: str, src: str, dst: str, **given: object) -> Interface:
    """A tunnel over IPv4."""
    return Interface(name, device, options(device, src=IPv4Address(src), dst=IPv4Address(dst), **given))


MAC = "02:00:00:00:07:01"
UPS = ("in", "out", "lo0", "vrf", "un", "in.0", "out.100", "out.200", "vrf.7")
ANY4, ANY6 = IPv4Network("0.0.0.0/0"), IPv6Network("::/0")
ACL_RULES = (
    AclRule("permit+reflect", IPv4Network("10.0.0.0/8"), ANY4, 6, (0, 65535), (80, 443), (0x12, 0x02)),
    AclRule("permit", IPv6Network("2001:db8::/32"), ANY6, 58, (128, 129), (0, 255)),
    AclRule("deny", ANY4, IPv4Network("192.0.2.1/32")),
)
MACIP_RULES = (
    MacipRule("permit", "02:00:00:00:00:01", "ff:ff:ff:ff:ff:ff", IPv4Network("10.0.0.0/24")),
    MacipRule("permit-both", "02:00:00:00:00:00", "ff:ff:00:00:00:00", ANY6),
    MacipRule("deny", "00:00:00:00:00:00", "00:00:00:00:00:00", ANY4),
)
NAT = IPv4Address("203.0.113.1")
NAT_BACKENDS = tuple(NatBackend(IPv4Address(f"10.9.1.{i}"), 80 + i, i, table=10 * (i == 3)) for i in (1, 2, 3))
ITEMS: tuple[Item, ...] = (
    Table(10, name="blue", flow_hash=("dst", "src")),
    Table(20),
    Table(10, ip6=True, name="six"),
    Interface("in", "capture", (("promiscuous", True),)),
    Interface("out", "pg"),
    Interface("lo0", "loopback"),
    Interface("vrf", "null"),
    Interface("un", "pg"),
    SubInterface("in", 0, default=True, exact=False),
    SubInterface("out", 100, 100),
    SubInterface("out", 200, 100, 200),
    SubInterface("vrf", 7, 7, 4095, dot1ad=True, exact=False),
    InterfaceMac("out", "02:fe:00:00:00:02"),
    InterfaceMtu("out", 1500),
    InterfaceMtu("out.100", 1400),
    InterfaceTable("vrf", 10),
    InterfaceTable("vrf", 10, ip6=True),
    address("out", "10.0.0.1/24"),
    address("out", "10.0.0.5/24"),
    address("lo0", "192.168.1.1/32"),
    address("vrf", "10.0.0.1/24"),
    address("out", "2001:db8::1/64"),
    Unnumbered("un", "lo0"),
    Ip4Enabled("in"),
    Ip4Enabled("in.0"),
    ProxyArpRange(IPv4Address("10.0.0.10"), IPv4Address("10.0.0.20")),
    ProxyArpInterface("out"),
    Reassembly("out", "full"),
    SoftwareGso("out"),
    SoftwareGso("out.100"),
    Reassembly("in", "virtual"),
    Reassembly("out.100", "full"),
    Reassembly("out.100", "virtual"),
    Neighbour("out", IPv4Address("10.0.0.2"), "02:00:00:00:00:99"),
    Neighbour("out", IPv6Address("2001:db8::2"), "02:00:00:00:00:99"),
    route("0.0.0.0/0", Path("10.0.0.2", "out")),
    route("20.0.0.0/8", Path("10.0.0.2", "out", weight=3), Path("10.0.0.3", "out")),
    route("21.0.0.0/8", Path(action="blackhole")),
    route("22.0.0.0/8", Path(action="unreachable")),
    route("23.0.0.0/8", Path(action="prohibit")),
    route("24.0.0.0/8", Path(table=10)),
    route("25.0.0.0/8", Path("20.0.0.1")),
    route("26.0.0.0/24", Path("10.0.0.9", table=10)),
    route("27.0.0.0/8", Path(interface="out.100")),
    route("30.0.0.0/8", Path("10.0.0.2", "vrf"), table=10),
    route("30.1.0.0/16", Path(table=0), table=10),
    route("31.0.0.0/8", Path("10.0.0.2", "out", preference=1), Path("10.0.0.3", "out")),
    route("::/0", Path("2001:db8::2", "out")),
    route("2001:db8:1::/48", Path(action="blackhole")),
    route("2001:db8:2::/48", Path(table=10)),
    route("2001:db8:3::/48", Path("2001:db8::77")),
    route("2001:db8:4::/48", Path(interface="vrf"), table=10),
    *map(InterfaceUp, UPS),
    tunnel("vx", "vxlan", "10.0.0.1", "10.0.0.2", vni=42),
    tunnel("vx0", "vxlan", "10.0.0.1", "10.0.0.2", vni=0, src_port=4790, dst_port=4791, table=20, instance=7),
    tunnel("vxg", "vxlan", "10.0.0.1", "239.1.1.1", vni=(1 << 24) - 1, multicast_interface="out"),
    tunnel("vx3", "vxlan", "10.0.0.1", "10.0.0.2", vni=43, l3=True),
    tunnel("ge", "geneve", "10.0.0.1", "10.0.0.2", vni=42),
    tunnel("ge3", "geneve", "10.0.0.1", "10.0.0.2", vni=43, table=20, l3=True),
    tunnel("geg", "geneve", "10.0.0.1", "239.1.1.2", vni=1, multicast_interface="vrf"),
    tunnel("gr3", "gre", "10.0.0.1", "10.0.0.2"),
    tunnel("grk", "gre", "10.0.0.1", "10.0.0.2", kind="teb", key=0xFFFFFFFF, table=20),
    tunnel("gre", "gre", "10.0.0.1", "10.0.0.2", kind="erspan", session=1023),
    tunnel("ipip", "ipip", "10.0.0.1", "10.0.0.2"),
    tunnel("ipip2", "ipip", "10.0.0.1", "10.0.0.2", table=20),
    Interface("bvi", "bvi"),
    Interface("a", "pg"),
    Interface("b", "pg"),
    Interface("loop", "loopback"),
    SubInterface("a", 1, 1),
    SubInterface("a", 2, 2, 20),
    SubInterface("b", 1, 1),
    InterfaceMac("bvi", "02:fe:00:00:00:77"),
    BridgeDomain(1),
    BridgeDomain(7, False, False, False, False, True, True, 5, "seven"),
    BridgePort("bvi", 1, "bvi"),
    BridgePort("a.1", 1),
    BridgePort("vx", 1, shg=1),
    BridgePort("vxg", 1, shg=1),
    BridgePort("a.2", 7, shg=255),
    BridgePort("loop", 7, "bvi"),
    BridgePort("ge", 7, "uu-fwd"),
    BridgePort("grk", 7),
    L2Xconnect("b", "b.1"),
    L2Xconnect("b.1", "b"),
    TagRewrite("a.1", "pop-1"),
    TagRewrite("a.2", "translate-2-2", True, (7, 8)),
    TagRewrite("b.1", "translate-1-1", False, (4094,)),
    TagRewrite("b", "push-2", False, (5, 6)),
    L2FibEntry(1, MAC, "vx"),
    L2FibEntry(1, "02:00:00:00:07:02"),
    L2FibEntry(7, MAC, "a.2"),
    BridgeArp(7, IPv4Address("10.7.0.1"), MAC),
    BridgeArp(7, IPv6Address("2001:db8:7::1"), MAC),
    address("bvi", "10.1.0.1/24"),
    Span("out", "a", "rx"),
    Span("out", "b", "both"),
    Span("lo0", "a", "tx"),
    Span("a.1", "gre", "both", l2=True),
    L3Xconnect("out.100", (Path("10.0.0.2", "out"), Path("10.0.0.3", "out", weight=2))),
    L3Xconnect("in.0", (Path("20.0.0.1"),)),
    Acl("web", ACL_RULES),
    Acl("nothing", ()),
    AclBinding("out", ("web", "nothing"), ("nothing",)),
    AclBinding("a.1", (), ("web",)),
    EtypeWhitelist("a.1", (0x0806, 0x86DD), (0x0806,)),
    MacipAcl("stations", MACIP_RULES),
    MacipBinding("a.2", "stations"),
    Nat44(0, 10, 1000, True, 100, 200, 30, 40, 1400),
    NatAddress(NAT),
    NatAddress(IPv4Address("203.0.113.2"), 10),
    NatAddress(IPv4Address("203.0.113.9"), twice_nat=True),
    NatInterfaceAddress("out"),
    NatInterfaceAddress("lo0", True),
    NatInterface("vrf", "inside"),
    NatInterface("out", "outside"),
    NatInterface("loop", "both"),
    NatInterface("un", "output"),
    NatStatic(IPv4Address("10.9.0.1"), IPv4Address("203.0.113.3")),
    NatStatic(IPv4Address("10.9.0.2"), NAT, "", 6, 80, 8080, 0, "twice-nat", True, None, "web"),
    NatStatic(IPv4Address("10.9.0.3"), NAT, "", 17, 53, 53, 0, "self-twice-nat"),
    NatStatic(IPv4Address("10.9.0.4"), None, "out", 6, 22, 2222, 10, tag="ssh"),
    NatStatic(IPv4Address("10.9.0.5"), NAT, "", 6, 443, 443, 0, "twice-nat", pool=IPv4Address("203.0.113.9")),
    NatService(NAT, 81, 6, NAT_BACKENDS, "self-twice-nat", True, 30, "service"),
    NatService(NAT, 82, 17, NAT_BACKENDS[:2]),
    NatIdentity(IPv4Address("203.0.113.4")),
    NatIdentity(IPv4Address("203.0.113.5"), "", 6, 179, 10, "bgp"),
    NatIdentity(None, "out", 17, 4789),
)
"""In an order in which they can be made."""


def dump(backend: Backend) -> dict[str, Item]:
    """All that a backend holds, by key; no key may come twice."""
    found: dict[str, Item] = {}
    for kind in backend.kinds():
        for item in backend.dump(kind):
            assert item.key not in found, item
            found[item.key] = item
    return found


def bring(backend: Backend, items: tuple[Item, ...] = ITEMS) -> list[str]:
    """Create items; what was refused."""
    return [str(e) for e in backend.apply([Operation("create", item) for item in items]) if e is not None]


def take_away(backend: Backend, items: tuple[Item, ...] = ITEMS) -> list[str]:
    """Delete items, in the other order; what was refused."""
    return [str(e) for e in backend.apply([Operation("delete", item) for item in reversed(items)]) if e is not None]
