"""What a node, its peers and its pods consist of: Contiv-VPP's figures."""

from __future__ import annotations

from ipaddress import ip_address, ip_interface, ip_network
from typing import Any

import pytest
from pydantic import ValidationError

from tests.control.cluster.driver import NIC, Driver
from tests.control.cluster.ipnet.records import kubernetes, pod, vpp
from vectorplane.backends.devices import options
from vectorplane.backends.items import (
    BridgeDomain,
    BridgePort,
    Interface,
    InterfaceAddress,
    InterfaceMac,
    InterfaceMtu,
    InterfaceTable,
    InterfaceUp,
    Item,
    L2FibEntry,
    Neighbour,
    Path,
    Route,
    Table,
    Unnumbered,
)
from vectorplane.control.cluster.agent.event import StateChange
from vectorplane.control.cluster.ipam.error import IpamError
from vectorplane.control.cluster.ipam.settings import IpamSettings
from vectorplane.control.cluster.ipnet import macs
from vectorplane.control.cluster.ipnet.ends import HostEnd, PodEnd, host_end, pod_end
from vectorplane.control.cluster.ipnet.handler import NODE, Ipnet
from vectorplane.control.cluster.settings import ClusterSettings
from vectorplane.control.cluster.this_node import Nic

CONTAINER = "740ee06ac2bc0843291614f4d8348e2a61d78b1ee1681b07a52eff63930ccb6e"


def route(table: int, prefix: str, via: str = "", interface: str = "", to: int = -1, action: str = "") -> Route:
    return Route(ip_network(prefix), (Path(via, interface, to, action),), table)


def unit(driver: Driver, name: str) -> set[Item]:
    return set(driver.wanted.items_of(name))


def routes(driver: Driver, name: str) -> set[Route]:
    return {item for item in unit(driver, name) if isinstance(item, Route)}


def settings(transport: Any = "vxlan", **ipam: Any) -> ClusterSettings:
    return ClusterSettings(ipam=IpamSettings(**ipam), transport=transport)


# --- MAC addresses


def test_macs_of_a_pods_link() -> None:
    """Contiv-VPP's own example."""
    assert macs.pod_end(CONTAINER) == "02:fe:d6:63:f9:5d"
    assert macs.pod_link(CONTAINER) == "02:fe:29:9c:06:a2"
    assert len({macs.pod_end(CONTAINER, name) for name in ("", "a", "b")}) == 3


def test_macs_of_nodes() -> None:
    assert macs.bvi(1) == "12:2b:00:00:00:01" and macs.bvi(0x1020304) == "12:2b:01:02:03:04"
    assert macs.host_link(258) == "34:3c:00:00:01:02"
    assert macs.host_end(1) != macs.host_link(1)


# --- the node


def test_a_node() -> None:
    driver = Driver(Ipnet, gateway="192.168.16.100", host_addresses=["10.20.0.1"])
    domain = BridgeDomain(1, flood=False, uu_flood=False, forward=True, learn=False, tag="vxlanBD")
    assert unit(driver, NODE) == {
        Table(1),
        Interface("podGwLoop", "loopback"),
        InterfaceTable("podGwLoop", 1),
        InterfaceAddress("podGwLoop", ip_interface("10.1.1.1/24")),
        InterfaceUp("podGwLoop"),
        Interface(NIC, "sim"),
        InterfaceAddress(NIC, ip_interface("192.168.16.1/24")),
        InterfaceUp(NIC),
        Interface("tap-vpp2", "sim"),
        InterfaceMac("tap-vpp2", "34:3c:00:00:00:01"),
        InterfaceMtu("tap-vpp2", 1450),
        InterfaceAddress("tap-vpp2", ip_interface("172.30.1.1/24")),
        InterfaceUp("tap-vpp2"),
        domain,
        Interface("vxlanBVI", "bvi"),
        InterfaceMac("vxlanBVI", "12:2b:00:00:00:01"),
        InterfaceMtu("vxlanBVI", 1450),
        InterfaceTable("vxlanBVI", 1),
        InterfaceAddress("vxlanBVI", ip_interface("192.168.30.1/24")),
        BridgePort("vxlanBVI", 1, "bvi", 1),
        InterfaceUp("vxlanBVI"),
        route(0, "0.0.0.0/0", "192.168.16.100", NIC),
        route(0, "10.20.0.1/32", "172.30.1.2", "tap-vpp2"),
        route(1, "0.0.0.0/0", to=0),
        route(1, "172.30.1.0/24", to=0),
        route(0, "10.1.0.0/16", to=1),
        route(0, "172.30.0.0/16", to=1),
        route(1, "10.1.0.0/16", action="blackhole"),
        route(1, "172.30.0.0/16", action="blackhole"),
    }


