"""Writes the project's own parity scenarios: configuration and packets; what is expected comes from a real VPP.

    python tests/parity/write_scenarios.py
    parity.py record --vpp /path/to/vpp --api-dir /path/to/api tests/parity/scenarios/*.json

The form is that of ../shared/parity (see there): API calls, debug CLI lines, packets sent into packet-generator
interfaces. The recorded answers (``expect``) are kept in the repository and compared by tests/test_parity_api.py.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from scapy.layers.inet import ICMP, IP, TCP, UDP, fragment
from scapy.layers.inet6 import ICMPv6ND_NS, ICMPv6NDOptSrcLLAddr, IPv6
from scapy.layers.l2 import ARP, Dot1AD, Dot1Q, Ether
from scapy.packet import Packet, Raw
from scapy.utils import wrpcap

FOLDER = Path(__file__).parent / "scenarios"
NONE = 0xFFFFFFFF
NORMAL, LOCAL, DROP, UNREACHABLE, PROHIBIT = 0, 1, 2, 5, 6
Step = dict[str, Any]


def mac(interface: int) -> str:
    """The router's address on an interface."""
    return f"02:fe:00:00:00:{interface:02x}"


def host(interface: int, number: int) -> str:
    """The address of a host behind an interface."""
    return f"02:00:00:00:{interface:02x}:{number:02x}"


def api(name: str, save: dict[str, str] | None = None, **args: Any) -> Step:
    """One API call; ``save``: fields of the reply kept under a name."""
    return {"api": name, "args": args} | ({"save": save} if save else {})


def address(interface: str, prefix: str, is_add: bool = True) -> Step:
    """An address of an interface comes or goes."""
    return api("sw_interface_add_del_address", sw_if_index=interface, is_add=is_add, prefix=prefix)


def neighbour(interface: str, ip: str, mac_address: str) -> Step:
    """A neighbour."""
    entry = {"sw_if_index": interface, "mac_address": mac_address, "ip_address": ip}
    return api("ip_neighbor_add_del", is_add=True, neighbor=entry)


def path(via: str = "0.0.0.0", interface: str | int = NONE, **fields: int) -> dict[str, Any]:
    """One path of a route."""
    return {
        "sw_if_index": interface,
        "table_id": fields.get("table_id", 0),
        "rpf_id": NONE,
        "weight": fields.get("weight", 1),
        "preference": fields.get("preference", 0),
        "type": fields.get("type", NORMAL),
        "flags": fields.get("flags", 0),
        "proto": 0,
        "nh": {"address": {"ip4": via}},
        "n_labels": 0,
        "label_stack": [{}] * 16,
    }


def route(
    prefix: str, paths: Sequence[dict[str, Any]], table_id: int = 0, is_add: bool = True, many: bool = False
) -> Step:
    """A route comes or goes."""
    entry = {"table_id": table_id, "prefix": prefix, "n_paths": len(paths), "paths": list(paths)}
    return api("ip_route_add_del", is_add=is_add, is_multipath=many, route=entry)


def two_sides() -> list[Step]:
    """10.0.0.1/24 on pg0 and 10.0.1.1/24 on pg1, two hosts behind each."""
    steps = []
    for i in range(2):
        steps.append(address(f"$pg{i}", f"10.0.{i}.1/24"))
        steps += [neighbour(f"$pg{i}", f"10.0.{i}.{n}", host(i, n)) for n in (2, 3)]
    return steps


def udp(source: str, destination: str, port: int = 1000, size: int = 26, **fields: Any) -> Packet:
    """An IPv4 packet with UDP."""
    return IP(src=source, dst=destination, id=port, **fields) / UDP(sport=port, dport=53) / Raw(bytes(range(size)))


def sent(interface: int, number: int, *rest: Packet) -> list[Packet]:
    """Frames from a host to the router."""
    return [Ether(src=host(interface, number), dst=mac(interface)) / r for r in rest]


class Scenario:
    """Steps being put together; `send` adds packets."""

    def __init__(self, name: str, about: str, interfaces: int = 2) -> None:
        self.name, self.about, self.interfaces = name, about, interfaces
        self.steps: list[Step] = []
        self.folder = FOLDER / name
        self.folder.mkdir(parents=True, exist_ok=True)
        for old in self.folder.glob("*.in.pcap"):
            old.unlink()

    def do(self, *steps: Step) -> Scenario:
        """Configure."""
        self.steps += steps
        return self

    def send(self, compare: str = "ordered", **frames: Sequence[Packet]) -> Scenario:
        """Send frames into interfaces."""
        files = {}
        for interface, packets in frames.items():
            files[interface] = f"{len(self.steps)}.{interface}.in.pcap"
            wrpcap(str(self.folder / files[interface]), list(packets))
        self.steps.append({"send": files, "compare": compare})
        return self

    def write(self) -> None:
        """Write the scenario's file."""
        interfaces = [{"mac": mac(i)} for i in range(self.interfaces)]
        whole = {"name": self.name, "about": self.about, "interfaces": interfaces, "steps": self.steps}
        (FOLDER / f"{self.name}.json").write_text(json.dumps(whole, indent=1) + "\n")


