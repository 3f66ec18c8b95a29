"""Networks and sets of addresses."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

from hypothesis import given
from hypothesis import strategies as st

from vectorplane.control.cluster.policies.addresses import AddressSet
from vectorplane.control.cluster.policies.nets import contains, host, net, network, subtract


def _texts(whole: str, *holes: str) -> list[str]:
    return sorted(str(network(n)) for n in subtract(net(ip_network(whole)), [net(ip_network(h)) for h in holes]))


def test_one_network_for_each_bit_of_difference() -> None:
    """[T] 10.0.0.0/8 except 10.1.0.0/16."""
    left = _texts("10.0.0.0/8", "10.1.0.0/16")
    assert len(left) == 8
    assert left == sorted(map(str, ip_network("10.0.0.0/8").address_exclude(ip_network("10.1.0.0/16"))))


def test_holes_beside_over_and_in_each_other() -> None:
    assert _texts("10.0.0.0/24", "10.0.1.0/24") == ["10.0.0.0/24"]
    assert _texts("10.0.0.0/24", "10.0.0.0/8") == []
    assert _texts("10.0.0.0/31", "10.0.0.0/32", "10.0.0.0/31") == []
    assert _texts("10.0.0.0/24", "fe10::/64") == ["10.0.0.0/24"]
    assert _texts("fe10::/127", "fe10::/128") == ["fe10::1/128"]


_SMALL = st.builds(
    lambda n, length: (-length, 4, n >> (32 - length) << (32 - length)), st.integers(0, 255), st.integers(24, 32)
)


@given(_SMALL, st.lists(_SMALL, max_size=4))
def test_subtract(whole: tuple[int, int, int], holes: list[tuple[int, int, int]]) -> None:
    left = subtract(whole, holes)
    for n in range(256):
        one = (-32, 4, n)
        expected = contains(whole, one) and not any(contains(hole, one) for hole in holes)
        assert sum(contains(part, one) for part in left) == expected


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 600))))
def test_networks_are_exactly_the_addresses(steps: list[tuple[bool, int]]) -> None:
    addresses, model = AddressSet(), list[int]()
    for add, n in steps:
        if add:
            addresses.add((-32, 4, n))
            model.append(n)
        elif n in model:
            addresses.remove((-32, 4, n))
            model.remove(n)
        covered = [int(a) for one in addresses.nets for a in network(one)]
        assert sorted(covered) == sorted(set(model))
    assert len(addresses) == len(set(model))


def test_neighbours_become_one() -> None:
    addresses = AddressSet()
    for n in range(256):
        addresses.add(host(ip_address("10.0.0.0") + n))
    assert [str(network(n)) for n in addresses.nets] == ["10.0.0.0/24"]
    addresses.remove(host(ip_address("10.0.0.255")))
    assert len(list(addresses.nets)) == 8
