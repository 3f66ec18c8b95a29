"""Configurations of NAT44: what is understood, and what is refused and why."""

from __future__ import annotations

from ipaddress import IPv4Address

import pytest

from tests.control.test_config import mistakes
from tests.control.test_config_l2 import wanted
from vectorplane.backends import items
from vectorplane.control.config import parse_config
from vectorplane.control.config_error import ConfigError

A = IPv4Address


def of_nat(text: str) -> list[items.Item]:
    """The items of NAT44, all but the one that switches it on."""
    return [i for i in wanted(text) if i.kind.startswith("nat44-")]


def test_defaults() -> None:
    assert wanted("nat44: {}") == [items.Nat44()]
    assert [i for i in wanted("nat44:") if isinstance(i, items.Nat44)] == []


def test_settings() -> None:
    text = """
tables: {7: {}, 8: {}}
nat44:
  {inside_table: 7, outside_table: 8, sessions: 5, forwarding: true, mss: 1400, timeouts: {udp: 1, tcp_established: 2}}
"""
    assert items.Nat44(7, 8, 5, True, 1, 2, 240, 60, 1400) in wanted(text)


def test_pools() -> None:
    text = """
tables: {7: {}}
interfaces: {a: {addresses: 10.0.0.1/24}, b: {}}
nat44:
  addresses: [203.0.113.1, 203.0.113.3-203.0.113.4, {range: 203.0.113.9, table: 7}]
  interface_addresses: a
  twice_nat_addresses: 192.0.2.1 - 192.0.2.2
  twice_nat_interface_addresses: [b]
"""
    assert of_nat(text) == [
        items.NatAddress(A("203.0.113.1")),
        items.NatAddress(A("203.0.113.3")),
        items.NatAddress(A("203.0.113.4")),
        items.NatAddress(A("203.0.113.9"), 7),
        items.NatInterfaceAddress("a"),
        items.NatAddress(A("192.0.2.1"), twice_nat=True),
        items.NatAddress(A("192.0.2.2"), twice_nat=True),
        items.NatInterfaceAddress("b", True),
    ]


def test_interfaces() -> None:
    text = "nat44: {}\ninterfaces: {a: {nat: inside, sub_interfaces: {5: {nat: both}}}, b: {nat: output}}"
    assert of_nat(text) == [
        items.NatInterface("a", "inside"),
        items.NatInterface("a.5", "both"),
        items.NatInterface("b", "output"),
    ]


def test_mappings() -> None:
    text = """
tables: {7: {}}
interfaces: {wan: {}}
nat44:
  inside_table: 7
  addresses: [203.0.113.1]
  twice_nat_addresses: [192.0.2.1]
  static:
    - {local: 10.0.0.1, external: 203.0.113.9}
    - {local: 10.0.0.2, interface: wan, proto: tcp, port: 8080, local_port: 80, table: 0, tag: web}
    - {local: 10.0.0.3, external: 203.0.113.1, proto: udp, port: 53, twice: twice-nat, twice_address: 192.0.2.1}
  services:
    - {external: 203.0.113.1, proto: tcp, port: 80, backends: [10.0.0.5]}
    - external: 203.0.113.1
      proto: tcp
      port: 81
      backends: [10.0.0.6, {address: 10.0.0.5, port: 8081, weight: 3, table: 0}]
      affinity: 9
      twice: self-twice-nat
      out2in_only: true
      tag: many
  identity:
    - {address: 203.0.113.8}
    - {interface: wan, proto: icmp, port: 7, table: 0, tag: own}
"""
    assert [i for i in of_nat(text) if not isinstance(i, items.NatAddress)] == [
        items.NatStatic(A("10.0.0.1"), A("203.0.113.9"), table=7),
        items.NatStatic(A("10.0.0.2"), None, "wan", 6, 80, 8080, 0, tag="web"),
        items.NatStatic(A("10.0.0.3"), A("203.0.113.1"), "", 17, 53, 53, 7, "twice-nat", pool=A("192.0.2.1")),
        items.NatStatic(A("10.0.0.5"), A("203.0.113.1"), "", 6, 80, 80, 7),  # a service of one backend
        items.NatService(
            A("203.0.113.1"),
            81,
            6,
            (items.NatBackend(A("10.0.0.5"), 8081, 3, 0), items.NatBackend(A("10.0.0.6"), 81, 1, 7)),
            "self-twice-nat",
            True,
            9,
            "many",
        ),
        items.NatIdentity(A("203.0.113.8"), table=7),
        items.NatIdentity(None, "wan", 1, 7, 0, "own"),
    ]


STATIC = "nat44: {{static: [{{local: 10.0.0.1, external: 192.0.2.1, proto: tcp, port: 80}}, {{{}}}]}}"
SERVICE = "nat44: {{addresses: 192.0.2.1, services: [{{external: 192.0.2.1, proto: tcp, port: 80, backends: {}}}]}}"