def unnumbered() -> Scenario:
    """An interface that borrows a loopback's address."""
    s = Scenario(
        "own-unnumbered-loopback", "pg0 borrows the address of loop0: ARP and ping to it, and routing out of pg1."
    )
    s.do(
        api(
            "create_loopback_instance",
            save={"loop0": "sw_if_index"},
            mac_address="de:ad:00:00:00:00",
            is_specified=True,
            user_instance=0,
        ),
        api("sw_interface_set_flags", sw_if_index="$loop0", flags=1),
        address("$loop0", "10.9.9.1/32"),
        api("sw_interface_set_unnumbered", sw_if_index="$loop0", unnumbered_sw_if_index="$pg0", is_add=True),
        address("$pg1", "10.0.1.1/24"),
        neighbour("$pg1", "10.0.1.2", host(1, 2)),
        neighbour("$pg0", "10.9.9.7", host(0, 7)),
        route("10.9.9.7/32", [path("10.9.9.7", "$pg0")]),
    )
    ask = Ether(src=host(0, 7), dst="ff:ff:ff:ff:ff:ff") / ARP(op=1, hwsrc=host(0, 7), psrc="10.9.9.7", pdst="10.9.9.1")
    s.send("ids", pg0=[ask, *sent(0, 7, IP(src="10.9.9.7", dst="10.9.9.1", id=7) / ICMP(id=1, seq=1) / Raw(b"ping"))])
    s.send(pg0=sent(0, 7, udp("10.9.9.7", "10.0.1.2")), pg1=sent(1, 2, udp("10.0.1.2", "10.9.9.7", 2000)))
    return s


def vlans() -> Scenario:
    """Sub-interfaces: one tag, two tags, and tags that nobody wants."""
    s = Scenario(
        "own-vlan-subinterfaces",
        "Routing between pg0.100 (802.1Q), pg0.200 (QinQ 200/7) and pg1; unknown VLANs are dropped.",
    )
    s.do(
        *two_sides(),
        api("create_vlan_subif", save={"sub100": "sw_if_index"}, sw_if_index="$pg0", vlan_id=100),
        api(
            "create_subif",
            save={"sub200": "sw_if_index"},
            sw_if_index="$pg0",
            sub_id=200,
            sub_if_flags=4 | 8 | 16,
            outer_vlan_id=200,
            inner_vlan_id=7,
        ),
    )
    for sub, net in (("$sub100", 100), ("$sub200", 200)):
        s.do(
            api("sw_interface_set_flags", sw_if_index=sub, flags=1),
            address(sub, f"10.0.{net}.1/24"),
            neighbour(sub, f"10.0.{net}.2", host(0, net)),
        )
    tagged = Ether(src=host(0, 100), dst=mac(0))
    s.send(
        pg0=[
            tagged / Dot1Q(vlan=100) / udp("10.0.100.2", "10.0.1.2", 1),
            tagged / Dot1AD(vlan=200) / Dot1Q(vlan=7) / udp("10.0.200.2", "10.0.1.2", 2),
            tagged / Dot1Q(vlan=200) / Dot1Q(vlan=7) / udp("10.0.200.2", "10.0.1.2", 3),
            tagged / Dot1Q(vlan=200) / Dot1Q(vlan=8) / udp("10.0.200.2", "10.0.1.2", 4),
            tagged / Dot1Q(vlan=300) / udp("10.0.100.2", "10.0.1.2", 5),
            tagged / Dot1Q(vlan=100) / Dot1Q(vlan=5) / udp("10.0.100.2", "10.0.1.2", 6),
            tagged / Dot1Q(vlan=0) / udp("10.0.0.2", "10.0.1.2", 7),
        ],
        pg1=sent(
            1, 2, udp("10.0.1.2", "10.0.100.2", 8), udp("10.0.1.2", "10.0.200.2", 9), udp("10.0.1.2", "10.0.0.2", 10)
        ),
    )
    ask = ARP(op=1, hwsrc=host(0, 100), psrc="10.0.100.9", pdst="10.0.100.1")
    s.send(pg0=[Ether(src=host(0, 100), dst="ff:ff:ff:ff:ff:ff") / Dot1Q(vlan=100) / ask])
    return s


