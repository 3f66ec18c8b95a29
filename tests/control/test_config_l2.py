"""Configurations of bridging, tunnels, mirrors and cross-connects: what is understood, and what is refused and why."""

from __future__ import annotations

import pytest

from tests.control.test_config import mistakes
from vectorplane.backends import items
from vectorplane.control.config import parse_config
from vectorplane.control.config_error import ConfigError
from vectorplane.control.yaml_source import items_of

PORTS = "interfaces:\n  a: {bridge: 1}\n  b: {bridge: {domain: 1, shg: 3}}\n  c: {}\n"
DOMAIN = "bridge_domains: {1: {}}\n"


def wanted(text: str) -> list[items.Item]:
    """The items of a configuration."""
    config = parse_config(text)
    assert config.warnings == ()
    return [item for item, _ in items_of(config)]


def test_bridging() -> None:
    found = wanted(
        """
bridge_domains:
  7:
    learn: false
    mac_age: 9
    tag: hello
    arp_term: true
    arp: [{ip: 10.0.0.9, mac: 02:00:00:00:00:09}, {ip: "2001:db8::9", mac: 02:00:00:00:00:09}]
    fib: [{mac: 02:00:00:00:00:01, interface: a}, {mac: 02:00:00:00:00:02, filter: true}]
interfaces:
  a: {bridge: 7}
  b: {bridge: {domain: 7, shg: 3, type: uu-fwd}}
  v: {device: bvi, bridge: 7, addresses: 10.0.0.1/24}
  t:
    sub_interfaces:
      10: {bridge: 7, tag_rewrite: pop-1}
      20: {xconnect: x, tag_rewrite: {op: translate-1-2, tags: [3, 4], tag: dot1ad}}
  x: {xconnect: t.20}
span: [{source: a, target: x, direction: rx, l2: true}]
"""
    )
    assert items.BridgeDomain(7, learn=False, mac_age=9, tag="hello", arp_term=True) in found
    assert items.BridgePort("a", 7, "normal", 0) in found
    assert items.BridgePort("b", 7, "uu-fwd", 3) in found
    assert items.BridgePort("v", 7, "bvi", 0) in found
    assert items.TagRewrite("t.10", "pop-1", False, ()) in found
    assert items.TagRewrite("t.20", "translate-1-2", False, (3, 4)) in found
    assert items.L2Xconnect("t.20", "x") in found and items.L2Xconnect("x", "t.20") in found
    assert items.L2FibEntry(7, "02:00:00:00:00:02", "") in found
    assert items.Span("a", "x", "rx", True) in found
    assert sum(isinstance(i, items.BridgeArp) for i in found) == 2


def test_tunnels() -> None:
    found = wanted(
        """
interfaces:
  a: {addresses: 10.0.0.1/24}
  v: {device: {type: vxlan, src: 10.0.0.1, dst: 10.0.0.2, vni: 5, dst_port: 8472, instance: 3}}
  m: {device: {type: vxlan, src: 10.0.0.1, dst: 239.1.1.1, vni: 5, multicast_interface: a}}
  g: {device: {type: geneve, src: 10.0.0.1, dst: 10.0.0.2, vni: 5, l3: true}}
  r: {device: {type: gre, src: 10.0.0.1, dst: 10.0.0.2, kind: erspan, session: 9}}
  i: {device: {type: ipip, src: 10.0.0.1, dst: 10.0.0.2}, l3_xconnect: {via: 10.0.0.7, interface: a}}
"""
    )
    devices = {i.name: (i.device, dict(i.options)) for i in found if isinstance(i, items.Interface)}
    assert devices["v"][0] == "vxlan" and devices["v"][1]["dst_port"] == 8472 and devices["v"][1]["instance"] == 3
    assert devices["m"][1]["multicast_interface"] == "a"
    assert devices["g"][1]["l3"] is True and devices["r"][1]["session"] == 9
    assert any(isinstance(i, items.L3Xconnect) and i.interface == "i" for i in found)