@pytest.mark.parametrize(
    ("text", "where", "why"),
    [
        ("nat44: {addresses: 10.0.0}", "nat44.addresses", "a range such as 203.0.113.1-203.0.113.9, got '10.0.0'"),
        ("nat44: {addresses: 10.0.0.9-10.0.0.1}", "nat44.addresses", "ends before it begins"),
        ("nat44: {addresses: 10.0.0.0-10.9.0.0}", "nat44.addresses", "589,825 addresses: expected at most 65,536"),
        ("nat44: {addresses: [192.0.2.1-192.0.2.9, 192.0.2.5]}", "nat44.addresses[1]", "192.0.2.5 is in this pool"),
        ("nat44: {addresses: [{range: 192.0.2.1, table: 5}]}", "nat44.addresses[0].table", "there is no table 5"),
        ("nat44: {inside_table: 5}", "nat44.inside_table", "there is no table 5"),
        ("nat44: {sessions: 0}", "nat44.sessions", "greater than or equal to 1"),
        ("nat44: {mss: 70000}", "nat44.mss", "less than or equal to 65535"),
        ("nat44: {timeouts: {udp: 0}}", "nat44.timeouts.udp", "greater than or equal to 1"),
        ("nat44: {adresses: 10.0.0.1}", "nat44.adresses", "addresses"),
        ("nat44: {interface_addresses: wan}", "'interface_addresses', 0", "pending: there is no interface wan"),
        ("nat44: {interface_addresses: [w, w]}\ninterfaces: {w: {}}", "nat44.interface_addresses[1]", "stands here"),
        ("interfaces: {a: {nat: inside}}", "'nat'", "pending: NAT44 is not switched on"),
        ("interfaces: {a: {nat: in}}\nnat44: {}", "interfaces.a.nat", "expected one of inside, outside, both, output"),
        (STATIC.format("local: 10.0.0.2"), "nat44.static[1]", "external (an address) or interface"),
        (STATIC.format("local: 10.0.0.2, external: 1.1.1.1, interface: a"), "nat44.static[1]", "one of the two"),
        (STATIC.format("local: 10.0.0.2, external: 1.1.1.1, port: 5"), "nat44.static[1]", "go together"),
        (STATIC.format("local: 10.0.0.2, external: 1.1.1.1, proto: tcp"), "nat44.static[1]", "go together"),
        (STATIC.format("local: 10.0.0.2, external: 1.1.1.1, local_port: 5"), "nat44.static[1]", "needs port"),
        (STATIC.format("local: 10.0.0.2, external: 1.1.1.1, twice: twice-nat"), "nat44.static[1]", "of a port"),
        (STATIC.format("local: 10.0.0.2, external: 1.1.1.1, proto: gre, port: 1"), "static[1].proto", "tcp, udp, icmp"),
        (STATIC.format("local: 10.0.0.2, external: 1.1.1.1, proto: tcp, port: 0"), "static[1].port", "or equal to 1"),
        (
            STATIC.format("local: 10.0.0.2, external: 192.0.2.1, proto: tcp, port: 80"),
            "nat44.static[1]",
            "of the same address and port as nat44.static[0] in line 1",
        ),
        (
            STATIC.format("local: 10.0.0.2, external: 1.1.1.1, proto: tcp, port: 80, twice_address: 1.1.1.2"),
            "nat44.static[1]",
            "needs twice",
        ),
        (SERVICE.format("[]"), "nat44.services[0].backends", "at least 1 item"),
        (SERVICE.format("[10.0.0.256]"), "nat44.services[0].backends[0]", "10.0.0.256"),
        (SERVICE.format("[10.0.0.1, {address: 10.0.0.1, port: 80}]"), "services[0].backends[1]", "as nat44.services"),
        (SERVICE.format("[{address: 10.0.0.1, weight: 256}]"), "backends[0].weight", "less than or equal to 255"),
        (
            "nat44: {services: [{external: 192.0.2.1, proto: tcp, port: 80, backends: [10.0.0.1, 10.0.0.2]}]}",
            "'external'",
            "pending: 192.0.2.1 is none of the pool's addresses",
        ),
        ("nat44: {identity: [{proto: tcp, port: 5}]}", "nat44.identity[0]", "expected address or interface"),
        (
            "nat44: {identity: [{address: 1.1.1.1}, {address: 1.1.1.1, table: 0}]}",
            "nat44.identity[1]",
            "as nat44.identity[0]",
        ),
        (
            "tables: {7: {}}\nnat44: {identity: [{address: 1.1.1.1, tag: a}, {address: 1.1.1.1, table: 7, tag: b}]}",
            "nat44.identity[1].tag",
            "1.1.1.1 has the tag 'a' in another table: expected the same",
        ),
    ],
)
def test_mistakes(text: str, where: str, why: str) -> None:
    try:
        found = [str(w) for w in parse_config(text, "f").warnings]
    except ConfigError:
        found = mistakes(text)
    assert any(where in line and why in line for line in found), found
