"""The configuration file as items, each with the line it is written in."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Interface, IPv4Network
from pathlib import Path

import pytest

from vectorplane.backends import items
from vectorplane.control.config import parse_config
from vectorplane.control.config_engine import refuse_what_a_running_engine_cannot
from vectorplane.control.config_error import ConfigError
from vectorplane.control.transactions.change import Change
from vectorplane.control.yaml_source import change_of, reader

TEXT = """
tables:
  7: {name: red, flow_hash: [dst, src, dst]}
interfaces:
  a:
    device: {type: capture, rx: in.pcap}
    mac: 02:00:00:00:00:01
    mtu: 1400
    promiscuous: true
    addresses: [10.0.0.1/24, 10.0.9.1/32]
    sub_interfaces:
      5: {table: 7, addresses: [10.5.0.1/24]}
      6: {vlan: 60, inner: 61, tag: dot1ad, exact: false, up: false}
      7: {inner: any}
      8: {default: true}
  b: {device: {type: sim, queues: 2, rx_ring: 1024, line_rate: 10G}, ip4: true}
  c: {device: {type: dpdk, pci: 3b:00.0}}
  d: {device: loopback, up: false}
neighbours:
  - {interface: a, ip: 10.0.0.2, mac: 02:00:00:00:00:02}
routes:
  - {prefix: 10.1.0.0/16, via: 10.0.0.2, interface: a}
  - {prefix: 10.2.0.0/16, table: 7, paths: [{via: 10.0.0.9, weight: 3}, {via: 10.0.0.3, interface: a, preference: 2}]}
  - {prefix: 10.3.0.0/16, action: unreachable}
  - {prefix: 10.4.0.0/16, lookup: 7}
  - {prefix: 10.5.0.0/16, interface: b}
"""


def change(text: str = TEXT, out: Path | None = None) -> Change:
    return change_of(parse_config(text, "c.yaml"), "c.yaml", "/folder", out)


def wanted(made: Change) -> dict[str, items.Item]:
    return {key: w.item for key, w in made.puts.items()}


def test_everything_that_a_file_can_say() -> None:
    up = [items.InterfaceUp(n) for n in ("a", "a.5", "a.7", "a.8", "b", "c")]
    expected: list[items.Item] = [
        items.Table(7, name="red", flow_hash=("dst", "src")),
        items.Interface("a", "capture", (("promiscuous", True), ("rx", ("/folder/in.pcap",)))),
        items.InterfaceMac("a", "02:00:00:00:00:01"),
        items.InterfaceMtu("a", 1400),
        items.InterfaceAddress("a", IPv4Interface("10.0.0.1/24")),
        items.InterfaceAddress("a", IPv4Interface("10.0.9.1/32")),
        items.SubInterface("a", 5, 5),
        items.InterfaceTable("a.5", 7),
        items.InterfaceAddress("a.5", IPv4Interface("10.5.0.1/24")),
        items.SubInterface("a", 6, 60, 61, dot1ad=True, exact=False),
        items.SubInterface("a", 7, 7, 4095, exact=False),
        items.SubInterface("a", 8, exact=False, default=True),
        items.Interface("b", "sim", (("line_rate", 10**10), ("queues", 2))),
        items.Ip4Enabled("b"),
        items.Interface("c", "dpdk", (("pci", "0000:3b:00.0"),)),
        items.Interface("d", "loopback"),
        items.Neighbour("a", IPv4Address("10.0.0.2"), "02:00:00:00:00:02"),
        items.Route(IPv4Network("10.1.0.0/16"), (items.Path("10.0.0.2", "a"),)),
        items.Route(
            IPv4Network("10.2.0.0/16"), (items.Path("10.0.0.3", "a", preference=2), items.Path("10.0.0.9", weight=3)), 7
        ),
        items.Route(IPv4Network("10.3.0.0/16"), (items.Path(action="unreachable"),)),
        items.Route(IPv4Network("10.4.0.0/16"), (items.Path(table=7),)),
        items.Route(IPv4Network("10.5.0.0/16"), (items.Path(interface="b"),)),
        *up,
    ]
    assert wanted(change()) == {item.key: item for item in expected}


@pytest.mark.parametrize(
    ("key", "origin"),
    [
        ("interface/a", "c.yaml:5: interfaces.a"),
        ("interface/a/mtu", "c.yaml:8: interfaces.a.mtu"),
        ("interface/a/address/10.0.9.1/32", "c.yaml:10: interfaces.a.addresses[1]"),
        ("interface/a.6", "c.yaml:13: interfaces.a.sub_interfaces.6"),
        ("interface/a/up", "c.yaml:5: interfaces.a.up"),
        ("route/0/10.3.0.0/16", "c.yaml:24: routes[2]"),
        ("table/ip4/7", "c.yaml:3: tables.7"),
    ],
)
def test_where_each_item_is_written(key: str, origin: str) -> None:
    assert str(change().puts[key].origin) == origin


def test_the_order_of_paths_and_defaults_written_out_make_no_difference() -> None:
    text = TEXT.replace("[{via: 10.0.0.9, weight: 3}, ", "[").replace(
        "preference: 2}]", "preference: 2}, {via: 10.0.0.9, weight: 3}]"
    )
    assert text != TEXT and wanted(change(text)) == wanted(change())
    assert wanted(change(TEXT.replace("rx_ring: 1024, ", ""))) == wanted(change())


def test_captures_are_written_only_to_an_output_folder(tmp_path: Path) -> None:
    text = "interfaces: {a/b: {device: {tx: x.pcap}}, c/d: {}, e: {device: {type: sim, tap: t.pcap}}}"
    assert {dict(i.options).get("tx") for i in wanted(change(text)).values() if isinstance(i, items.Interface)} == {
        None
    }
    made = wanted(change(text, tmp_path))
    assert made["interface/a/b"] == items.Interface("a/b", "capture", (("tx", f"{tmp_path}/x.pcap"),))
    assert made["interface/c/d"] == items.Interface("c/d", "capture", (("tx", f"{tmp_path}/c-d.pcap"),))
    assert made["interface/e"] == items.Interface("e", "sim", (("tap", f"{tmp_path}/t.pcap"),))


def test_a_reader_finds_captures_beside_the_file_and_refuses(tmp_path: Path) -> None:
    (tmp_path / "in.pcap").touch()
    file = str(tmp_path / "c.yaml")
    text = b"interfaces: {a: {device: {rx: in.pcap}}}"
    assert wanted(reader()(text, file))["interface/a"].key == "interface/a"
    with pytest.raises(ConfigError, match=r"c.yaml:1: interfaces.a.device.rx.0.: there is no file out.pcap"):
        reader()(text.replace(b"in.pcap", b"out.pcap"), file)
    read = reader(refuse_what_a_running_engine_cannot)
    with pytest.raises(ConfigError, match=r"c.yaml:1: interfaces.a.device.src: the engine has no tunnels"):
        read(b"interfaces: {a: {device: {type: ipip, src: '::1', dst: '::2'}}}", file)
    linked = b"interfaces: {a: {device: {type: sim, link: {peer: b}}}, b: {device: {type: sim}}}"
    with pytest.raises(ConfigError, match=r"c.yaml:1: interfaces.a.device.link: a running engine has real time"):
        read(linked, file)
    with pytest.raises(ConfigError, match=r"c.yaml:1: interfacs: unknown field"):
        read(b"interfacs: {}", file)