@pytest.mark.parametrize(
    ("text", "where", "why"),
    [
        (PORTS, "'a', 'bridge'", "pending: there is no bridge domain 1"),
        (
            DOMAIN + "interfaces: {a: {bridge: 1, xconnect: b}, b: {}}",
            "2: interfaces.a",
            "leave out bridge or xconnect",
        ),
        (DOMAIN + "interfaces: {a: {bridge: 1, addresses: 10.0.0.1/24}}", "addresses", "only a BVI is routed too"),
        (DOMAIN + "interfaces: {a: {bridge: {domain: 1, type: bvi}}}", "bridge", "cannot be a BVI"),
        (
            DOMAIN + "interfaces: {a: {device: bvi, bridge: 1}, b: {device: bvi, bridge: 1}}",
            "bridge",
            "has a port of type bvi already",
        ),
        (DOMAIN + "interfaces: {a: {bridge: 1, tag_rewrite: pop-1}}", "tag_rewrite", "takes off 1, but a has no tags"),
        (
            DOMAIN + "interfaces: {a: {bridge: 1, tag_rewrite: {op: push-2, tags: 5}}}",
            "tag_rewrite",
            "push-2 puts on 2 tags, got 1",
        ),
        ("bridge_domains: {0: {}}", "bridge_domains", "greater than or equal to 1"),
        ("bridge_domains: {1: {mac_age: 300}}", "mac_age", "less than or equal to 255"),
        (
            "bridge_domains: {1: {fib: [{mac: 02:00:00:00:00:01}]}}",
            "fib",
            "expected either interface or filter: true",
        ),
        ("interfaces: {a: {xconnect: b}}", "xconnect", "there is no interface b"),
        ("interfaces: {a: {xconnect: a}}", "xconnect", "expected another interface"),
        (
            "interfaces: {v: {device: {type: vxlan, src: 10.0.0.1, dst: 10.0.0.1, vni: 5}}}",
            "device",
            "src and dst are the same: 10.0.0.1",
        ),
        (
            "interfaces: {v: {device: {type: vxlan, src: 10.0.0.1, dst: 239.0.0.1, vni: 5}}}",
            "device",
            "dst is the group 239.0.0.1",
        ),
        (
            "interfaces: {v: {device: {type: vxlan, src: 10.0.0.1, dst: 10.0.0.2, vni: 16777216}}}",
            "vni",
            "less than 16777216",
        ),
        (
            "interfaces: {v: {device: {type: vxlan, src: 10.0.0.1, dst: 10.0.0.2, vni: 5, table: 9}}}",
            "table",
            "there is no table 9",
        ),
        (
            "interfaces:\n  v: {device: {type: ipip, src: 10.0.0.1, dst: 10.0.0.2}}\n"
            "  w: {device: {type: ipip, src: 10.0.0.1, dst: 10.0.0.2}}\n",
            "interfaces.w.device",
            "it is the same tunnel as",
        ),
        (
            DOMAIN + "interfaces: {v: {device: {type: ipip, src: 10.0.0.1, dst: 10.0.0.2}, bridge: 1}}",
            "bridge",
            "carries IP packets, not Ethernet frames",
        ),
        ("interfaces: {a: {}}\nspan: [{source: a, target: a}]", "span", "expected another interface than source"),
        ("interfaces: {a: {}}\nspan: [{source: a, target: z}]", "span", "there is no interface z"),
    ],
)
def test_mistakes(text: str, where: str, why: str) -> None:
    found = _problems(text)
    assert any(where in line and why in line for line in found), found


def _problems(text: str) -> list[str]:
    """What is wrong, or what has to wait for something else."""
    try:
        return [str(w) for w in parse_config(text, "f").warnings]
    except ConfigError:
        return mistakes(text)


def test_sub_interfaces() -> None:
    found = wanted(
        """
bridge_domains: {1: {}}
interfaces:
  t:
    sub_interfaces:
      2: {default: true, bridge: 1}
      3: {vlan: 7, inner: any, bridge: 1}
      4: {vlan: 8, inner: 9, tag: dot1ad, bridge: 1}
      5: {exact: false, bridge: 1}
"""
    )
    made = {i.id: i for i in found if isinstance(i, items.SubInterface)}
    assert made[2] == items.SubInterface("t", 2, None, None, False, False, True)
    assert made[3] == items.SubInterface("t", 3, 7, 4095, False, False)
    assert made[4] == items.SubInterface("t", 4, 8, 9, True, True)
    assert made[5] == items.SubInterface("t", 5, 5, None, False, False)
