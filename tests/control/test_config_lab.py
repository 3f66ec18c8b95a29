"""Lab files: what becomes of them, and each mistake with its line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from vectorplane.backends.items import Interface
from vectorplane.cli.lab import clean
from vectorplane.control.config import config_of
from vectorplane.control.config_error import ConfigError
from vectorplane.control.config_yaml import Document, parse
from vectorplane.control.lab.config import is_lab, lab_of, load_lab
from vectorplane.control.lab.instance import write_config
from vectorplane.control.lab.lab import Lab
from vectorplane.control.lab.namespaces import LabError
from vectorplane.control.lab.plan import Plan
from vectorplane.control.yaml_source import items_of

GOOD = """
instances:
  r:
    interfaces:
      lan: {addresses: [10.0.0.1/24], device: {gso: true}}
      core:
      loop: {device: loopback}
      port: {device: {type: capture, rx: a.pcap}}
switches:
  net: {ports: r.core, mtu: 1600}
hosts:
  a: {link: r.lan, addresses: 10.0.0.2/24, gateways: 10.0.0.1, mac: "02:00:00:00:00:01"}
  b: {link: net, addresses: [10.1.0.2/24]}
"""


def plan_of(text: str, file: str = "lab.yaml") -> Plan:
    return lab_of(parse(text, file))


def tap(plan: Plan, name: str) -> Any:
    return plan.instances[0].config["interfaces"][name]["device"]


def test_what_is_wired_becomes_a_tap(tmp_path: Path) -> None:
    (tmp_path / "a.pcap").write_bytes(b"")
    plan = plan_of(GOOD.replace("gso", "checksum_offload"), str(tmp_path / "lab.yaml"))
    (instance,) = plan.instances
    assert instance.taps == ("core", "lan") and instance.name == "r"
    host = {"name": "eth0", "namespace": "a", "mac": "02:00:00:00:00:01", "addresses": ["10.0.0.2/24"]}
    host["gateways"] = ["10.0.0.1"]  # type: ignore[assignment]
    assert tap(plan, "lan") == {"type": "tap", "checksum_offload": True, "host": host}
    port = {"name": "port0", "namespace": "net", "bridge": "br0", "mtu": 1600}
    assert tap(plan, "core") == {"type": "tap", "host": port}
    assert tap(plan, "loop") == "loopback"
    assert tap(plan, "port")["rx"] == [str(tmp_path / "a.pcap")]
    a, b = plan.hosts
    assert (a.port, b.port, b.eth0.mtu) == (None, "port1", 1600)


def test_the_configuration_that_is_written(tmp_path: Path) -> None:
    """It is one for `run`, with the namespaces as they are called in the end."""
    (tmp_path / "a.pcap").write_bytes(b"")
    plan = plan_of(GOOD.replace("gso", "checksum_offload"), str(tmp_path / "lab.yaml"))
    write_config(plan.instances[0], "x-", tmp_path / "written.yaml")
    config = config_of(parse((tmp_path / "written.yaml").read_text(), "written.yaml"))
    found = {i.name: dict(i.options) for i, _ in items_of(config) if isinstance(i, Interface)}
    assert found["lan"]["host_namespace"] == "x-a" and found["core"]["host_namespace"] == "x-net"
    assert plan.instances[0].config["interfaces"]["lan"]["device"]["host"]["namespace"] == "a"


def test_a_configuration_in_a_file_of_its_own(tmp_path: Path) -> None:
    """Its mistakes are told with its name and lines."""
    (tmp_path / "r.yaml").write_text("interfaces:\n  lan: {addresses: [10.0.0.1/24]}\n")
    lab = tmp_path / "lab.yaml"
    lab.write_text("instances: {r: {config: r.yaml}}\nhosts: {a: {link: r.lan}}\n")
    plan = load_lab(lab)
    assert plan.instances[0].source == str(tmp_path / "r.yaml")
    (tmp_path / "r.yaml").write_text("interfaces:\n  lan: {addresses: [10.0.0.300/24]}\n")
    with pytest.raises(ConfigError, match=r"r\.yaml:2: interfaces\.lan\.addresses\[0\]: expected an address"):
        load_lab(lab)
    lab.write_text("instances: {r: {config: no.yaml}}\nhosts: {a: {link: r.lan}}\n")
    with pytest.raises(ConfigError, match=r"no\.yaml: no such file"):
        load_lab(lab)


MISTAKES = [
    ("hosts", "hoosts", r"lab.yaml:11: hoosts: unknown field; did you mean hosts\?"),
    ("a: {link", "a: {lnk", r"lab.yaml:12: hosts.a.lnk: unknown field; did you mean link\?"),
    ("link: net", "link: nett", r"lab.yaml:13: hosts.b.link: expected INSTANCE.INTERFACE or a switch, got 'nett'"),
    ("link: r.lan", "link: r.lann", r"lab.yaml:12: hosts.a.link: instance r has no interface lann; did you mean lan\?"),
    ("link: r.lan", "link: q.lan", r"lab.yaml:12: hosts.a.link: there is no instance q"),
    ("link: r.lan", "link: r.loop", r"lab.yaml:12: hosts.a.link: r.loop has a device of its own"),
    ("link: net", "link: r.lan", r"lab.yaml:13: hosts.b.link: r.lan is wired already \(in line 12\)"),
    ("ports: r.core, ", "", r"lab.yaml:6: instances.r.interfaces.core: nothing is plugged in here"),
    ("gso: true", "gsoo: true", r"lab.yaml:5: instances.r.interfaces.lan.device.gsoo: unknown field"),
    (
        "gateways: 10.0.0.1",
        "gateways: 10.0.9.1",
        r"lab.yaml:12: hosts.a: the gateway 10.0.9.1 is in none of the networks",
    ),
    ("  a: {", "  'a/b': {", r"lab.yaml:12: hosts.a/b: expected a name of 1 to 31 letters"),
    ("  b: {", "  net: {", r"lab.yaml:10: switches.net: a host has the same name"),
    ("addresses: [10.0.0.1/24]", "addresses: [x]", r"lab.yaml:5: instances.r.interfaces.lan.addresses\[0\]: expected"),
    (
        "  r:\n",
        "  r:\n    config: r.yaml\n",
        r"lab.yaml:5: instances.r.interfaces: the configuration is in a file of its",
    ),
    ("mtu: 1600", "mtu: 60", r"lab.yaml:10: switches.net.mtu: "),
]


@pytest.mark.parametrize(("old", "new", "told"), MISTAKES)
def test_mistakes(old: str, new: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "r.yaml").write_text("")
    (tmp_path / "a.pcap").write_bytes(b"")
    assert old in GOOD
    with pytest.raises(ConfigError, match=told):
        plan_of(GOOD.replace("gso", "checksum_offload", 0 if "gso" in old else 1).replace(old, new, 1))


def test_without_root(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Who may not make a lab is told so, and nothing is begun."""
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    plan = plan_of("switches: {lan: }\nhosts: {a: {link: lan}}")
    with pytest.raises(LabError, match="a lab needs root"), Lab(plan, base=tmp_path / "lab"):
        pass
    assert not (tmp_path / "lab").exists()
    with pytest.raises(SystemExit):
        clean(tmp_path / "lab")
    assert "lab clean needs root" in capsys.readouterr().err


def test_what_is_no_lab() -> None:
    with pytest.raises(ConfigError, match="expected a mapping with the fields instances, switches, hosts"):
        lab_of(Document("lab.yaml", [1]))
    assert not is_lab(parse("interfaces: {}", "x")) and is_lab(parse("hosts: {}", "x"))
