"""Packets between pods, hosts and the outside, through engines that hold what the handlers want."""

from __future__ import annotations

from io import BytesIO
from ipaddress import ip_interface

import pytest
from scapy.layers.inet import ICMP, IP, UDP
from scapy.layers.l2 import Ether
from scapy.layers.vxlan import VXLAN
from scapy.utils import rdpcap

from tests.control.cluster.driver import NIC
from tests.control.cluster.ipnet.cluster import DATA, GATEWAY_MAC, OUTSIDE, PING, Cluster, cluster
from tests.control.cluster.ipnet.records import kubernetes, pod, vpp
from vectorplane.control.cluster import names
from vectorplane.control.cluster.ipam.settings import IpamSettings
from vectorplane.control.cluster.ipnet.ends import host_end, pod_end
from vectorplane.control.cluster.settings import ClusterSettings
from vectorplane.control.cluster.this_node import LocalPod, Nic

NO_OVERLAY = ClusterSettings(transport="noOverlay")


def arrives(heard: list[tuple[str, Ether]], where: str, ttl: int, destination: str, source: str) -> Ether:
    """Exactly one packet came out, there, with its data and with a TTL lower by the routers on its way."""
    assert [place for place, _ in heard] == [where], heard
    (_, frame) = heard[0]
    ip = frame[IP]
    assert (ip.ttl, ip.dst, ip.src) == (ttl, destination, source)
    assert bytes(ip[UDP])[8:] == bytes(DATA)[8:]
    return frame


def link_of(number: int, pod: LocalPod) -> str:
    return f"{number}/{pod.interface}"


@pytest.mark.parametrize("settings", [ClusterSettings(), NO_OVERLAY], ids=["vxlan", "noOverlay"])
def test_everybody_reaches_everybody(settings: ClusterSettings) -> None:
    overlay = settings.transport == "vxlan"
    with cluster(2, settings) as c:
        a, b = c.members[1].add_pod("a"), c.members[1].add_pod("b")
        far = c.members[2].add_pod("far")
        mine, other, remote = str(a.address), str(b.address), str(far.address)
        assert (mine, other, remote) == ("10.1.1.2", "10.1.1.3", "10.1.2.2")
        # a pod of the same node: one router, both ends of the second link as they were told
        frame = arrives(c.from_pod(1, a, other), link_of(1, b), 63, other, mine)
        end = pod_end(c.members[1].node, b)
        assert (frame.dst, frame.src) == (end.mac, end.gateway_mac)
        # of another node, and back
        frame = arrives(c.from_pod(1, a, remote), link_of(2, far), 62, remote, mine)
        assert frame.dst == pod_end(c.members[2].node, far).mac
        arrives(c.from_pod(2, far, mine), link_of(1, a), 62, mine, remote)
        # hosts: the own one's link and address, another one's, and the outside
        host = f"{{}}/{names.HOST_LINK}".format
        arrives(c.from_pod(1, a, "172.30.1.2"), host(1), 63, "172.30.1.2", mine)
        arrives(c.from_pod(1, a, "10.20.0.1"), host(1), 63, "10.20.0.1", mine)
        arrives(c.from_pod(1, a, "172.30.2.2"), host(2), 62, "172.30.2.2", mine)
        arrives(c.from_pod(1, a, "10.20.0.2"), host(2), 62, "10.20.0.2", mine)
        frame = arrives(c.from_pod(1, a, "198.51.100.1"), OUTSIDE, 63, "198.51.100.1", mine)
        assert frame.dst == GATEWAY_MAC
        # from hosts
        arrives(c.from_host(1, mine), link_of(1, a), 63, mine, "172.30.1.2")
        arrives(c.from_host(1, remote), link_of(2, far), 62, remote, "172.30.1.2")
        arrives(c.from_pod(2, far, "172.30.1.2"), host(1), 62, "172.30.1.2", remote)
        # nobody has these: a pod's address on this node and on the other
        for nobody in ("10.1.1.77", "10.1.2.77"):
            assert c.from_pod(1, a, nobody) == [] and c.from_host(1, nobody) == []
        if overlay:  # of a node that is not there; without an overlay that is for the gateway to know
            for nobody in ("10.1.9.1", "172.30.9.2"):
                assert c.from_pod(1, a, nobody) == []
            assert c.from_host(1, "10.1.9.1") == []
            assert dropped(c, 1)["null-node: blackholed packets"] >= 3
        # nothing went round: a packet in a circle would have ended with its TTL
        assert all("ip4 ttl <= 1" not in error for n in c.members for error in dropped(c, n))
        # the gateway answers; VPP does not for its addresses in the other table: it finds no interface that leads back
        ((where, frame),) = c.from_pod(1, a, "10.1.1.1", PING)
        assert where == link_of(1, a) and frame[ICMP].type == 0 and frame[IP].src == "10.1.1.1"
        assert c.from_pod(1, a, "192.168.16.1", PING) == []
        assert dropped(c, 1)["ip4-local: ip4 source lookup miss"] == 1


