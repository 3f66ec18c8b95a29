"""Configurations of ACLs, MACIP lists and Ethernet type lists: what is understood, and what is refused and why."""

from __future__ import annotations

from ipaddress import ip_network

import pytest

from tests.control.test_config import mistakes
from tests.control.test_config_l2 import wanted
from vectorplane.backends import items
from vectorplane.backends.items_acl import ALL_PORTS
from vectorplane.control.apply import make_engine
from vectorplane.control.config import parse_config
from vectorplane.control.config_error import ConfigError

ANY4, ANY6 = ip_network("0.0.0.0/0"), ip_network("::/0")
ALL = ALL_PORTS


def rule_of(text: str) -> items.AclRule:
    """The only rule of a list that is written in YAML's flow style."""
    found = [i for i in wanted(f"acls: {{x: [{text}]}}") if isinstance(i, items.Acl)]
    (rule,) = found[0].rules
    return rule


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("{}", items.AclRule("permit", ANY4, ANY4)),
        ("{action: deny, ip6: true}", items.AclRule("deny", ANY6, ANY6)),
        ("{proto: icmp6, type: 128}", items.AclRule("permit", ANY6, ANY6, 58, (128, 128), ALL)),
        (
            "{proto: tcp, src: 10.1.0.0/16, sport: 1-9, dport: 80}",
            items.AclRule("permit", ip_network("10.1.0.0/16"), ANY4, 6, (1, 9), (80, 80)),
        ),
        (
            "{action: permit+reflect, proto: 17, dst: '2001:db8::/32', dport: '0-1023'}",
            items.AclRule("permit+reflect", ANY6, ip_network("2001:db8::/32"), 17, ALL, (0, 1023)),
        ),
        ("{proto: icmp, code: 0-4}", items.AclRule("permit", ANY4, ANY4, 1, ALL, (0, 4))),
        (
            "{proto: tcp, tcp_flags: {mask: [syn, ack], value: syn}}",
            items.AclRule("permit", ANY4, ANY4, 6, ALL, ALL, (18, 2)),
        ),
        ("{proto: tcp, tcp_flags: {mask: 0x17}}", items.AclRule("permit", ANY4, ANY4, 6, ALL, ALL, (23, 0))),
        ("{proto: 132}", items.AclRule("permit", ANY4, ANY4, 132)),
    ],
)
def test_rules(text: str, rule: items.AclRule) -> None:
    assert rule_of(text) == rule


def test_lists_and_where_they_apply() -> None:
    found = wanted(
        """
bridge_domains: {1: {}}
acls: {none: [], one: [{}], two: [{action: deny}, {}]}
macip_acls:
  m:
    - {mac: 02:00:00:00:00:01, src: 10.0.0.1/32}
    - {action: deny, mac: 02:00:00:00:00:00, mask: ff:00:00:00:00:00}
    - {action: permit-both, src: 10.0.0.0/8}
interfaces:
  a: {acl: {input: [two, one], output: none}, macip: m, reassembly: [full, virtual]}
  b: {bridge: 1, acl: {input: one}, etype_whitelist: {input: [0x0806, 0x86dd], output: 0x0806}}
  c:
    sub_interfaces:
      7: {acl: {output: one}}
"""
    )
    assert items.Acl("none", ()) in found
    assert items.AclBinding("a", ("two", "one"), ("none",)) in found
    assert items.AclBinding("c.7", (), ("one",)) in found
    assert items.EtypeWhitelist("b", (0x0806, 0x86DD), (0x0806,)) in found
    assert items.MacipBinding("a", "m") in found
    assert items.Reassembly("a", "full") in found and items.Reassembly("a", "virtual") in found
    (macip,) = [i for i in found if isinstance(i, items.MacipAcl)]
    every, nothing = "ff:ff:ff:ff:ff:ff", "00:00:00:00:00:00"
    assert macip.rules == (
        items.MacipRule("permit", "02:00:00:00:00:01", every, ip_network("10.0.0.1/32")),
        items.MacipRule("deny", "02:00:00:00:00:00", "ff:00:00:00:00:00", ANY4),
        items.MacipRule("permit-both", nothing, nothing, ip_network("10.0.0.0/8")),
    )


