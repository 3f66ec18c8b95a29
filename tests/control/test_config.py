"""Configurations: what is understood, and that every mistake is named with its line, field and what was expected."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

import pytest

from vectorplane.control.config import Config, load_config, parse_config
from vectorplane.control.config_device import CaptureSettings, NullSettings, PgSettings, SimSettings
from vectorplane.control.config_error import ConfigError, problem_text
from vectorplane.control.default_router import default_router

TWO = "interfaces:\n  in: {addresses: 10.1.0.1/24}\n  out: {addresses: 10.2.0.1/24}\n"


def mistakes(text: str, folder: str | None = None) -> list[str]:
    """Messages without the file's name."""
    with pytest.raises(ConfigError) as e:
        parse_config(text, "f", folder)
    return [line.removeprefix("f:") for line in e.value.lines()]


def test_everything() -> None:
    c = parse_config(
        """
engine: {clock: fast, workers: 2, buffers: 32768, seed: 7, vector_size: 64}
interfaces:
  in:
    mac: 02-00-00-00-01-0A
    addresses: [10.1.0.1/24, 10.1.1.1/24]
    mtu: 1500
    promiscuous: true
    device: {rx: a.pcap, tx: b.pcap}
    sub_interfaces:
      100: {addresses: 10.3.0.1/24}
      7: {vlan: 200, inner: any, tag: dot1ad, table: 10}
      8: {default: true, exact: false}
  out: {device: {type: sim, queues: 4, line_rate: 2.5 Gbit/s, link: {peer: far, latency: 1.5us}}}
  far: {device: {type: sim}}
  gen: {device: pg, up: false}
  nowhere: {device: "null"}
  plain:
tables:
  10: {name: red, flow_hash: [src, dst]}
routes:
  - {prefix: 0.0.0.0/0, via: 10.1.0.2, interface: in}
  - {prefix: 10.9.0.0/16, action: unreachable}
  - {prefix: 10.8.0.0/16, table: 10, paths: [{via: 10.1.0.3, weight: 3}, {interface: out, preference: 1}, {lookup: 0}]}
neighbours:
  - {interface: in.100, ip: 10.3.0.2, mac: 02:00:00:00:01:02}
"""
    )
    assert (c.engine.clock, c.engine.workers, c.engine.vector_size) == ("fast", 2, 64)
    i = c.interfaces["in"]
    assert i.mac == "02:00:00:00:01:0a"
    assert [str(a) for a in i.addresses] == ["10.1.0.1/24", "10.1.1.1/24"]
    assert isinstance(i.device, CaptureSettings) and i.device.rx == ["a.pcap"]
    assert i.sub_interfaces[100].tags(100) == (100,)
    assert i.sub_interfaces[7].tags(7) == (200, 4095)
    assert i.sub_interfaces[8].tags(8) == ()
    sim = c.interfaces["out"].device
    assert isinstance(sim, SimSettings) and sim.link is not None
    assert (sim.line_rate, sim.link.latency) == (2_500_000_000, 1500)
    assert isinstance(c.interfaces["gen"].device, PgSettings)
    assert isinstance(c.interfaces["nowhere"].device, NullSettings)
    assert isinstance(c.interfaces["plain"].device, CaptureSettings)
    assert [str(p.via) for p in c.routes[0].all_paths()] == ["10.1.0.2"]
    assert c.routes[1].all_paths() == []
    assert [(p.weight, p.preference, p.lookup) for p in c.routes[2].all_paths()] == [
        (3, 0, None),
        (1, 1, None),
        (1, 0, 0),
    ]


def test_nothing_is_a_configuration() -> None:
    assert parse_config("") == Config()
    assert parse_config("routes:\ninterfaces:\n") == Config()