def dropped(c: Cluster, number: int) -> dict[str, int]:
    """Why packets were dropped on a node, and how many."""
    return {k: v for k, v in c.members[number].router.engine.plane.error_counts("drops").items() if v}


def test_the_outer_header() -> None:
    with cluster() as c:
        a, far = c.members[1].add_pod("a"), c.members[2].add_pod("far")
        wire = BytesIO()
        tap = c.members[1].router.port(NIC).tap(wire)
        c.from_pod(1, a, str(far.address))
        tap.close()
        (seen,) = rdpcap(BytesIO(wire.getvalue()))
        assert (seen.src, seen.dst) == ("02:00:00:00:16:01", "02:00:00:00:16:02")
        assert (seen[IP].src, seen[IP].dst) == ("192.168.16.1", "192.168.16.2")
        assert seen[UDP].dport == 4789 and seen[VXLAN].vni == 10
        inside = seen[VXLAN].payload
        assert (inside.src, inside.dst) == ("12:2b:00:00:00:01", "12:2b:00:00:00:02")
        assert (inside[IP].src, inside[IP].dst, inside[IP].ttl) == (str(a.address), str(far.address), 63)


def test_nothing_goes_from_tunnel_to_tunnel() -> None:
    """Node 3's frame for node 2's MAC, sent to node 1: the group keeps it from going on."""
    with cluster(3) as c:
        for number in c.members:
            c.members[number].add_pod(f"pod-{number}")
        inner = Ether(src="12:2b:00:00:00:03", dst="12:2b:00:00:00:02")
        inner /= IP(src="10.1.3.2", dst="10.1.2.2") / DATA
        outer = Ether(src="02:00:00:00:16:03", dst="02:00:00:00:16:01")
        outer /= (
            IP(src="192.168.16.3", dst="192.168.16.1") / UDP(sport=1, dport=4789, chksum=0) / VXLAN(vni=10, flags=8)
        )
        assert c.send(c.members[1].router.port(NIC), outer / inner) == []
        assert any("split horizon" in why.lower() for why in dropped(c, 1)), dropped(c, 1)


def test_nodes_come_and_go_and_move() -> None:
    with cluster(2, tell=False) as c:
        a, far = c.members[1].add_pod("a"), c.members[2].add_pod("far")
        c.put(vpp(1), kubernetes(1), vpp(2))
        assert c.from_pod(1, a, str(far.address)) == [], "where its host is, is not known"
        c.put(kubernetes(2))
        assert len(c.from_pod(1, a, str(far.address))) == 1
        # another address
        two = c.members[2]
        two.node.nic = Nic(NIC, None, mac="02:00:00:00:16:02")
        two.driver.resync()
        two.router.hold(two.driver.wanted)
        assert c.from_pod(1, a, str(far.address)) == []
        two.node.nic = Nic(NIC, ip_interface("192.168.16.22/24"), mac="02:00:00:00:16:02")
        two.driver.resync()
        two.sync()
        c.put(vpp(2, "192.168.16.22/24"))
        c.from_pod(1, a, str(far.address))  # the first goes while its neighbour is asked for
        c.from_pod(2, far, str(a.address))
        assert len(c.from_pod(1, a, str(far.address))) == 1
        c.delete(kubernetes(2))
        assert c.from_pod(1, a, str(far.address)) == []


def test_a_pods_end_is_its_links() -> None:
    """A pod that is gone leaves nothing, and its address is another's without a trace of it."""
    with cluster() as c:
        one = c.members[1]
        a, b = one.add_pod("a"), one.add_pod("b")
        one.driver.delete_pod("default", "b")
        one.sync()
        assert c.from_pod(1, a, str(b.address)) == []
        again = one.add_pod("c", str(b.address))
        assert [w for w, _ in c.from_pod(1, a, str(b.address))] == [link_of(1, again)]


@pytest.mark.parametrize("transport", ["vxlan", "noOverlay"])
def test_pods_whose_address_does_not_tell_their_node(transport: str) -> None:
    """External IPAM: two pods of node 2, one with an address out of node 1's subnet, one out of no pool at all."""
    ipam = IpamSettings(use_external_ipam=True)
    with cluster(2, ClusterSettings.model_validate({"ipam": ipam, "transport": transport})) as c:
        a = c.members[1].add_pod("a", "10.1.1.5")
        for name, address in (("b", "10.1.1.6"), ("c", "10.77.0.7")):
            far = c.members[2].add_pod(name, address)
            c.put(pod(name, address, "10.20.0.2"))
            arrives(c.from_pod(1, a, address), link_of(2, far), 62, address, "10.1.1.5")
            host = host_end(c.members[1].node)
            frame = Ether(src=host.mac, dst="34:3c:00:00:00:01") / IP(src=str(host.address.ip), dst=address) / DATA
            to_vpp = c.members[1].router.port(names.HOST_LINK)
            arrives(c.send(to_vpp, frame), link_of(2, far), 62, address, "172.30.1.2")
            c.delete(pod(name, address, "10.20.0.2"))
            heard = c.from_pod(1, a, address)
            assert [where for where, _ in heard if where.startswith("2/")] == []
