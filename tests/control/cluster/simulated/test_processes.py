"""Nodes in processes of their own: the same answers and the same packets as in one process; and processes that die."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.control.cluster.simulated.clusters import EXAMPLE, ask, cluster
from vectorplane.backends.engine.sim_host.probe import ProbeState
from vectorplane.control.cluster.kube.manifests.read import parse
from vectorplane.control.cluster.kube.model.pods import Pod
from vectorplane.control.cluster.simulated.cluster import Cluster
from vectorplane.control.cluster.simulated.reach import probe
from vectorplane.control.cluster.simulated.remote.node import RemoteNode
from vectorplane.control.cluster.simulated.targets import source, target
from vectorplane.control.management import ManagementError
from vectorplane.pcap.frames import frames

CAPTURE = EXAMPLE.parent / "captures" / "lan.pcap"
CLIENT = "web/batch"


def scenario(made: Cluster) -> list[Any]:
    """Everything that a user can ask, and an accident. The answers, and when they came."""
    seen: list[Any] = []

    def asked(method: str, **given: Any) -> None:
        seen.append((ask(made, method, **given), made.now))

    def client() -> str:
        return next(f"web/{p.name}" for p in made.kube.list_of(Pod, "web") if p.name.startswith("frontend"))

    frontend = client()
    for kind in ("nodes", "pods", "endpoints"):
        asked("get", kind=kind)
    asked("ping", source=CLIENT, target="other/visitor")
    asked("ping", source="node/node-1", target="node/node-3")
    asked("curl", source=frontend, target="svc/web/nginx")
    asked("curl", source="outside", target="node/node-1:30080")
    for sender, to in ((CLIENT, "svc/web/nginx"), (frontend, "svc/web/nginx"), ("outside", "other/visitor:80")):
        asked("can_reach", source=sender, target=to, details=True)
    for protocol in ("tcp", "udp", "sctp", "icmp"):
        asked("matrix", port="80", protocol=protocol)
    asked("delete_files", files=[str(EXAMPLE / "4-policy.yaml")])
    asked("matrix", port="80", protocol="tcp", namespace="web")
    asked("trace", source=CLIENT, target="svc/web/nginx")
    asked("kill", node="node-2", agent=True)
    asked("drain", node="node-3")
    made.advance(70.5)
    asked("curl", source=CLIENT, target="svc/web/nginx")
    asked("replay", pod=client(), capture=str(CAPTURE), rewrite=True)
    for node in made.nodes:
        for line in ("show interface", "show nat44 sessions", "show errors", "show ip fib"):
            asked("cli", node=node, line=line)
    return seen


@pytest.mark.slow
def test_the_same_as_in_one_process(tmp_path: Path) -> None:
    seen: list[list[Any]] = []
    for processes in (False, True):
        with cluster(EXAMPLE, captures=tmp_path / str(processes), processes=processes) as made:
            seen.append(scenario(made))
    for one, other in zip(*seen, strict=True):
        assert one == other
    for name in ("node-1.pcap", "node-2.pcap", "node-3.pcap"):
        one, other = (list(frames(tmp_path / str(kind) / name)) for kind in (False, True))
        assert len(one) > 100 and one == other
        assert (tmp_path / "False" / name).read_bytes() == (tmp_path / "True" / name).read_bytes()


def lives(pid: int) -> bool:
    """Is there such a process, which has not ended?"""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def pids(made: Cluster) -> dict[str, int]:
    """Of the nodes' processes."""
    found = {}
    for name, node in made.nodes.items():
        assert isinstance(node, RemoteNode) and node.pid is not None
        found[name] = node.pid
    return found


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def on(made: Cluster, node: str) -> str:
    """A pod that runs there."""
    return next(f"{p.namespace}/{p.name}" for p in made.kube.list_of(Pod) if p.spec.nodeName == node)