def proxy_arp() -> Scenario:
    """Answering for others."""
    s = Scenario(
        "own-proxy-arp", "pg0 answers ARP for 10.0.0.100 to 10.0.0.110; the ends of the range, and what lies outside."
    )
    s.do(*two_sides())
    entry = {"table_id": 0, "low": "10.0.0.100", "hi": "10.0.0.110"}
    asks = [
        Ether(src=host(0, 2), dst="ff:ff:ff:ff:ff:ff")
        / ARP(op=1, hwsrc=host(0, 2), psrc="10.0.0.2", pdst=f"10.0.0.{n}")
        for n in (99, 100, 105, 110, 111)
    ]
    s.do(api("proxy_arp_add_del", is_add=True, proxy=entry)).send(pg0=asks)
    s.do(api("proxy_arp_intfc_enable_disable", sw_if_index="$pg0", enable=True)).send(pg0=asks)
    s.do(api("proxy_arp_add_del", is_add=False, proxy=entry)).send(pg0=asks)
    return s


def recursive() -> Scenario:
    """Routes that resolve through routes, and preferences."""
    s = Scenario(
        "own-recursive-preference",
        "A recursive route follows its next hop's route; a backup path takes over when an interface goes down.",
        3,
    )
    s.do(*two_sides(), address("$pg2", "10.0.2.1/24"), neighbour("$pg2", "10.0.2.2", host(2, 2)))
    s.do(
        route("20.0.0.0/8", [path("30.0.0.9")]),
        route("30.0.0.0/8", [path("10.0.1.2", "$pg1"), path("10.0.2.2", "$pg2", preference=1)]),
    )
    frames = sent(0, 2, udp("10.0.0.2", "20.1.1.1"), udp("10.0.0.2", "30.1.1.1", 1001))
    s.send("unordered", pg0=frames)
    s.do(api("sw_interface_set_flags", sw_if_index="$pg1", flags=0)).send("unordered", pg0=frames)
    s.do(api("sw_interface_set_flags", sw_if_index="$pg1", flags=1), neighbour("$pg1", "10.0.1.2", host(1, 2))).send(
        pg0=frames
    )
    s.do(route("30.0.0.0/8", [path(type=DROP)])).send("unordered", pg0=frames)
    return s


def refusals() -> Scenario:
    """Routes that answer with ICMP errors."""
    s = Scenario(
        "own-unreachable-prohibit",
        "Routes that drop, answer with ICMP unreachable or prohibited, and one that delivers locally.",
    )
    s.do(
        *two_sides(),
        route("40.1.0.0/16", [path(type=DROP)]),
        route("40.2.0.0/16", [path(type=UNREACHABLE)]),
        route("40.3.0.0/16", [path(type=PROHIBIT)]),
        route("40.4.0.1/32", [path(type=LOCAL)]),
    )
    s.send("ids", pg0=sent(0, 2, udp("10.0.0.2", "40.1.0.1")))
    s.send("ids", pg0=sent(0, 2, udp("10.0.0.2", "40.2.0.1")))
    s.send("ids", pg0=sent(0, 3, udp("10.0.0.3", "40.3.0.1")))
    s.send("ids", pg0=sent(0, 3, IP(src="10.0.0.3", dst="40.4.0.1", id=9) / ICMP(id=5, seq=6) / Raw(b"hello")))
    s.send("ids", pg0=sent(0, 2, udp("10.0.0.2", "50.0.0.1")))
    return s


def directed_broadcast() -> Scenario:
    """Packets to a subnet's broadcast address."""
    s = Scenario(
        "own-directed-broadcast",
        "Packets to the broadcast address of pg1's subnet: dropped, and sent once it is allowed.",
    )
    frames = sent(0, 2, udp("10.0.0.2", "10.0.1.255"))
    s.do(*two_sides()).send(pg0=frames)
    s.do(api("sw_interface_set_ip_directed_broadcast", sw_if_index="$pg1", enable=True)).send(pg0=frames)
    s.do(api("sw_interface_set_ip_directed_broadcast", sw_if_index="$pg1", enable=False)).send(pg0=frames)
    return s


