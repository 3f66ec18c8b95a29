"""`vpp-startup` and `doctor --bare-metal` as programs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from vectorplane.control.startup import parse_file

CONFIG = """
interfaces:
  lan: {device: {type: dpdk, pci: "ffff:ff:1f.7"}, addresses: [10.0.0.1/24]}
  me: {device: loopback}
"""


def vectorplane(*words: str) -> subprocess.CompletedProcess[str]:
    program = [sys.executable, "-c", "from vectorplane.cli import main; main()", *words]
    return subprocess.run(program, capture_output=True, text=True, timeout=60, check=False)


def test_vpp_startup(tmp_path: Path) -> None:
    config, out = tmp_path / "c.yaml", tmp_path / "startup.conf"
    config.write_text(CONFIG)
    done = vectorplane("vpp-startup", str(config), "-o", str(out), "--main-core", "0", "--worker-cores", "1-2")
    assert done.returncode == 0 and "lan            lan    DPDK, PCI ffff:ff:1f.7" in done.stdout
    assert f"{config}: interfaces.lan.device.pci: this host has no network card ffff:ff:1f.7" in done.stderr
    conf = parse_file(out)
    assert conf.api_socket == "/run/vpp/api.sock" and conf.cpu.worker_cores == (1, 2)
    done = vectorplane("vpp-startup", str(config), "--runtime-dir", "/r")
    assert "socket-name /r/api.sock" in done.stdout and "huge pages:" in done.stderr


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("--worker-cores", "a"), "--worker-cores: expected cores such as 2-3,5, got 'a'"),
        (("--runtime-dir", "x y"), "--runtime-dir: expected an absolute path"),
    ],
)
def test_vpp_startup_wrongly_used(tmp_path: Path, words: tuple[str, ...], error: str) -> None:
    (tmp_path / "c.yaml").write_text(CONFIG)
    done = vectorplane("vpp-startup", str(tmp_path / "c.yaml"), *words)
    assert (done.returncode, done.stdout) == (2, "") and error in done.stderr


def test_nobody_touches_a_card_to_show_a_configuration(tmp_path: Path) -> None:
    config = tmp_path / "c.yaml"
    config.write_text(CONFIG)
    for words in (("show", "interfaces", "-c", str(config)), ("graph", "-c", str(config))):
        done = vectorplane(*words)
        assert done.returncode == 0 and "lan" in done.stdout, done.stderr


def test_doctor_bare_metal() -> None:
    done = vectorplane("doctor", "--bare-metal", "--json")
    findings = {f["what"]: f for f in json.loads(done.stdout)}
    assert {"VPP", "DPDK", "IOMMU", "vfio-pci", "hugetlbfs", "cores", "group vpp"} <= findings.keys()
    assert done.returncode == (1 if any(f["state"] == "problem" for f in findings.values()) else 0)
    shown = vectorplane("doctor", "--bare-metal").stdout
    assert all(name in shown for name in findings)