def test_a_node_without_an_overlay() -> None:
    driver = Driver(Ipnet, settings=settings("noOverlay"))
    assert routes(driver, NODE) == {
        route(1, "0.0.0.0/0", to=0),
        route(1, "172.30.1.0/24", to=0),
        route(0, "10.1.1.0/24", to=1),
    }
    assert not [i for i in driver.wanted if isinstance(i, BridgeDomain | BridgePort)]


def test_a_node_without_a_card() -> None:
    driver = Driver(
        Ipnet, address=None, gateway="192.168.16.100", settings=settings(node_interconnect_cidr="192.168.16.0/24")
    )
    assert {
        Interface("loopbackNIC", "loopback"),
        InterfaceAddress("loopbackNIC", ip_interface("192.168.16.1/24")),
    } <= unit(driver, NODE)
    assert route(0, "0.0.0.0/0", to=-1).key not in driver.items
    assert driver.put(vpp(2), kubernetes(2)) == "looked at node 2" and unit(driver, "ipnet/peer/2")


def test_more_cards_and_dhcp() -> None:
    driver = Driver(Ipnet, gateway="192.168.16.100")
    driver.node.nic = Nic("first", ip_interface("192.168.16.7/24"), dhcp=True)
    driver.node.other_nics = (Nic("second", ip_interface("192.0.2.1/24"), mac="02:00:00:00:00:09"), Nic("third"))
    driver.resync()
    assert {
        InterfaceAddress("second", ip_interface("192.0.2.1/24")),
        InterfaceMac("second", "02:00:00:00:00:09"),
        InterfaceUp("third"),
    } <= unit(driver, NODE)
    assert "route/0/0.0.0.0/0" not in driver.items, "the DHCP server tells the way out"
    assert not any(isinstance(i, InterfaceMtu) and i.interface == "first" for i in driver.wanted)


def test_host_addresses_that_are_left_out() -> None:
    """Those that VPP has itself, the link's own end, and IPv6."""
    driver = Driver(Ipnet, host_addresses=["192.168.16.1", "172.30.1.2", "172.30.1.1", "2001:db8::1", "10.20.0.1"])
    told = {r.prefix for r in routes(driver, NODE) if r.paths[0].interface == "tap-vpp2"}
    assert told == {ip_network("10.20.0.1/32")}


def test_other_tables() -> None:
    driver = Driver(Ipnet, settings=ClusterSettings(main_vrf=3, pod_vrf=8, vni=77, mtu=1400))
    driver.put(vpp(2), kubernetes(2))
    assert {Table(3), Table(8), InterfaceTable(NIC, 3), InterfaceTable("tap-vpp2", 3)} <= unit(driver, NODE)
    assert {item.table for item in driver.wanted if isinstance(item, Route)} == {3, 8}
    ends = options("vxlan", src=ip_address("192.168.16.1"), dst=ip_address("192.168.16.2"), vni=77, table=3)
    assert Interface("vxlan-default-2", "vxlan", ends) in unit(driver, "ipnet/peer/2")


def test_a_pod_cidr_that_is_all_of_the_pool() -> None:
    """Then there is nothing left over to drop."""
    driver = Driver(Ipnet, settings=settings(use_external_ipam=True))
    driver.node.ipam.set_pod_cidr(ip_network("10.1.0.0/16"))
    driver.resync()
    assert "route/1/10.1.0.0/16" not in driver.items
    assert route(0, "10.1.0.0/16", to=1) in unit(driver, NODE)


# --- peers


