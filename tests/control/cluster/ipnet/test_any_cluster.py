"""Any cluster, however it came about: every packet goes where the promises say, and a resync changes nothing."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Interface
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.control.cluster.driver import Driver
from tests.control.cluster.ipnet.forwarding import Forwarding
from tests.control.cluster.ipnet.records import kubernetes, pod, vpp
from tests.naive.cluster_routes import Here, Other, out
from vectorplane.control.cluster.ipam.settings import IpamSettings
from vectorplane.control.cluster.ipnet.handler import Ipnet
from vectorplane.control.cluster.settings import ClusterSettings

OWN = "10.20.0.1"
NUMBERS = st.integers(2, 5)
USUAL = "192.168.16.{}/24"
ADDRESSES = st.sampled_from([USUAL, USUAL, USUAL, "192.168.16.2{}/24", "192.168.16.1/24", "172.16.0.{}/24", ""])
MANAGEMENT = st.sampled_from(
    ["10.20.0.{}", "10.20.0.{} 10.20.0.9", "2001:db8::{} 10.20.0.{}", "192.168.16.{}", "10.20.0.2", ""]
)
PODS = st.sampled_from(["a", "b", "c", "d"])
POD_ADDRESSES = st.sampled_from(["10.1.1.9", "10.1.2.9", "10.1.3.9", "10.77.0.9", None])
HOSTS = st.sampled_from([OWN, "10.20.0.2", "10.20.0.3", "192.168.16.4", None])
VPP = st.tuples(st.just("vpp"), NUMBERS, ADDRESSES)
KUBERNETES = st.tuples(st.just("kubernetes"), NUMBERS, MANAGEMENT)
START = st.tuples(st.just("start"), PODS, POD_ADDRESSES)
POD = st.tuples(st.just("pod"), PODS, POD_ADDRESSES, HOSTS)
CHANGES = st.lists(
    st.one_of(
        VPP,
        KUBERNETES,
        START,
        POD,
        st.tuples(st.just("no vpp"), NUMBERS),
        st.tuples(st.just("no kubernetes"), NUMBERS),
        st.tuples(st.just("end"), PODS),
        st.tuples(st.just("no pod"), PODS),
    ),
    max_size=12,
)


@st.composite
def histories(draw: st.DrawFn) -> list[tuple[Any, ...]]:
    """A cluster that works comes about, in any order; then this and that happens."""
    begin: list[tuple[Any, ...]] = [
        *(("vpp", number, USUAL) for number in range(2, 5)),
        *(("kubernetes", number, draw(MANAGEMENT)) for number in range(2, 5)),
        *(("pod", name, draw(POD_ADDRESSES), draw(HOSTS)) for name in "abc"),
        ("start", "d", draw(POD_ADDRESSES)),
        ("vpp of ours",),
    ]
    return draw(st.permutations(begin)) + draw(CHANGES)


PLACES = [f"10.1.{n}.{h}" for n in (1, 2, 3, 6) for h in (1, 2, 3, 9)]
PLACES += [f"172.30.{n}.{h}" for n in (1, 2, 3, 6) for h in (1, 2, 9)]
PLACES += [f"192.168.30.{n}" for n in (1, 2, 3, 6)] + [f"192.168.16.{n}" for n in (1, 2, 3, 22, 200)]
PLACES += [*(f"10.20.0.{n}" for n in (1, 2, 3, 4, 9)), "10.77.0.9", "198.51.100.1", "172.16.0.3"]


def happen(driver: Driver, event: tuple[Any, ...], external: bool) -> None:
    """One event."""
    match event:
        case ("vpp", number, text):
            if driver.node.gateway is None:
                text = text.replace("172.16.0", "192.168.16")  # there would be no way to it
            record = vpp(number, text.format(number)) if text else vpp(number)
            driver.put(record if text else record.model_copy(update={"ip_addresses": ()}))
        case ("kubernetes", number, texts):
            node = kubernetes(number, *(text.format(number) for text in texts.split()))
            driver.put(node if texts else node.model_copy(update={"addresses": ()}))
        case ("vpp of ours",):
            driver.put(vpp(1), kubernetes(1), vpp(6, "192.168.16.66/24", name="node-1"))
        case ("no vpp", number):
            if number in driver.state.node_records:
                driver.delete(driver.state.node_records[number])
        case ("no kubernetes", number):
            if f"node-{number}" in driver.state.nodes:
                driver.delete(driver.state.nodes[f"node-{number}"])
        case ("start", name, address):
            if not external:
                driver.add_pod("default", name)
            elif address is not None and address not in map(str, (p.address for p in driver.node.pods.values())):
                driver.add_pod("default", name, address)
        case ("end", name):
            if ("default", name) in driver.node.pods:
                driver.delete_pod("default", name)
        case ("pod", name, address, host):
            driver.put(pod(name, address, host))
        case ("no pod", name):
            found = driver.state.pods.get(("default", name))  # type: ignore[call-overload]
            if found is not None:
                driver.delete(found)


def here_of(driver: Driver, overlay: bool, external: bool) -> Here:
    """The oracle's view of what the driver was told."""
    others = []
    for number, record in sorted(driver.state.node_records.items()):
        if record.name == driver.node.name:
            continue
        found = driver.state.nodes.get(record.name)
        management = [IPv4Address(a.address) for a in found.addresses if ":" not in a.address] if found else []
        others.append(Other(number, [IPv4Address(a.ip) for a in record.ip_addresses], management))
    nic = driver.node.nic.address if driver.node.nic else None
    assert nic is None or isinstance(nic, IPv4Interface)
    pods = {IPv4Address(p.address): p.interface for p in driver.node.pods.values()}
    here = Here(1, overlay, external, nic, driver.node.gateway is not None, [IPv4Address(OWN)], pods, others)
    taken: set[IPv4Address] = set()
    for _, record in sorted(driver.state.pods.items()):
        address = record.ip_address
        if address is None or record.host_ip_address in (None, address) or address in taken:
            continue
        at = [o for o in here.connected() if record.host_ip_address in o.management]
        if at:
            at[0].pods.add(IPv4Address(address))
            taken.add(IPv4Address(address))
    return here