def address_changes() -> Scenario:
    """Addresses, neighbours and interfaces that come and go."""
    s = Scenario(
        "own-address-changes",
        "An address goes and another comes; an interface goes down and up; what was routed follows.",
    )
    frames = sent(0, 2, udp("10.0.0.2", "10.0.1.2"), udp("10.0.0.2", "10.5.1.2", 1001))
    s.do(*two_sides()).send(pg0=frames)
    s.do(
        address("$pg1", "10.0.1.1/24", False), address("$pg1", "10.5.1.1/24"), neighbour("$pg1", "10.5.1.2", host(1, 5))
    )
    s.send(pg0=frames)
    s.do(api("sw_interface_set_flags", sw_if_index="$pg1", flags=0)).send(pg0=frames)
    s.do(api("sw_interface_set_flags", sw_if_index="$pg1", flags=1), neighbour("$pg1", "10.5.1.2", host(1, 5))).send(
        pg0=frames
    )
    s.do(api("sw_interface_set_mac_address", sw_if_index="$pg1", mac_address="02:fe:00:00:77:77")).send(pg0=frames)
    return s


def lookups() -> Scenario:
    """Going on in another table."""
    s = Scenario(
        "own-lookup-in-table",
        "A route of table 10 leads to a look-up in table 0; a route of table 0 to one in table 10.",
        3,
    )
    s.do(
        *two_sides(),
        api(
            "ip_table_add_del_v2", is_add=True, create_mfib=True, table={"table_id": 10, "is_ip6": False, "name": "ten"}
        ),
        api("sw_interface_set_table", sw_if_index="$pg2", is_ipv6=False, vrf_id=10),
        address("$pg2", "10.0.2.1/24"),
        neighbour("$pg2", "10.0.2.2", host(2, 2)),
        route("10.0.1.0/24", [path(table_id=0)], table_id=10),
        route("10.0.2.0/24", [path(table_id=10)]),
    )
    s.send(
        pg2=sent(2, 2, udp("10.0.2.2", "10.0.1.2"), udp("10.0.2.2", "10.0.0.2", 1001)),
        pg1=sent(1, 2, udp("10.0.1.2", "10.0.2.2", 1002)),
    )
    return s


def local_fragments() -> Scenario:
    """A ping in fragments."""
    s = Scenario(
        "own-ping-in-fragments",
        "A large ping to the router comes in fragments, in order and out of order, and is answered.",
    )
    s.do(*two_sides(), api("sw_interface_set_mtu", sw_if_index="$pg0", mtu=[1500, 0, 0, 0]))
    whole = IP(src="10.0.0.2", dst="10.0.0.1", id=77) / ICMP(id=3, seq=4) / Raw(bytes(i & 255 for i in range(2000)))
    parts = fragment(whole, fragsize=800)
    s.send("ids", pg0=sent(0, 2, *parts))
    return s


def tcp_to_us() -> Scenario:
    """What is for the router but nobody serves."""
    s = Scenario("own-local-ports", "UDP and TCP to the router's own address: answered with ICMP, or dropped.")
    s.do(*two_sides())
    s.send("ids", pg0=sent(0, 2, udp("10.0.0.2", "10.0.0.1", 3000)))
    s.send("ids", pg0=sent(0, 2, IP(src="10.0.0.2", dst="10.0.1.1", id=4) / TCP(sport=4000, dport=80, flags="S")))
    s.send("ids", pg0=sent(0, 3, IP(src="10.0.0.3", dst="10.0.0.1", id=5, proto=253) / Raw(b"whatever it is")))
    return s


def solicitations() -> Scenario:
    """IPv6 neighbour discovery."""
    s = Scenario(
        "own-ip6-neighbour-solicitation",
        "Neighbour solicitations to an address of ours, to its solicited-node group, and to others.",
    )
    s.do(address("$pg0", "2001:db8::1/64"))
    ask = ICMPv6ND_NS(tgt="2001:db8::1") / ICMPv6NDOptSrcLLAddr(lladdr=host(0, 2))
    other = ICMPv6ND_NS(tgt="2001:db8::77") / ICMPv6NDOptSrcLLAddr(lladdr=host(0, 2))
    group = Ether(src=host(0, 2), dst="33:33:ff:00:00:01")
    s.send(
        pg0=[
            group / IPv6(src="2001:db8::2", dst="ff02::1:ff00:1", hlim=255) / ask,
            group / IPv6(src="2001:db8::2", dst="ff02::1:ff00:1", hlim=255) / other,
            *sent(0, 2, IPv6(src="2001:db8::2", dst="2001:db8::1", hlim=255) / ask),
        ]
    )
    return s


def main() -> None:
    """Write all of them."""
    makers = (
        unnumbered,
        vlans,
        proxy_arp,
        recursive,
        refusals,
        directed_broadcast,
        address_changes,
        lookups,
        local_fragments,
        tcp_to_us,
        solicitations,
    )
    for make in makers:
        make().write()


if __name__ == "__main__":
    main()
