"""The start-up configuration of a real VPP from ours: read back with our own parser of VPP's format."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.control.fake_host import FakeHost
from vectorplane.control.config import Config, parse_config
from vectorplane.control.config_engine import engine_problems
from vectorplane.control.config_error import ConfigError
from vectorplane.control.startup import parse_text
from vectorplane.control.startup.conf import without_comments
from vectorplane.control.vpp_startup import Cores, Startup, cards, choose_cores, core_text, make_startup

TEXT = """
engine: {workers: 2}
interfaces:
  lan:
    device: {type: dpdk, pci: 0000:3b:00.0, queues: 4, rx_ring: 2048}
    addresses: [10.0.0.1/24]
    sub_interfaces:
      100: {addresses: [10.0.100.1/24]}
  wan:
    device: {type: dpdk, pci: "3B:00.1"}
  me: {device: loopback, addresses: [192.0.2.1/32], sub_interfaces: {5: {}}}
  other: {device: loopback}
"""


def config(text: str = TEXT) -> Config:
    return parse_config(text, "c.yaml")


@pytest.fixture
def fake(tmp_path: Path) -> FakeHost:
    made = FakeHost(tmp_path)
    made.write("sys/devices/system/cpu/online", "0-7")
    made.node(0, "0-3")
    made.node(1, "4-7")
    made.card("0000:3b:00.0", "vfio-pci", node=1)
    made.card("0000:3b:00.1", "vfio-pci", node=1)
    return made


def section(made: Startup, name: str) -> list[str]:
    return made.text.partition(f"\n{name} {{\n")[2].partition("\n}\n")[0].split("\n")


def test_what_is_written_is_what_vpp_reads(fake: FakeHost) -> None:
    made = make_startup(config(), fake.host, file="c.yaml")
    read = parse_text(without_comments(made.text), uid=1000)
    assert read.api_socket == "/run/vpp/api.sock" and read.stats_socket == "/run/vpp/stats.sock"
    assert read.cli_socket == "/run/vpp/cli.sock" and read.unix.nodaemon and read.unix.gid is None
    assert (read.cpu.main_core, read.cpu.worker_cores) == (4, (5, 6)) == (made.cores.main, made.cores.workers)
    assert read.buffers.per_numa == made.buffers and made.nodes == (1,)
    assert read.ignored == ("plugins", "dpdk")


def test_cards_have_their_names_queues_and_rings(fake: FakeHost) -> None:
    lines = [line.strip() for line in section(make_startup(config(), fake.host), "dpdk")]
    assert lines == [
        "dev 0000:3b:00.0 {",
        *("name lan", "num-rx-queues 4", "num-rx-desc 2048", "num-tx-desc 1024", "}"),
        "dev 0000:3b:00.1 {",
        *("name wan", "num-rx-queues 2", "num-rx-desc 1024", "num-tx-desc 1024", "}"),
    ]


def test_only_the_plugins_that_are_needed(fake: FakeHost) -> None:
    assert make_startup(config(), fake.host).plugins == ("dpdk_plugin.so", "ping_plugin.so")
    bridge = config("interfaces: {a: {device: {type: dpdk, pci: 0000:3b:00.0}}}")
    assert section(make_startup(bridge, fake.host), "plugins") == [
        "  plugin default { disable }",
        "  plugin dpdk_plugin.so { enable }",
    ]
    none = make_startup(config("interfaces: {a: {device: loopback}}"), fake.host)
    assert none.plugins == () and "dpdk" not in none.text


def test_acls(fake: FakeHost) -> None:
    text = "engine: {acl: {max_sessions: 1000, reclassify: true}}\nacls: {a: [{action: permit}]}"
    made = make_startup(config(text), fake.host)
    assert made.plugins == ("acl_plugin.so",)
    read = parse_text(without_comments(made.text), uid=1000)
    assert (read.acl.max_sessions, read.acl.reclassify) == (1000, True)


def test_names(fake: FakeHost) -> None:
    made = make_startup(config(), fake.host)
    assert [(m.name, m.vpp) for m in made.interfaces] == [
        ("lan", "lan"),
        ("lan.100", "lan.100"),
        ("wan", "wan"),
        ("me", "loopN"),
        ("me.5", "loopN.5"),
        ("other", "loopN"),
    ]
    assert "#   me" in made.text


def test_buffers_and_huge_pages_cover_all_rings(fake: FakeHost) -> None:
    made = make_startup(config(), fake.host)
    rings = 4 * 2048 + 3 * 1024 + 2 * 1024 + 3 * 1024
    assert made.buffers >= rings + 2 * 4096 and made.buffers % 4096 == 0
    assert made.huge_pages * (2 << 20) >= made.buffers * 2500 + (16 << 20)
    many = make_startup(config("engine: {buffers: 1000000}"), fake.host)
    assert many.buffers >= 1000000


def test_the_group_vpp_when_there_is_one(fake: FakeHost) -> None:
    assert "gid" not in make_startup(config(), fake.host).text
    fake.write("etc/group", "vpp:x:990:")
    made = make_startup(config(), fake.host, runtime_dir="/run/other")
    assert "  gid vpp" in section(made, "unix") and section(made, "api-segment") == ["  gid vpp"]
    assert "  cli-listen /run/other/cli.sock" in section(made, "unix")


def test_cores_of_a_host_that_is_not_known(fake: FakeHost) -> None:
    elsewhere = config("interfaces: {a: {device: {type: dpdk, pci: 0000:99:00.0}}}")
    made = make_startup(elsewhere, fake.host)
    assert made.cores == Cores(1, (2,), guessed=True) and "adapt these" in made.text


def test_cores_that_were_asked_for(fake: FakeHost) -> None:
    made = make_startup(config(), fake.host, main_core=0, worker_cores=(1, 2, 3, 7))
    assert made.cores == Cores(0, (1, 2, 3, 7)) and "corelist-workers 1-3,7" in made.text
    with pytest.raises(ConfigError, match="core 1 cannot be the main thread's and a worker's"):
        make_startup(config(), fake.host, main_core=1, worker_cores=(1, 2))
    assert make_startup(config(), fake.host, main_core=5).cores == Cores(5, (4, 6))
    assert make_startup(config(), fake.host, worker_cores=(4, 1, 2)).cores == Cores(5, (4, 1, 2))
    with pytest.raises(ConfigError, match=r"^c.yaml:2: engine.workers: 20 workers and the main thread need 21 cores"):
        make_startup(config(TEXT.replace("workers: 2", "workers: 20")), fake.host, file="c.yaml")


def test_choosing_cores() -> None:
    assert choose_cores(2, [1], {0: (0, 1), 1: (2, 3)}) == Cores(2, (3, 1))
    assert choose_cores(1, [0], {0: (0, 1)}) == Cores(0, (1,))
    assert choose_cores(1, [0], {0: (0, 1, 2)}) == Cores(1, (2,))
    with pytest.raises(ValueError, match="1 worker and the main thread need 2 cores, this host has 1"):
        choose_cores(1, [0], {0: (0,)})
    assert core_text((2, 3, 4, 7, 9, 10)) == "2-4,7,9-10" and core_text(()) == ""


def test_a_file_name_cannot_leave_its_comment(fake: FakeHost) -> None:
    made = make_startup(config(), fake.host, file="a\nunix { exec /x }\n.yaml")
    assert parse_text(without_comments(made.text)).unix.exec_file is None


@pytest.mark.parametrize(
    ("device", "message"),
    [
        ("{type: dpdk}", "c.yaml:2: interfaces.a.device.pci: is missing"),
        ("{type: dpdk, pci: 3b00}", "c.yaml:2: interfaces.a.device.pci: expected a PCI address such as 0000:3b:00.0"),
        ("{type: dpdk, pci: 5}", "c.yaml:2: interfaces.a.device.pci: expected a PCI address"),
        ("{type: dpdk, pci: 0000:3b:00.0, queues: 0}", "c.yaml:2: interfaces.a.device.queues: "),
        ("{type: dpdk, pci: 0000:3b:00.0, ring: 1}", "c.yaml:2: interfaces.a.device.ring: unknown field"),
        ("{type: loopback, rx: a}", "c.yaml:2: interfaces.a.device.rx: unknown field"),
        ("{type: dpkd}", "unknown type 'dpkd'; did you mean dpdk?"),
    ],
)
def test_mistakes_in_devices(device: str, message: str) -> None:
    with pytest.raises(ConfigError) as e:
        config(f"interfaces:\n  a: {{device: {device}}}\n")
    assert message in str(e.value)


def test_one_card_for_two_interfaces() -> None:
    text = "interfaces:\n  a: {device: {type: dpdk, pci: 3b:00.0}}\n  b: {device: {type: dpdk, pci: 0000:3B:00.0}}\n"
    with pytest.raises(ConfigError, match=r"^c.yaml:3: interfaces.b.device.pci: 0000:3b:00.0 is already interfaces.a"):
        config(text)


def test_a_virtual_device_of_dpdk_is_no_card_of_a_vpp() -> None:
    made = config('interfaces: {a: {device: {dpdk: "net_null0,copy=0", queues: 2}}, b: {device: {dpdk: "3b:00.0"}}}')
    assert list(cards(made)) == ["b"] and cards(made)["b"].pci == "0000:3b:00.0"
    assert engine_problems(made) == []


@pytest.mark.parametrize(
    ("device", "message"),
    [
        (
            "{dpdk: net_Null0}",
            "c.yaml:2: interfaces.a.device.vdev: expected a virtual device of DPDK such as",
        ),
        ("{dpdk: nonsense}", "c.yaml:2: interfaces.a.device.pci: expected a PCI address"),
        ("{type: dpdk, vdev: net_null0, pci: 3b:00.0}", "c.yaml:2: interfaces.a.device: a port is a card or a virtual"),
        ("{dpdk: net_null0, mtu: 1}", "c.yaml:2: interfaces.a.device.mtu: "),
        ("{dpdk: net_null0, speed: 1}", "c.yaml:2: interfaces.a.device.speed: unknown field"),
    ],
)
def test_mistakes_in_dpdk_ports(device: str, message: str) -> None:
    with pytest.raises(ConfigError) as e:
        config(f"interfaces:\n  a: {{device: {device}}}\n")
    assert message in str(e.value)


def test_where_a_setting_stands_does_not_make_it_another_configuration() -> None:
    assert config("\n\nengine: {workers: 2}") == config("engine: {workers: 2}") != config("engine: {workers: 3}")
