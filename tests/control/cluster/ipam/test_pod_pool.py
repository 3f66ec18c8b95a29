"""Pods' addresses: which one is next, and that no two pods ever have the same."""

from __future__ import annotations

from ipaddress import IPv4Address, ip_address, ip_network

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from vectorplane.control.cluster.ipam.arithmetic import Ip
from vectorplane.control.cluster.ipam.error import Exhausted
from vectorplane.control.cluster.ipam.pod import Holder, PodId
from vectorplane.control.cluster.ipam.pod_pool import PodPool
from vectorplane.control.cluster.ipam.pod_subnet import PodSubnet


def pool(network: str = "1.2.128.8/29") -> PodPool:
    """A new pool of that network."""
    return PodPool(PodSubnet(ip_network(network)))


def pod(name: object, interface: str = "") -> Holder:
    """An interface of a pod of that name."""
    return Holder(PodId("default", f"pod{name}"), interface)


def took(p: PodPool, name: object) -> str:
    """The address that a pod is given."""
    return str(p.allocate(pod(name)))


# --- figures


def test_released_addresses_wait_their_turn() -> None:
    p = pool()
    assert [took(p, 1), took(p, 2)] == ["1.2.128.10", "1.2.128.11"]
    assert str(p.release(pod(2))) == "1.2.128.11"
    assert [took(p, 3), took(p, 4), took(p, 2)] == ["1.2.128.12", "1.2.128.13", "1.2.128.11"]


@pytest.mark.parametrize(
    ("network", "first", "last", "size"),
    [
        ("1.2.128.8/29", "1.2.128.10", "1.2.128.13", 4),
        ("1.2.1.0/24", "1.2.1.2", "1.2.1.253", 252),
        ("1.4.4.0/22", "1.4.4.2", "1.4.7.253", 1020),
        ("fe10:f00d::500/120", "fe10:f00d::502", "fe10:f00d::5fd", 252),
    ],
)
def test_all_of_a_subnet(network: str, first: str, last: str, size: int) -> None:
    p = pool(network)
    given = [p.allocate(pod(i)) for i in range(size)]
    assert (str(given[0]), str(given[-1]), len(set(given))) == (first, last, size)
    assert given == sorted(given, key=int)
    assert p.subnet.size == size
    with pytest.raises(Exhausted) as error:
        p.allocate(pod("more"))
    assert str(error.value) == f"pod_subnet: no address of {network} is free: all {size} are pods'"


def test_released_all_or_some() -> None:
    p = pool()
    first = [took(p, i) for i in range(4)]
    for i in (2, 3):
        p.release(pod(i))
    assert [took(p, 5), took(p, 6)] == first[2:]
    with pytest.raises(Exhausted):
        p.allocate(pod(7))
    for i in (0, 1, 5, 6):
        p.release(pod(i))
    assert [took(p, i) for i in range(4)] == first


def test_the_last_one_given_is_the_last_to_be_tried() -> None:
    p = pool()
    for i in range(4):
        p.allocate(pod(i))
    p.release(pod(3))
    assert took(p, 4) == "1.2.128.13"


def test_asked_again() -> None:
    p = pool()
    assert took(p, 1) == took(p, 1) == "1.2.128.10"
    assert took(p, 2) == "1.2.128.11"
    assert p.address_of(pod(1)) == ip_address("1.2.128.10")
    assert p.holder_of(ip_address("1.2.128.10")) == pod(1)
    assert p.allocations() == {pod(1): ip_address("1.2.128.10"), pod(2): ip_address("1.2.128.11")}


def test_nobodys() -> None:
    p = pool()
    assert p.release(pod(1)) is None
    assert p.address_of(pod(1)) is None
    for address in ("1.2.128.10", "1.2.128.9", "8.8.8.8", "fe80::1"):
        assert p.holder_of(ip_address(address)) is None


def test_a_huge_subnet() -> None:
    p = pool("fd00::/64")
    assert took(p, 1) == "fd00::2"
    p.relearn([(pod(1), ip_address("fd00::ffff:ffff:ffff:fffd"))])
    assert took(p, 2) == "fd00::3"
    assert PodSubnet(ip_network("fd00::/64")).size == 2**64 - 4


# --- what is there already


def found(*pairs: tuple[object, str]) -> list[tuple[Holder, Ip]]:
    """Pods found with addresses."""
    return [(pod(name), ip_address(address)) for name, address in pairs]


def test_after_a_restart_it_goes_on_behind_the_highest() -> None:
    p = pool("10.1.1.0/24")
    p.relearn(found((1, "10.1.1.2"), (2, "10.1.1.7"), (3, "10.1.2.200"), (4, "192.168.16.1")))
    assert [took(p, 5), took(p, 1), took(p, 2)] == ["10.1.1.8", "10.1.1.2", "10.1.1.7"]
    assert took(p, 3) == "10.1.1.9"