@pytest.mark.parametrize(
    ("text", "where", "why"),
    [
        ("acls: {x: [{action: allow}]}", "acls.x[0].action", "permit+reflect"),
        ("acls: {x: [{}, {src: 10.0.0.0/33}]}", "acls.x[1].src", "10.0.0.0/33"),
        ("acls: {x: [{src: 10.0.0.1/8}]}", "acls.x[0].src", "10.0.0.0/8"),
        ("acls: {x: [{src: 10.0.0.0/8, dst: '::/0'}]}", "acls.x[0]", "of two families"),
        ("acls: {x: [{src: 10.0.0.0/8, ip6: true}]}", "acls.x[0]", "the prefix is of the other family"),
        ("acls: {x: [{dport: 80}]}", "acls.x[0]", "ports need proto: tcp or udp"),
        ("acls: {x: [{proto: tcp, dport: 65536}]}", "acls.x[0].dport", "a port from 0 to 65535"),
        ("acls: {x: [{proto: tcp, dport: 9-8}]}", "acls.x[0].dport", "the first not above the last"),
        ("acls: {x: [{proto: tcp, dport: http}]}", "acls.x[0].dport", "got 'http'"),
        ("acls: {x: [{proto: tcp, dport: true}]}", "acls.x[0].dport", "got True"),
        ("acls: {x: [{proto: tcp, dport: -1}]}", "acls.x[0].dport", "got -1"),
        ("acls: {x: [{proto: tcp, type: 8}]}", "acls.x[0]", "type and code need proto: icmp"),
        ("acls: {x: [{proto: icmp, ip6: true, type: 8}]}", "acls.x[0]", "type and code need proto: icmp6"),
        ("acls: {x: [{proto: icmp, type: 256}]}", "acls.x[0].type", "from 0 to 255"),
        ("acls: {x: [{proto: udp, tcp_flags: {mask: syn}}]}", "acls.x[0]", "tcp_flags need proto: tcp"),
        ("acls: {x: [{proto: tcp, tcp_flags: {mask: sin}}]}", "acls.x[0].tcp_flags.mask", "words of fin, syn"),
        ("acls: {x: [{proto: tcpp}]}", "acls.x[0].proto", "one of any, icmp"),
        ("acls: {x: [{proto: 256}]}", "acls.x[0].proto", "0 to 255"),
        ("acls: {x: [{port: 80}]}", "acls.x[0].port", "field"),
        ("acls: {'#5': []}", "acls", "expected a name"),
        ("acls: {'a b': []}", "acls", "expected a name"),
        (f"acls: {{{'n' * 64}: []}}", "acls", "at most 63"),
        ("interfaces: {a: {acl: {input: gone}}}", "'acl', 'input'", "pending: there is no ACL gone"),
        ("acls: {one: []}\ninterfaces: {a: {acl: {input: onf}}}", "'acl', 'input'", "one"),
        ("acls: {one: []}\ninterfaces: {a: {acl: {input: [one, one]}}}", "2: interfaces.a.acl.input[1]", "twice"),
        ("interfaces: {a: {macip: gone}}", "'macip'", "pending: there is no MACIP list gone"),
        ("macip_acls: {m: [{mac: 02:00:00}]}", "macip_acls.m[0].mac", "02:00:00"),
        ("macip_acls: {m: [{action: reflect}]}", "macip_acls.m[0].action", "permit-both"),
        ("interfaces: {a: {etype_whitelist: {input: 0x806}}}", "interfaces.a.etype_whitelist", "beside ACLs"),
        (
            "acls: {o: []}\ninterfaces: {a: {acl: {input: o}, etype_whitelist: {input: 0x10000}}}",
            "etype_whitelist.input: ",
            "0 to 0xffff",
        ),
        ("interfaces: {a: {reassembly: ful}}", "interfaces.a.reassembly", "expected one of full, virtual"),
        ("engine: {acl: {tcp_idle: -1}}", "engine.acl.tcp_idle", "greater than or equal to 0"),
        ("engine: {acl: {max_sessions: 99999999}}", "engine.acl.max_sessions", "less than or equal to"),
    ],
)
def test_mistakes(text: str, where: str, why: str) -> None:
    try:
        found = [str(w) for w in parse_config(text, "f").warnings]
    except ConfigError:
        found = mistakes(text)
    assert any(where in line and why in line for line in found), found


def test_settings_reach_the_engine() -> None:
    config = parse_config(
        "engine: {acl: {udp_idle: 3, tcp_idle: 5, tcp_transient: 2, max_sessions: 9, counters: true, reclassify: true}}"
    )
    engine = make_engine(config)
    try:
        acls = engine.acls
        assert [acls.sessions.timeout(kind) for kind in (1, 2, 3)] == [3, 5, 2]
        assert (acls.max_sessions, acls.counters_enabled, acls.reclassify) == (9, True, True)
    finally:
        engine.close()
