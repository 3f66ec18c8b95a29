"""Writes the parity scenarios of tunnels; see `tests.parity.write_scenarios`, of which this is the other half.

python -m tests.parity.write_tunnel_scenarios
parity.py record --vpp /path/to/vpp --api-dir /path/to/api tests/parity/scenarios/own-tunnel-*.json
"""

from __future__ import annotations

import random
from typing import Any

from scapy.contrib.geneve import GENEVE
from scapy.contrib.mpls import MPLS
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import ICMPv6EchoRequest, IPv6, IPv6ExtHdrFragment, IPv6ExtHdrHopByHop
from scapy.layers.l2 import ARP, GRE, Dot1AD, Dot1Q, Ether
from scapy.layers.vxlan import VXLAN
from scapy.packet import Packet, Raw

from tests.parity.write_scenarios import (
    NONE,
    Scenario,
    Step,
    address,
    api,
    host,
    neighbour,
    path,
    route,
    sent,
    udp,
)

COPY_DF, SET_DF, COPY_DSCP, COPY_ECN, DECAP_COPY_ECN = 1, 2, 4, 8, 16
L3, TEB, ERSPAN = range(3)
HERE, THERE = "10.0.0.1", "10.0.0.2"


def underlay() -> list[Step]:
    """The outer network is on pg0, the tunnel's other end a neighbour there."""
    return [address("$pg0", f"{HERE}/24"), neighbour("$pg0", THERE, host(0, 2))]


def vxlan(vni: int, name: str, **fields: Any) -> Step:
    """A VXLAN tunnel."""
    usual = {
        "is_add": True,
        "instance": NONE,
        "src_address": HERE,
        "dst_address": THERE,
        "src_port": 4789,
        "dst_port": 4789,
        "mcast_sw_if_index": NONE,
        "encap_vrf_id": 0,
        "decap_next_index": NONE,
        "vni": vni,
        "is_l3": False,
    }
    return api("vxlan_add_del_tunnel_v3", save={name: "sw_if_index"}, **(usual | fields))


def geneve(vni: int, name: str) -> Step:
    """A GENEVE tunnel."""
    return api(
        "geneve_add_del_tunnel2",
        save={name: "sw_if_index"},
        is_add=True,
        local_address=HERE,
        remote_address=THERE,
        mcast_sw_if_index=NONE,
        encap_vrf_id=0,
        decap_next_index=NONE,
        vni=vni,
        l3_mode=False,
    )


def gre(name: str, kind: int, dst: str = THERE, key: int = 0, session: int = 0, flags: int = 0) -> Step:
    """A GRE tunnel."""
    tunnel = {
        "type": kind,
        "mode": 0,
        "flags": flags,
        "session_id": session,
        "instance": NONE,
        "outer_table_id": 0,
        "sw_if_index": 0,
        "src": HERE,
        "dst": dst,
        "key": key,
    }
    return api("gre_tunnel_add_del_v2", save={name: "sw_if_index"}, is_add=True, tunnel=tunnel)


def ipip(name: str, dst: str, flags: int = 0, dscp: int = 0) -> Step:
    """An IPIP tunnel."""
    tunnel = {
        "instance": NONE,
        "src": HERE,
        "dst": dst,
        "sw_if_index": 0,
        "table_id": 0,
        "flags": flags,
        "mode": 0,
        "dscp": dscp,
    }
    return api("ipip_add_tunnel", save={name: "sw_if_index"}, tunnel=tunnel)


def up(interface: str) -> Step:
    """An interface goes up."""
    return api("sw_interface_set_flags", sw_if_index=interface, flags=1)


def bridged(*interfaces: str) -> list[Step]:
    """Ports of bridge domain 1, which floods and learns nothing."""
    domain = {
        "bd_id": 1,
        "flood": True,
        "uu_flood": True,
        "forward": True,
        "learn": False,
        "arp_term": False,
        "arp_ufwd": False,
        "mac_age": 0,
        "bd_tag": "bd",
        "is_add": True,
    }
    steps = [api("bridge_domain_add_del_v2", **domain)]
    for each in interfaces:
        port = {"rx_sw_if_index": each, "bd_id": 1, "port_type": 0, "shg": 0, "enable": True}
        steps.append(api("sw_interface_set_l2_bridge", **port))
    return steps