def test_accidents() -> None:
    with cluster(EXAMPLE, processes=True) as made:
        before = ask(made, "matrix", port="80", protocol="tcp")
        first = pids(made)
        assert all(map(lives, first.values())) and len({os.getpid(), *first.values()}) == 4

        os.kill(first["node-2"], signal.SIGKILL)  # by somebody else
        until(lambda: not lives(first["node-2"]))
        made.advance(1)
        listed = ask(made, "get", kind="nodes")["text"]
        assert [line.split()[1] for line in listed.splitlines()[1:]] == ["Ready", "NotReady", "Ready"]
        with pytest.raises(ManagementError, match="node node-2 is down: its process ended by signal 9"):
            ask(made, "curl", source=on(made, "node-2"), target="outside:80")
        with pytest.raises(ManagementError, match="node node-2 is down"):
            ask(made, "cli", node="node-2", line="show version")
        assert not ask(made, "ping", source=on(made, "node-1"), target=on(made, "node-2"), count=1)["ok"]
        assert ask(made, "ping", source=on(made, "node-1"), target=on(made, "node-3"), count=1)["ok"]

        ask(made, "kill", node="node-2")  # which brings it back from the store
        assert ask(made, "matrix", port="80", protocol="tcp") == before
        second = pids(made)
        assert second["node-2"] != first["node-2"]

        ask(made, "kill", node="node-1")  # really kills
        assert not lives(first["node-1"])
        assert ask(made, "matrix", port="80", protocol="tcp") == before
        third = pids(made)

        text = "apiVersion: v1\nkind: Node\nmetadata: {name: node-4}\n"
        extra = [m.object for m in parse(text, "node.yaml").manifests]
        made.apply(extra)
        fourth = pids(made)["node-4"]
        made.delete(extra)
        assert "node-4" not in made.nodes and not lives(fourth)
    assert not any(map(lives, {*first.values(), *second.values(), *third.values()}))


def test_a_process_that_dies_with_something_to_do() -> None:
    with cluster(EXAMPLE, processes=True) as made:
        here, there = on(made, "node-1"), on(made, "node-2")
        tried = [
            probe(source(made, who, "default").host, target(made, f"pod/{to}", "default", "icmp"))
            for who, to in ((here, there), (there, here))
        ]
        os.kill(pids(made)["node-2"], signal.SIGSTOP)  # it takes what it is sent, and answers nothing
        os.kill(pids(made)["node-2"], signal.SIGKILL)
        made.wait_for(*tried)
        assert [t.state for t in tried] == [ProbeState.TIMED_OUT, ProbeState.TIMED_OUT]
        assert made.nodes["node-2"].down and not made.nodes["node-1"].down
        with pytest.raises(ManagementError, match="node node-2 is down"):
            ask(made, "kill", node="node-2", agent=True)


def test_a_capture_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "bad.pcap").write_bytes(b"no capture at all, but long enough to be looked at")
    with cluster(EXAMPLE, processes=True) as made:
        with pytest.raises(ManagementError, match=r"bad\.pcap"):
            ask(made, "replay", pod=CLIENT, capture=str(tmp_path / "bad.pcap"), rewrite=True)
        assert ask(made, "ping", source=CLIENT, target="other/visitor")["ok"]


PROGRAM = """
import sys, time
from pathlib import Path
from tests.control.cluster.simulated.clusters import cluster
with cluster(nodes=2, processes=True) as made:
    print(*[node.pid for node in made.nodes.values()], flush=True)
    time.sleep(60)
"""


def test_nodes_hold_no_terminal() -> None:
    """Who reads what a detached cluster writes comes to its end."""
    with cluster(nodes=1, processes=True) as made:
        for fd in (0, 1, 2):
            assert os.readlink(f"/proc/{pids(made)['node-1']}/fd/{fd}") == os.devnull


def test_nodes_do_not_outlive_the_cluster() -> None:
    with subprocess.Popen([sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        found = [int(word) for word in program.stdout.readline().split()]
        assert len(found) == 2 and all(map(lives, found))
        program.kill()
        program.wait()
    until(lambda: not any(map(lives, found)))
