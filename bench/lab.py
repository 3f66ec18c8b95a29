"""TCP between network namespaces, through instances and through a Linux bridge, in the same run.

All labs are there at once (an idle instance sleeps), and each round takes every one of them in turn: whatever else the
machine does, it does to all. Needs root, iperf3 and ip (iproute2).

A Linux bridge hands packets of up to 64 KB on by reference, and nobody computes their checksums: both ends are one
kernel. With ``bridge-cut`` its hosts have no offloads: they cut and sum up, as they do for a tap without ``gso``.
"""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vectorplane.backends.engine.host.namespace import inside
from vectorplane.control.config_yaml import Document
from vectorplane.control.lab.config import lab_of
from vectorplane.control.lab.lab import PREFIX, Lab
from vectorplane.control.lab.namespaces import LabError

Values = dict[str, Any]
_PATIENCE = 10.0
"""Seconds until a server must be there."""


def _bridge() -> Values:
    hosts = {name: {"link": "lan", "addresses": f"10.77.1.{i}/24"} for i, name in enumerate("ab", 2)}
    return {"switches": {"lan": None}, "hosts": hosts}


def _router(device: Values, nat: bool = False) -> Values:
    interfaces, hosts = {}, {}
    for net, (name, role) in enumerate({"a": "inside", "b": "outside"}.items(), 1):
        interfaces[name] = {"addresses": f"10.77.{net}.1/24", "device": device} | ({"nat": role} if nat else {})
        hosts[name] = {
            "link": f"router.{name}",
            "addresses": f"10.77.{net}.2/24",
            "gateways": f"10.77.{net}.1",
        }
    config: Values = {"interfaces": interfaces} | ({"nat44": {"interface_addresses": "b"}} if nat else {})
    return {"instances": {"router": config}, "hosts": hosts}


def _vxlan() -> Values:
    instances, hosts = {}, {}
    for i, name in enumerate("ab"):
        tunnel = {"type": "vxlan", "src": f"10.99.0.{1 + i}", "dst": f"10.99.0.{2 - i}", "vni": 42}
        instances[f"node-{name}"] = {
            "bridge_domains": {1: {}},
            "interfaces": {
                "lan": {"bridge": 1},
                "core": {"addresses": f"10.99.0.{1 + i}/24", "mtu": 1600},
                "tunnel": {"device": tunnel, "bridge": 1},
            },
        }
        hosts[name] = {"link": f"node-{name}.lan", "addresses": f"10.77.1.{2 + i}/24"}
    core = {"ports": ["node-a.core", "node-b.core"], "mtu": 1600}
    return {"instances": instances, "switches": {"core": core}, "hosts": hosts}


CASES: dict[str, Callable[[], Values]] = {
    "bridge": _bridge,
    "bridge-cut": _bridge,
    "router": lambda: _router({}),
    "router-gso": lambda: _router({"gso": True}),
    "nat44": lambda: _router({}, nat=True),
    "nat44-gso": lambda: _router({"gso": True}, nat=True),
    "vxlan": _vxlan,
}
"""The lab of each; its hosts are ``a``, which sends, and ``b``."""


@dataclass
class LabResult:
    """One case: of each round Gbit/s at the receiver, and how many segments were sent again."""

    case: str
    gbits: list[float] = field(default_factory=list)
    retransmits: list[int] = field(default_factory=list)

    @property
    def median(self) -> float:
        return statistics.median(self.gbits)

    def json(self) -> dict[str, Any]:
        """For ``--json``."""
        return {"case": self.case, "median": self.median, "gbits": self.gbits, "retransmits": self.retransmits}


def bench(cases: Iterable[str], rounds: int, seconds: int, base: Path | None = None) -> list[LabResult]:
    """Measure: in each round every case, one stream of iperf3. ``base``: where the labs have their folders.

    Raises:
        LabError: a lab can't be made, or a program is missing.
    """
    for program in ("ip", "iperf3"):
        if shutil.which(program) is None:
            raise LabError(f"bench lab needs {program}, which is not installed")
    results = [LabResult(case) for case in cases]
    with ExitStack() as stack:
        labs = {}
        for result in results:
            plan = lab_of(Document(f"bench-{result.case}", CASES[result.case]()))
            labs[result.case] = stack.enter_context(Lab(plan, prefix=f"{PREFIX}{result.case}-", base=base))
            if result.case == "bridge-cut":
                for host in "ab":
                    inside(labs[result.case].namespace(host), _without_offloads)
            _serve(labs[result.case])
        for _ in range(rounds):
            for result in results:
                _measure(labs[result.case], seconds, result)
    return results


def _without_offloads() -> None:
    """eth0 gets packets whose checksums are there, and therefore none that are to be cut."""
    from pyroute2 import Ethtool

    with Ethtool() as ethtool:
        features = ethtool.get_features("eth0")
        features.features["tx-checksum-ip-generic"].enable = False
        ethtool.set_features("eth0", features)


def _address(lab: Lab) -> str:
    return str(next(host.eth0.addresses[0].ip for host in lab.plan.hosts if host.name == "b"))


def _serve(lab: Lab) -> None:
    """A server on b, which ends with the lab; neighbours learn of one another."""
    subprocess.run(lab.command("b", "iperf3", "-s", "-D"), check=True)
    end = time.monotonic() + _PATIENCE
    while "error" in _client(lab, "-n", "1000"):
        if time.monotonic() > end:
            raise LabError(f"bench lab: {lab.name}: no answer from {_address(lab)}")
        time.sleep(0.1)


def _client(lab: Lab, *words: str) -> dict[str, Any]:
    command = lab.command("a", "iperf3", "-J", "-c", _address(lab), *words)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        return dict(json.loads(done.stdout))
    except ValueError:
        raise LabError(f"{' '.join(command)}: {done.stdout}{done.stderr}") from None


def _measure(lab: Lab, seconds: int, result: LabResult) -> None:
    told = _client(lab, "-t", str(seconds))
    if "error" in told:
        raise LabError(f"bench lab: {lab.name}: {told['error']}")
    result.gbits.append(told["end"]["sum_received"]["bits_per_second"] / 1e9)
    result.retransmits.append(told["end"]["sum_sent"]["retransmits"])