def tags(dice: random.Random) -> Packet | None:
    """None, one or two VLAN tags."""
    which = dice.randrange(6)
    if which == 0:
        return Dot1Q(vlan=dice.randrange(4096))
    if which == 1:
        return Dot1AD(vlan=dice.randrange(4096)) / Dot1Q(vlan=dice.randrange(4096))
    if which == 2:
        return Dot1Q(vlan=dice.randrange(4096)) / Dot1Q(vlan=dice.randrange(4096))
    return None


def inside(dice: random.Random, kinds: int = 12) -> Packet:
    """Something to be hashed; all of it healthy, and long enough that nobody reads beyond its end."""
    four = IP(src=f"10.{dice.randrange(256)}.1.{dice.randrange(1, 255)}", dst=f"20.0.{dice.randrange(256)}.1")
    six = IPv6(src=f"2001:db8::{dice.randrange(65536):x}", dst=f"2001:db8:1::{dice.randrange(65536):x}")
    six.fl = dice.choice([0, dice.randrange(1 << 20)])
    ports = {"sport": dice.randrange(65536), "dport": dice.randrange(65536)}
    rest = Raw(bytes(dice.randrange(256) for _ in range(dice.randrange(24, 60))))
    label = MPLS(label=dice.randrange(16, 1 << 20), ttl=9)
    which = dice.randrange(kinds)
    if which == 0:
        return four / UDP(**ports) / rest
    if which == 1:
        return four / TCP(**ports) / rest
    if which == 2:
        return four / ICMP() / rest
    if which == 3:
        return six / UDP(**ports) / rest
    if which == 4:
        return six / TCP(**ports) / rest
    if which == 5:
        return six / ICMPv6EchoRequest() / rest
    if which == 6:
        return six / IPv6ExtHdrHopByHop() / UDP(**ports) / rest
    if which == 7:
        return six / IPv6ExtHdrFragment(id=dice.randrange(1 << 32), offset=8, nh=17) / rest
    if which == 8:
        label.s = 0
        return label / MPLS(label=dice.randrange(1 << 20), s=1, ttl=8) / four / UDP(**ports) / rest
    if which == 9:
        label.s = 0
        return (
            label
            / MPLS(label=dice.choice([7, 14]), s=0)
            / MPLS(label=dice.randrange(1 << 20), s=1)
            / six
            / UDP(**ports)
            / rest
        )
    if which == 10:
        label.s = 1
        return label / Raw(b"\x90" + bytes(rest))
    return ARP(psrc=four.src, pdst=four.dst) / rest


def frames(dice: random.Random, number: int) -> list[Packet]:
    """Frames of many kinds, none of whose destinations is known."""
    made = []
    for _ in range(number):
        head = Ether(src=host(1, dice.randrange(1, 250)), dst=f"02:00:{dice.randrange(256):02x}:99:00:01")
        tagged = tags(dice)
        made.append(head / tagged / inside(dice) if tagged is not None else head / inside(dice))
    made.append(Ether(src=host(1, 1), dst="02:00:00:99:00:02", type=0x9999) / Raw(bytes(range(60))))
    return made


def outer(*rest: Packet, source: str = THERE, destination: str = HERE, **fields: Any) -> list[Packet]:
    """Packets from the tunnel's other end."""
    return sent(0, 2, *(IP(src=source, dst=destination, id=7, **fields) / r for r in rest))


def vxlan_flow_hash() -> Scenario:
    """What the UDP source port of an encapsulated frame is made of."""
    s = Scenario("own-tunnel-vxlan-flow-hash", "Frames of all kinds go into a VXLAN tunnel: the UDP source port.")
    s.do(*underlay(), vxlan(77, "vx"), *bridged("$vx", "$pg1"))
    dice = random.Random(1)
    return s.send(pg1=frames(dice, 120)).send(pg1=frames(dice, 120))


