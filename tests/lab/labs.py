"""Labs for tests: under names of their own, so that several tests, and a user's labs, are there at the same time."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from vectorplane.control.config_yaml import parse
from vectorplane.control.lab.config import lab_of
from vectorplane.control.lab.lab import Lab

EXAMPLES = Path(__file__).parents[2] / "examples"
_PROGRAMS = ("ip", "ping", "iperf3", "curl")
needs_root = pytest.mark.skipif(
    os.geteuid() != 0 or not os.path.exists("/dev/net/tun") or not all(map(shutil.which, _PROGRAMS)),
    reason=f"labs need root and /dev/net/tun, and these tests {', '.join(_PROGRAMS)}",
)
PROGRAM = [sys.executable, "-m", "vectorplane"]


@contextmanager
def folder() -> Iterator[Path]:
    """One with a short name (paths of sockets are bounded) that nobody else may enter."""
    made = Path(tempfile.mkdtemp(prefix="vplab", dir="/tmp"))
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


def prefix(name: str) -> str:
    """How the namespaces of a lab of this process are called."""
    return f"vp{os.getpid()}{name}-"


@contextmanager
def a_lab(text: str, name: str) -> Iterator[Lab]:
    """The lab of a file's text."""
    with folder() as base, Lab(lab_of(parse(text, f"{name}.yaml")), prefix=prefix(name), base=base) as lab:
        yield lab


def run(lab: Lab, host: str, *words: str, check: bool = True, seconds: float = 120) -> str:
    """What a command on a host printed."""
    command = lab.command(host, *words)
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=False)
    assert not check or done.returncode == 0, f"{' '.join(command)}: {done.stdout}{done.stderr}"
    return done.stdout


@contextmanager
def served(lab: Lab, host: str, ready: str, *words: str) -> Iterator[None]:
    """A server on a host, once it has printed a line with ``ready``."""
    command = lab.command(host, *words)
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        assert server.stdout is not None
        assert any(ready in line for line in server.stdout), f"{' '.join(command)} ended"
        yield
    finally:
        server.terminate()
        server.communicate(timeout=20)


def links(lab: Lab, namespace: str) -> dict[str, dict[str, int]]:
    """What the kernel counted at each interface of a namespace: rx, tx, rx_dropped, tx_dropped, rx_errors."""
    words = ["ip", "-n", lab.namespace(namespace), "-s", "-j", "link", "show"]
    told = json.loads(subprocess.run(words, capture_output=True, check=True).stdout)
    found = {}
    for link in told:
        rx, tx = link["stats64"]["rx"], link["stats64"]["tx"]
        found[link["ifname"]] = {
            "rx": rx["packets"],
            "tx": tx["packets"],
            "rx_dropped": rx["dropped"],
            "tx_dropped": tx["dropped"],
            "rx_errors": rx["errors"],
        }
    return found


def snmp(lab: Lab, host: str) -> dict[str, int]:
    """The counters of a host's protocol stack, as ``Tcp.InCsumErrors``."""
    lines = run(lab, host, "cat", "/proc/net/snmp", "/proc/net/netstat").splitlines()
    found = {}
    for names, values in zip(lines[::2], lines[1::2], strict=True):
        group, _, rest = names.partition(":")
        counts = values.partition(":")[2].split()
        found |= {f"{group}.{name}": int(count) for name, count in zip(rest.split(), counts, strict=True)}
    return found