def test_a_peer() -> None:
    driver = Driver(Ipnet)
    driver.put(vpp(2, "192.168.16.2/24", "192.168.17.2/24"))
    assert driver.wanted.units("ipnet/peer") == [], "where its host is, is not known"
    driver.put(kubernetes(2, "10.20.0.2", "192.168.16.2"))
    ends = options("vxlan", src=ip_address("192.168.16.1"), dst=ip_address("192.168.16.2"), vni=10)
    assert unit(driver, "ipnet/peer/2") == {
        Interface("vxlan-default-2", "vxlan", ends),
        BridgePort("vxlan-default-2", 1, shg=1),
        InterfaceUp("vxlan-default-2"),
        L2FibEntry(1, "12:2b:00:00:00:02", "vxlan-default-2"),
        Neighbour("vxlanBVI", ip_address("192.168.30.2"), "12:2b:00:00:00:02"),
        route(1, "10.1.2.0/24", "192.168.30.2", "vxlanBVI"),
        route(1, "172.30.2.0/24", "192.168.30.2", "vxlanBVI"),
        route(1, "10.20.0.2/32", "192.168.30.2", "vxlanBVI"),
        route(1, "192.168.16.2/32", "192.168.30.2", "vxlanBVI"),
        route(0, "10.20.0.2/32", to=1),  # not of 192.168.16.2: the tunnel's packets would go into the tunnel
    }


def test_a_peer_without_an_overlay() -> None:
    driver = Driver(Ipnet, settings=settings("noOverlay"))
    driver.put(vpp(2), kubernetes(2, "10.20.0.2", "192.168.16.2"))
    assert unit(driver, "ipnet/peer/2") == {
        route(0, "10.1.2.0/24", "192.168.16.2"),
        route(0, "172.30.2.0/24", "192.168.16.2"),
        route(0, "10.20.0.2/32", "192.168.16.2"),
    }


def test_only_the_peer_that_changed_is_touched() -> None:
    driver = Driver(Ipnet)
    for number in (2, 3):
        driver.put(vpp(number), kubernetes(number))
    assert driver.put(pod("a", "10.1.2.5", "10.20.0.2")) == ""
    assert driver.put(vpp(2, "192.168.16.77/24")) == "looked at node 2"
    driver.wanted.begin()
    driver.handler.update(_change(driver, vpp(3, "192.168.16.78/24")))
    change = driver.wanted.change()
    assert list(change.puts) == ["interface/vxlan-default-3"] and not change.drops
    driver.delete(kubernetes(2))
    assert driver.wanted.units("ipnet/peer") == ["ipnet/peer/3"]
    driver.check()


def _change(driver: Driver, record: Any) -> StateChange:
    changed = driver.state.put_record(record)
    assert changed is not None
    return StateChange([changed])


def test_peers_that_cannot_be_connected(caplog: pytest.LogCaptureFixture) -> None:
    driver = Driver(Ipnet)
    driver.put(vpp(2, "192.168.16.1/24"), kubernetes(2))
    driver.put(vpp(3, "2001:db8::3/64"), kubernetes(3))
    driver.put(vpp(400, "192.168.16.4/24", name="node-4"), kubernetes(4))
    assert driver.wanted.units("ipnet/peer") == []
    assert driver.handler.problems == {
        "ipnet/peer/2": "ip_addresses: node node-2 has the address 192.168.16.1, as node node-1 itself",
        "ipnet/peer/3": "ip_addresses: node node-3 has 2001:db8::3, unlike 192.168.16.1 of node node-1",
        "ipnet/peer/400": "vxlan_cidr: node id 400 is out of range: 192.168.30.0/24 has addresses for the ids 1 to 255",
    }
    assert "node node-2 is not connected" in caplog.text
    driver.put(vpp(2))
    driver.delete(vpp(3, "2001:db8::3/64"), kubernetes(4))
    assert driver.handler.problems == {} and driver.wanted.units("ipnet/peer") == ["ipnet/peer/2"]
    driver.check()


def test_without_an_address_nothing_leads_to_others() -> None:
    driver = Driver(Ipnet)
    driver.node.nic = Nic(NIC)
    driver.put(vpp(2), kubernetes(2))
    driver.resync()
    assert driver.wanted.units("ipnet/peer") == [] and list(driver.handler.problems) == [NODE]
    driver.node.nic = Nic(NIC, ip_interface("192.168.16.1/24"))
    driver.resync()
    assert driver.wanted.units("ipnet/peer") == ["ipnet/peer/2"] and driver.handler.problems == {}


# --- pods