def vxlan_decap() -> Scenario:
    """Tunnels told apart by VNI and port, and packets of none."""
    s = Scenario("own-tunnel-vxlan-decap", "VXLAN packets of two tunnels, of none, with wrong flags, and to a group.")
    s.do(*underlay(), vxlan(5, "a"), vxlan(5, "b", src_port=5000, dst_port=6000), *bridged("$a", "$b", "$pg1"))
    dice = random.Random(2)
    inner = frames(dice, 5)
    group = {"dst_address": "239.1.1.1", "mcast_sw_if_index": "$pg0"}
    for port in (4789, 5000):
        ways = [VXLAN(vni=5, flags=8), VXLAN(vni=6, flags=8), VXLAN(vni=5, flags=0), VXLAN(vni=5, flags=0x88)]
        packets = [UDP(sport=99, dport=port, chksum=0) / way / each for way in ways for each in inner]
        s.send("unordered", pg0=outer(*packets))
    s.send("unordered", pg0=outer(UDP(sport=99, dport=4789) / VXLAN(vni=5, flags=8) / inner[0], source="10.0.0.3"))
    s.do(vxlan(5, "group", **group), *bridged("$group")[1:])
    to_group = UDP(sport=99, dport=4789, chksum=0) / VXLAN(vni=5, flags=8)
    s.send("unordered", pg0=[Ether(src=host(0, 2), dst="01:00:5e:01:01:01") / outer_to_group(to_group / inner[1])])
    return s.send("unordered", pg1=inner[:3])


def outer_to_group(rest: Packet) -> Packet:
    """A packet from the tunnel's other end to the group."""
    return IP(src=THERE, dst="239.1.1.1", id=8) / rest


def vxlan_bypass() -> Scenario:
    """The short way into the tunnel."""
    s = Scenario("own-tunnel-vxlan-bypass", "The interface of the outer network looks for VXLAN and GENEVE packets.")
    s.do(*underlay(), vxlan(5, "a"), geneve(9, "b"), *bridged("$a", "$b", "$pg1"))
    for name in ("vxlan", "geneve"):
        s.do(api(f"sw_interface_set_{name}_bypass", sw_if_index="$pg0", is_ipv6=False, enable=True))
    inner = frames(random.Random(3), 4)
    wrong = UDP(sport=99, dport=4789, chksum=0x1234) / VXLAN(vni=5, flags=8) / inner[0]
    packets = [UDP(sport=99, dport=4789, chksum=0) / VXLAN(vni=5, flags=8) / each for each in inner]
    packets += [UDP(sport=99, dport=4789) / VXLAN(vni=5, flags=8) / each for each in inner]
    packets += [UDP(sport=99, dport=6081, chksum=0) / GENEVE(vni=9) / each for each in inner]
    packets += [wrong, UDP(sport=99, dport=4789, chksum=0) / VXLAN(vni=8, flags=8) / inner[1]]
    return s.send("unordered", pg0=outer(*packets))


def geneve_both_ways() -> Scenario:
    """GENEVE."""
    s = Scenario("own-tunnel-geneve", "Frames into a GENEVE tunnel and out of it; options, wrong VNIs.")
    s.do(*underlay(), geneve(0x123456, "ge"), *bridged("$ge", "$pg1"))
    dice = random.Random(4)
    s.send(pg1=frames(dice, 40))
    ways = [GENEVE(vni=0x123456), GENEVE(vni=0x123457), GENEVE(vni=0x123456, version=1)]
    packets = [UDP(sport=99, dport=6081, chksum=0) / way / each for way in ways for each in frames(dice, 3)]
    option = b"\x02\0\x65\x58\x12\x34\x56\0" + b"\x01\x02\x03\x01\xaa\xbb\xcc\xdd"
    packets += [UDP(sport=99, dport=6081, chksum=0) / Raw(option + bytes(each)) for each in frames(dice, 2)]
    return s.send("unordered", pg0=outer(*packets))