def test_after_a_restart_it_stays_in_the_subnet() -> None:
    """Contiv-VPP's counter restarts at some other subnet's number then, and may run over the last address."""
    p = pool("10.1.1.0/24")
    p.relearn(found((1, "10.1.1.253")))
    assert took(p, 2) == "10.1.1.2"
    assert len({p.allocate(pod(i)) for i in range(1, 253)}) == 252
    with pytest.raises(Exhausted):
        p.allocate(pod(253))


@pytest.mark.parametrize("reserved", ["10.1.1.0", "10.1.1.1", "10.1.1.254", "10.1.1.255"])
def test_a_pod_with_an_address_that_is_not_for_pods(reserved: str) -> None:
    p = pool("10.1.1.0/24")
    p.relearn(found((1, reserved)))
    assert took(p, 1) == reserved
    assert took(p, 2) == "10.1.1.2"


def test_nothing_found() -> None:
    p = pool()
    p.relearn([])
    assert took(p, 1) == "1.2.128.10"


def test_found_twice() -> None:
    p = pool()
    p.relearn(found((2, "1.2.128.10"), (1, "1.2.128.10"), (3, "1.2.128.12")))
    assert p.conflicts() == {ip_address("1.2.128.10"): (pod(1), pod(2))}
    p.release(pod(1))
    assert p.conflicts() == {} and p.holder_of(ip_address("1.2.128.10")) == pod(2)
    assert [took(p, 4), took(p, 5)] == ["1.2.128.13", "1.2.128.11"]
    p.release(pod(2))
    assert took(p, 6) == "1.2.128.10"


def test_learnt_anew_while_running() -> None:
    """Who is gone is forgotten, who is not reported yet keeps the address, and the next address is still the next."""
    p = pool("10.1.1.0/24")
    for i in range(4):
        p.allocate(pod(i))
    p.relearn(found((0, "10.1.1.2")), waiting={pod(3).pod})
    assert p.allocations() == {pod(0): ip_address("10.1.1.2"), pod(3): ip_address("10.1.1.5")}
    assert took(p, 9) == "10.1.1.6"


# --- against a list of free addresses


class Machine(RuleBasedStateMachine):
    """Pods come and go, and the agent restarts. The oracle keeps all addresses in a ring, the next one in front."""

    @initialize(bits=st.integers(3, 4), ip6=st.booleans())
    def start(self, bits: int, ip6: bool) -> None:
        self.network = ip_network(f"fd00::40/{128 - bits}" if ip6 else f"10.0.0.64/{32 - bits}")
        self.pool = PodPool(PodSubnet(self.network))
        self.all = list(self.network)[2:-2]
        self.ring = list(self.all)
        self.naive: dict[Holder, Ip] = {}

    @rule(number=st.integers(0, 7), interface=st.sampled_from(["", "memif1"]))
    def allocate(self, number: int, interface: str) -> None:
        holder = pod(number, interface)
        if holder in self.naive:
            assert self.pool.allocate(holder) == self.naive[holder]
            return
        free = [address for address in self.ring if address not in self.naive.values()]
        if not free:
            with pytest.raises(Exhausted):
                self.pool.allocate(holder)
            return
        self.naive[holder] = free[0]
        assert self.pool.allocate(holder) == free[0]
        turn = self.ring.index(free[0]) + 1
        self.ring = self.ring[turn:] + self.ring[:turn]

    @rule(number=st.integers(0, 7), interface=st.sampled_from(["", "memif1"]))
    def release(self, number: int, interface: str) -> None:
        holder = pod(number, interface)
        assert self.pool.release(holder) == self.naive.pop(holder, None)

    @rule()
    def restart(self) -> None:
        self.pool = PodPool(PodSubnet(self.network))
        self.pool.relearn([*self.naive.items(), *found(("elsewhere", "172.16.0.1"), ("6", "fc00::1"))])
        turn = self.all.index(max(self.naive.values(), key=int)) + 1 if self.naive else 0
        self.ring = self.all[turn:] + self.all[:turn]

    @rule()
    def heal(self) -> None:
        if self.naive:
            self.pool.relearn(self.naive.items())

    @invariant()
    def the_same(self) -> None:
        if not hasattr(self, "naive"):
            return
        given = self.pool.allocations()
        assert given == self.naive
        assert len(set(given.values())) == len(given)
        assert set(given.values()) <= set(self.all)
        assert all(self.pool.holder_of(address) == holder for holder, address in given.items())


TestMachine = Machine.TestCase


def test_texts() -> None:
    assert (str(pod(1)), str(pod(1, "memif1"))) == ("default/pod1", "default/pod1 (memif1)")
    assert isinstance(pool().allocate(pod(1)), IPv4Address)