def test_default_router() -> None:
    c = default_router()
    assert c.interfaces["in"].promiscuous and c.interfaces["in"].sub_interfaces[0].default
    assert str(c.routes[0].prefix) == "0.0.0.0/0"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- a", "1: expected a mapping with the fields engine, interfaces, tables, routes, neighbours"),
        ("intrefaces: {}", "1: intrefaces: unknown field; did you mean interfaces?"),
        ("engine:\n  clok: fast", "2: engine.clok: unknown field; did you mean clock?"),
        ("engine: {zzz: 1}", "1: engine.zzz: unknown field; known: clock, workers, buffers, seed, vector_size"),
        ("engine: {clock: now}", "1: engine.clock: expected one of virtual, real, fast, got 'now'"),
        ("engine: {workers: two}", "1: engine.workers: expected an integer, got 'two'"),
        ("engine: {workers: '2'}", "1: engine.workers: expected an integer, got '2'"),
        ("engine: {workers: 0}", "1: engine.workers: expected greater than or equal to 1, got 0"),
        ("engine: 5", "1: engine: expected a mapping (field: value), got 5"),
        ("interfaces: []", "1: interfaces: expected a mapping (field: value), got a list"),
        (
            "interfaces: {a b: {}}",
            "1: interfaces.a b: expected a name of 1 to 63 letters, digits and _ - . : /, got 'a b'",
        ),
        ("interfaces: {../x: {}}", "1: interfaces.../x: expected a name"),
        ("interfaces: {local0: {}}", "1: interfaces.local0: the name local0 is taken by the engine itself"),
        ("interfaces: {a: {up: yes}}", "1: interfaces.a.up: expected true or false, got 'yes'"),
        (
            "interfaces:\n  a:\n    mac: 02:00:00",
            "3: interfaces.a.mac: expected a MAC address such as 02:fe:00:00:00:01",
        ),
        ("interfaces: {a: {mac: 01:00:5e:00:00:01}}", "1: interfaces.a.mac: expected the MAC address of one station"),
        (
            "interfaces: {a: {mac: 00:00:00:00:00:00}}",
            "1: interfaces.a.mac: expected a MAC address that is not all zeros",
        ),
        (
            "interfaces: {a: {addresses: 10.0.0.1}}",
            "1: interfaces.a.addresses: expected an address with its prefix length",
        ),
        (
            "interfaces: {a: {addresses: [10.0.0.1/33]}}",
            "1: interfaces.a.addresses[0]: expected an address with its prefix",
        ),
        (
            "interfaces: {a: {addresses: [224.0.0.1/24]}}",
            "1: interfaces.a.addresses[0]: expected an address of one host",
        ),
        ("interfaces: {a: {device: captur}}", "1: interfaces.a.device: unknown type 'captur'; did you mean capture?"),
        ("interfaces: {a: {device: {queues: 4}}}", "1: interfaces.a.device: type is missing"),
        ("interfaces: {a: {device: {type: pg, rx: x}}}", "1: interfaces.a.device.rx: unknown field; known: type"),
        ("interfaces: {a: {device: {type: capture, r: x}}}", "1: interfaces.a.device.r: unknown field"),
        (
            "interfaces: {a: {device: {type: sim, line_rate: x}}}",
            "1: interfaces.a.device.line_rate: expected a rate in bits",
        ),
        ("interfaces: {a: {device: {type: sim, link: {}}}}", "1: interfaces.a.device.link.peer: is missing"),
        (
            "interfaces: {a: {sub_interfaces: {x: {}}}}",
            "1: interfaces.a.sub_interfaces.x: expected an integer, got 'x'",
        ),
        (
            "interfaces: {a: {sub_interfaces: {9: {inner: x}}}}",
            "1: interfaces.a.sub_interfaces.9.inner: expected an integer",
        ),
        (
            "interfaces: {a: {sub_interfaces: {9: {default: true, vlan: 3}}}}",
            "1: interfaces.a.sub_interfaces.9: a default",
        ),
        (
            "routes: [{prefix: 10.0.0.1/8, action: blackhole}]",
            "1: routes[0].prefix: 10.0.0.1/8 has bits set behind its",
        ),
        (
            "routes: [{prefix: 10.0.0.0, action: blackhole}]",
            "1: routes[0].prefix: expected a prefix such as 10.0.0.0/8",
        ),
        ("routes: [{prefix: 10.0.0.0/8}]", "1: routes[0]: expected via, interface, lookup, paths or action"),
        ("routes: [{via: 10.0.0.1}]", "1: routes[0].prefix: is missing"),
        (
            "routes: [{prefix: 0.0.0.0/0, action: drop}]",
            "1: routes[0].action: expected one of blackhole, unreachable, prohibit",
        ),
        ("routes: [{prefix: 0.0.0.0/0, paths: [{}]}]", "1: routes[0].paths[0]: expected via, interface or lookup"),
        (
            "routes: [{prefix: 0.0.0.0/0, via: 1.1.1.1, action: prohibit}]",
            "1: routes[0]: a route with action prohibit has no",
        ),
        (
            "routes: [{prefix: 0.0.0.0/0, paths: [{via: 1.1.1.1, weight: 0}]}]",
            "1: routes[0].paths[0].weight: expected greater",
        ),
        ("neighbours: [{interface: in}]", "1: neighbours[0].ip: is missing"),
        ("proxy_arp: [{low: 10.0.0.2, high: 10.0.0.1}]", "1: proxy_arp[0]: 10.0.0.2 is above 10.0.0.1"),
        ('proxy_arp: [{low: "::1", high: "::2"}]', "1: proxy_arp[0].low: expected an IPv4 address"),
        ('routes: [{prefix: "2001:db8::1/32", action: prohibit}]', "1: routes[0].prefix: 2001:db8::1/32 has bits set"),
        ('routes: [{prefix: "2001:db8::/129", action: prohibit}]', "1: routes[0].prefix: expected a prefix"),
        ('routes: [{prefix: "::/0", via: "fe80::1%in"}]', "1: routes[0].via: expected an IPv4 address"),
        (
            'interfaces: {a: {addresses: ["ff02::1/64"]}}',
            "1: interfaces.a.addresses[0]: expected an address of one host",
        ),
        (
            "tables: {1: {flow_hash: [src, foo]}}",
            "1: tables.1.flow_hash[1]: expected one of src, dst, proto, sport, dport",
        ),
    ],
)
def test_mistake(text: str, message: str) -> None:
    assert any(line.startswith(message) for line in mistakes(text)), mistakes(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("routes: [{prefix: 0.0.0.0/0, lookup: 5}]", "4: routes[0].lookup: there is no table 5; known: 0"),
        ("routes: [{prefix: 0.0.0.0/0, table: 5, interface: in}]", "4: routes[0].table: there is no table 5"),
        (
            "routes:\n- {prefix: 0.0.0.0/0, interface: in}\n- {prefix: 0.0.0.0/0, interface: out}",
            "6: routes[1].prefix: 0.0.0.0/0 is already routed by routes[0] in line 5",
        ),
        (
            "neighbours: [{interface: in, ip: 10.1.0.1, mac: 02:00:00:00:00:01}]",
            "4: neighbours[0].ip: 10.1.0.1 is the address of in itself",
        ),
        (
            "  x: {addresses: 10.1.0.1/32}",
            "4: interfaces.x.addresses[0]: 10.1.0.1 is also the address of interfaces.in",
        ),
        (
            "  x: {addresses: 10.1.0.77/25}",
            "4: interfaces.x.addresses[0]: 10.1.0.77/25 overlaps 10.1.0.1/24, interfaces.in",
        ),
        (
            '  x: {addresses: ["2001:db8::1/64"]}\n  y: {addresses: "2001:db8::9/65"}',
            "5: interfaces.y.addresses[0]: 2001:",
        ),
        ("  x: {unnumbered: x}", "4: interfaces.x.unnumbered: expected another interface"),
        ("  x: {unnumbered: y}\n  y: {unnumbered: in}", "4: interfaces.x.unnumbered: y borrows its addresses itself"),
        ("  x: {unnumbered: in, addresses: 10.9.0.1/32}", "4: interfaces.x.unnumbered: x has addresses of its own"),
        (
            "  x: {unnumbered: in, table: 4}\ntables: {4: {}}",
            "4: interfaces.x.unnumbered: in is in table 0, x in table 4",
        ),
        (
            'routes: [{prefix: "::/0", table: 4, interface: in}]\ntables: {4: {}}',
            "4: routes[0].table: table 4 has no IPv6: say ip6: true under tables.4",
        ),
        (
            'routes: [{prefix: "::/0", via: 10.0.0.1}]',
            "4: routes[0].via: 10.0.0.1 is no next hop for ::/0: expected IPv6",
        ),
        ("proxy_arp: [{low: 10.0.0.1, high: 10.0.0.2, table: 4}]", "4: proxy_arp[0].table: there is no table 4"),
        (
            "proxy_arp: [{low: 10.0.0.1, high: 10.0.0.2}, {low: 10.0.0.1, high: 10.0.0.2}]",
            "4: proxy_arp[1]: it is the same as proxy_arp[0] in line 4",
        ),
        ("  x: {table: 4}", "4: interfaces.x.table: there is no table 4"),
        ("  IN: {}", "4: interfaces.IN: its output file would be that of in"),
        (
            "  x: {device: {tx: out.pcap}}",
            "4: interfaces.x.device.tx: out.pcap is already written by interfaces.out.device",
        ),
        ("  x: {sub_interfaces: {1: {}, 2: {vlan: 1}}}", "4: interfaces.x.sub_interfaces.2: it has the same tags as"),
        ("  x: {sub_interfaces: {5000: {}}}", "4: interfaces.x.sub_interfaces.5000: 5000 is not a VLAN"),
        ("  x: {sub_interfaces: {1: {}}}\n  x.1: {}", "5: interfaces.x.1: its name x.1 is the same as that of"),
        ("  x: {device: {type: sim, link: {peer: y}}}", "4: interfaces.x.device.link.peer: there is no interface y"),
        (
            "  x: {device: {type: sim, link: {peer: in}}}",
            "4: interfaces.x.device.link.peer: in is not a simulated port",
        ),
        ("  x: {device: {type: sim, link: {peer: x}}}", "4: interfaces.x.device.link.peer: a cable has two ends"),
    ],
)
def test_mistake_between_parts(text: str, message: str) -> None:
    assert any(line.startswith(message) for line in mistakes(TWO + text)), mistakes(TWO + text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "routes: [{prefix: 0.0.0.0/0, via: 10.1.0.2, interface: ou}]",
            "f:4: routes[0].interface: pending: there is no interface ou; did you mean out?",
        ),
        (
            "routes: [{prefix: 0.0.0.0/0, paths: [{interface: x}]}]",
            "f:4: routes[0].paths[0].interface: pending: there is no interface x; known: in, out",
        ),
        (
            "neighbours: [{interface: in.5, ip: 10.1.0.2, mac: 02:00:00:00:00:01}]",
            "f:4: neighbours[0].interface: pending: there is no interface in.5",
        ),
        ("  x: {unnumbered: y}", "f:4: interfaces.x.unnumbered: pending: there is no interface y"),
        ("  x: {unnumbered: y}\n  y: {}", "f:4: interfaces.x.unnumbered: pending: y has no address"),
        (
            "  x: {up: false, sub_interfaces: {1: {}}}",
            "f:4: interfaces.x.sub_interfaces.1.up: pending: x is not up",
        ),
    ],
)
def test_what_has_to_wait_is_no_mistake(text: str, message: str) -> None:
    warnings = parse_config(TWO + text, "f").warnings
    assert len(warnings) == 1 and problem_text("f", warnings[0]).startswith(message)
    assert parse_config(TWO).warnings == ()