def test_a_pod() -> None:
    driver = Driver(Ipnet)
    made = driver.add_pod("default", "web")
    name = "vpp-tap-default-web"
    assert unit(driver, "ipnet/pod/default/web") == {
        driver.node.wiring.pod(made),
        InterfaceMac(name, macs.pod_link("default-web")),
        InterfaceMtu(name, 1450),
        InterfaceTable(name, 1),
        Unnumbered(name, "podGwLoop"),
        InterfaceUp(name),
        route(1, "10.1.1.2/32", "10.1.1.2", name),
        Neighbour(name, made.address, macs.pod_end("default-web")),
    }
    driver.delete_pod("default", "web")
    assert driver.wanted.units("ipnet/pod") == []
    driver.check()


def test_a_pod_that_is_not_added_after_all() -> None:
    """The event failed: what was wanted before it is wanted again, and what comes then is dealt with as ever."""
    driver = Driver(Ipnet)
    driver.put(vpp(2), kubernetes(2))
    before = driver.items
    driver.wanted.begin()
    change = _change(driver, vpp(3))
    driver.handler.update(change)
    driver.wanted.undo()
    driver.state.delete_record(vpp(3))
    driver.handler.revert(change)
    assert driver.items == before
    driver.put(kubernetes(3), vpp(3))
    assert len(driver.wanted.units("ipnet/peer")) == 2
    driver.check()


def test_pods_by_external_ipam() -> None:
    driver = Driver(Ipnet, settings=settings(use_external_ipam=True))
    driver.put(vpp(2), kubernetes(2), pod("far", "10.1.9.9", "10.20.0.2"), pod("host", "10.20.0.2", "10.20.0.2"))
    assert unit(driver, "ipnet/remote-pod/default/far") == {route(1, "10.1.9.9/32", "192.168.30.2", "vxlanBVI")}
    assert route(1, "10.1.2.0/24").key not in driver.items
    assert driver.wanted.units("ipnet/remote-pod") == ["ipnet/remote-pod/default/far"]
    driver.put(pod("far", "10.77.0.9", "10.20.0.2"))
    assert unit(driver, "ipnet/remote-pod/default/far") == {
        route(1, "10.77.0.9/32", "192.168.30.2", "vxlanBVI"),
        route(0, "10.77.0.9/32", to=1),
    }
    driver.delete(kubernetes(2))
    assert driver.wanted.units("ipnet/remote-pod") == []
    driver.put(kubernetes(2))
    assert driver.wanted.units("ipnet/remote-pod") == ["ipnet/remote-pod/default/far"]
    driver.check()


# --- the other ends


def test_the_other_ends() -> None:
    driver = Driver(Ipnet)
    made = driver.add_pod("default", "web")
    assert pod_end(driver.node, made) == PodEnd(
        pod=made.id,
        interface="vpp-tap-default-web",
        namespace_path="",
        mac=macs.pod_end("default-web"),
        address=ip_interface("10.1.1.2/32"),
        gateway=ip_address("10.1.1.1"),
        gateway_mac=macs.pod_link("default-web"),
        mtu=1450,
        device="eth0",
    )
    host = HostEnd(
        mac="36:3c:00:00:00:01",
        address=ip_interface("172.30.1.2/24"),
        gateway=ip_address("172.30.1.1"),
        routes=(ip_network("10.1.0.0/16"),),
        mtu=1450,
        device="vpp1",
    )
    assert host_end(driver.node) == host
    driver.node.settings = ClusterSettings(route_service_cidr_to_vpp=True)
    assert host_end(driver.node).routes == (ip_network("10.1.0.0/16"), ip_network("10.96.0.0/12"))


# --- bad input


def test_one_table_for_both() -> None:
    with pytest.raises(ValidationError, match="pod_vrf: expected another table than main_vrf, got 1 for both"):
        ClusterSettings(main_vrf=1)


def test_ip6_is_refused() -> None:
    six = {"pod_subnet_cidr": "fe10:f00d::/90", "pod_subnet_one_node_prefix_len": 120}
    six |= {"vpp_host_subnet_cidr": "fe30:f00d::/90", "vpp_host_subnet_one_node_prefix_len": 126}
    with pytest.raises(IpamError, match=r"^pod_subnet_cidr: is of IPv6"):
        Driver(Ipnet, settings=settings(**six, service_cidr="fe50::/112"))