def gre_l3() -> Scenario:
    """GRE with IPv4 packets in it."""
    s = Scenario("own-tunnel-gre", "IPv4 packets into GRE tunnels (plain; with a key; that copy TOS bits), and out.")
    s.do(*underlay(), neighbour("$pg0", "10.0.0.3", host(0, 3)), neighbour("$pg0", "10.0.0.4", host(0, 4)))
    s.do(address("$pg1", "10.0.1.1/24"), neighbour("$pg1", "10.0.1.2", host(1, 2)))
    s.do(gre("a", L3), gre("b", L3, "10.0.0.3", key=0xCAFEBABE), gre("c", L3, "10.0.0.4", flags=COPY_DSCP | COPY_ECN))
    for n, name in enumerate("abc"):
        s.do(up(f"${name}"), address(f"${name}", f"10.9.{n}.1/24"))
        s.do(route(f"30.{n}.0.0/16", [path("0.0.0.0", f"${name}")]))
    inner = [udp("10.0.1.2", f"30.{n}.0.9", 1000 + n, tos=tos) for n in range(3) for tos in (0, 0xFF, 0x2B)]
    s.send(pg1=sent(1, 2, *inner))
    back = udp("30.0.0.9", "10.0.1.2", 2000)
    packets = [
        *outer(GRE() / back, GRE(key_present=1, key=9) / back, GRE(key_present=1, key=0) / back, GRE(version=1) / back),
        *outer(GRE() / back, GRE(key_present=1, key=0xCAFEBABE) / back, source="10.0.0.3"),
        *outer(GRE() / back, source="10.0.0.9"),
        *outer(GRE(proto=0x1234) / Raw(bytes(back))),
    ]
    return s.send("unordered", pg0=packets)


def gre_ethernet() -> Scenario:
    """GRE with frames in it."""
    s = Scenario("own-tunnel-gre-teb", "Frames into a GRE tunnel and out of it, and into an ERSPAN tunnel.")
    s.do(*underlay(), gre("teb", TEB), gre("span", ERSPAN, "10.0.0.3", session=5), up("$teb"), up("$span"))
    s.do(neighbour("$pg0", "10.0.0.3", host(0, 3)), *bridged("$teb", "$pg1"))
    dice = random.Random(5)
    s.send(pg1=frames(dice, 20))
    s.send("unordered", pg0=outer(*(GRE(proto=0x6558) / each for each in frames(dice, 4))))
    port = {"rx_sw_if_index": "$teb", "bd_id": 1, "port_type": 0, "shg": 0, "enable": False}
    s.do(api("sw_interface_set_l2_bridge", **port), *bridged("$span")[1:])
    return s.send(pg1=frames(dice, 5)).send(pg1=frames(dice, 5))


def ipip_both_ways() -> Scenario:
    """IP in IP."""
    s = Scenario("own-tunnel-ipip", "IPv4 packets into IPIP tunnels that copy DF, DSCP, ECN or set them, and out.")
    s.do(*underlay(), *(neighbour("$pg0", f"10.0.0.{n}", host(0, n)) for n in (3, 4, 5)))
    s.do(address("$pg1", "10.0.1.1/24"), neighbour("$pg1", "10.0.1.2", host(1, 2)))
    flags = (0, COPY_DF | COPY_DSCP, SET_DF | COPY_ECN | DECAP_COPY_ECN, COPY_DF)
    for n, each in enumerate(flags):
        name = f"$t{n}"
        s.do(ipip(name[1:], f"10.0.0.{n + 2}", each, dscp=10 if n == 3 else 0), up(name))
        s.do(address(name, f"10.9.{n}.1/24"), route(f"30.{n}.0.0/16", [path("0.0.0.0", name)]))
    inner = [
        udp("10.0.1.2", f"30.{n}.0.9", 1000 + n, tos=tos, flags=df)
        for n in range(4)
        for tos in (0, 0xFF, 0x2B)
        for df in ("", "DF")
    ]
    s.send(pg1=sent(1, 2, *inner))
    back = udp("30.0.0.9", "10.0.1.2", 2000)
    packets = [p for n in range(2, 7) for tos in (0, 3) for p in outer(back, source=f"10.0.0.{n}", tos=tos)]
    return s.send("unordered", pg0=packets)


def main() -> None:
    """Write all of them."""
    makers = (
        vxlan_flow_hash,
        vxlan_decap,
        vxlan_bypass,
        geneve_both_ways,
        gre_l3,
        gre_ethernet,
        ipip_both_ways,
    )
    for make in makers:
        make().write()


if __name__ == "__main__":
    main()