def test_ip6() -> None:
    c = parse_config(
        """
interfaces:
  a: {addresses: [10.0.0.1/24, "2001:db8::1/64", "fe80::1/64"], table: 7}
  b: {addresses: "fe80::1/64", proxy_arp: true}
  c: {unnumbered: b}
tables: {7: {ip6: true}}
routes: [{prefix: "2001:db8:1::/48", table: 7, via: "2001:db8::2", interface: a}, {prefix: "::/0", action: prohibit}]
neighbours: [{interface: a, ip: "2001:db8::2", mac: 02:00:00:00:00:02}]
proxy_arp: [{low: 10.9.0.1, high: 10.9.0.9}]
"""
    )
    assert [str(a) for a in c.interfaces["a"].addresses] == ["10.0.0.1/24", "2001:db8::1/64", "fe80::1/64"]
    assert str(c.routes[0].prefix) == "2001:db8:1::/48" and c.routes[0].all_paths()[0].via == IPv6Address("2001:db8::2")
    assert c.proxy_arp[0].high == IPv4Address("10.9.0.9") and c.warnings == ()


def test_addresses_may_repeat_in_other_tables() -> None:
    parse_config(TWO + "  x: {addresses: 10.1.0.1/24, table: 4}\ntables: {4: {}}\n")
    parse_config("interfaces: {a: {addresses: [10.1.0.1/24, 10.1.0.2/24]}}")


def test_all_mistakes_in_order_of_lines() -> None:
    found = mistakes("routes: [{prefix: x, via: y}]\nneighbours: 5\nengine: {seed: -1}\n")
    assert [line.partition(":")[0] for line in found] == ["1", "1", "2", "3"]


def test_files(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    with pytest.raises(ConfigError, match="no such file"):
        load_config(path)
    path.write_text("interfaces: {in: {device: {rx: [here.pcap, gone.pcap]}}}")
    (tmp_path / "here.pcap").touch()
    with pytest.raises(ConfigError) as e:
        load_config(path)
    assert e.value.lines() == [f"{path}:1: interfaces.in.device.rx[1]: there is no file gone.pcap (in {tmp_path})"]