def not_connected(here: Here) -> set[int]:
    """Nodes of which enough is known, and that are not connected all the same."""
    return {o.number for o in here.others if o.addresses and o.management} - {o.number for o in here.connected()}


@settings(max_examples=120, deadline=None)
@given(
    history=histories(),
    overlay=st.booleans(),
    external=st.booleans(),
    gateway=st.booleans(),
    nic=st.sampled_from([True, True, True, False]),
)
def test_any_cluster(history: list[Any], overlay: bool, external: bool, gateway: bool, nic: bool) -> None:
    ipam = IpamSettings(use_external_ipam=external)
    driver = Driver(
        Ipnet,
        settings=ClusterSettings(ipam=ipam, transport="vxlan" if overlay else "noOverlay"),
        gateway="192.168.16.200" if gateway else None,
        address="192.168.16.1/24" if nic else None,
        host_addresses=[OWN],
    )
    for event in history:
        happen(driver, event, external)
        driver.check()
    here = here_of(driver, overlay, external)
    addresses = {o.number: str(o.addresses[0]) for o in here.connected()}
    units = {f"ipnet/peer/{n}" for n in not_connected(here)} if nic else {"ipnet/node"}
    assert driver.handler.problems.keys() == units
    forwarding = Forwarding(driver.wanted)
    for place in map(IPv4Address, PLACES):
        for source, table in (("pod", 1), ("host", 0), ("nic", 0)):
            wanted = out(here, source, place)
            kind, _, which = wanted.partition(" ")
            if kind == "node":
                wanted = f"via {addresses[int(which)]}"
            elif kind == "pod":
                wanted = f"link {which}"
            assert forwarding.out(table, place) == wanted, (source, place)
