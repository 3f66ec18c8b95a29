"""``vectorplane cluster`` as a user types it: up behind, questions from other terminals, files that change, down."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[1] / "examples" / "cluster"
LOCKED = (EXAMPLE / "4-policy.yaml").read_text()


class Terminal:
    """Where commands are typed. ``folder`` holds the manifests of a cluster that is up."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.socket = folder, folder.parent / "c.sock"

    def run(self, *words: str, status: int = 0) -> str:
        """One command; its output, errors behind it."""
        command = [sys.executable, "-m", "vectorplane", "cluster", *words, "--socket", str(self.socket)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == status, (words, done.returncode, done.stdout, done.stderr)
        return done.stdout + done.stderr


@pytest.fixture(scope="module")
def terminal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    folder = tmp_path_factory.mktemp("c") / "manifests"
    shutil.copytree(EXAMPLE, folder)
    made = Terminal(folder)
    told = made.run("up", "-f", str(folder), "--nodes", "3", "--detach", "--capture", str(folder.parent / "wire"))
    assert "the cluster is up" in told and "node-3" in told and "10.96.0.2" in told
    yield made
    pid = int(told.split("process ")[1].split(",")[0])
    assert "ends" in made.run("down")
    for _ in range(100):
        if not Path(f"/proc/{pid}").exists() or Path(f"/proc/{pid}/stat").read_text().split()[2] == "Z":
            break
        time.sleep(0.1)
    else:
        os.kill(pid, signal.SIGKILL)
        pytest.fail("the cluster does not end")
    assert not made.socket.exists()


def test_get(terminal: Terminal) -> None:
    pods = json.loads(terminal.run("get", "pods", "--json"))["items"]
    assert len(pods) == 9
    assert "30080" in terminal.run("get", "svc", "-n", "web")
    assert "there is no" in terminal.run("get", "pod", "nothing", status=2)
    assert "no kind is called" in terminal.run("get", "gadgets", status=2)


def test_questions(terminal: Terminal) -> None:
    pods = json.loads(terminal.run("get", "pods", "--json"))["items"]
    frontend = next("web/" + p["metadata"]["name"] for p in pods if p["metadata"]["name"].startswith("frontend"))
    assert "3 answered" in terminal.run("ping", frontend, "other/visitor")
    assert "asked by" in terminal.run("curl", frontend, "svc/nginx")
    assert "timed out" in terminal.run("curl", "web/batch", "svc/nginx:http", status=1)
    answer = terminal.run("can-reach", "web/batch", "svc/nginx", status=1)
    assert "NO:" in answer and "default deny of policy web/nginx-from-frontend" in answer
    assert json.loads(terminal.run("can-reach", frontend, "svc/nginx", "--json"))["ok"]
    assert "ip4-input" in terminal.run("can-reach", frontend, "svc/nginx", "--details")
    svg = terminal.folder.parent / "matrix.svg"
    assert "✓" in terminal.run("matrix", "--svg", str(svg)) and svg.read_text().startswith("<svg")
    assert "sessions" in terminal.run("cli", "node-1", "show", "nat44", "summary")
    assert "Start of thread" in terminal.run("trace", frontend, "svc/nginx")
    assert "there is no pod" in terminal.run("ping", "nobody", "outside", status=2)


def test_files_are_followed(terminal: Terminal) -> None:
    policy = terminal.folder / "4-policy.yaml"
    policy.unlink()
    deadline = time.monotonic() + 20
    while "no resources" not in terminal.run("get", "policies"):
        assert time.monotonic() < deadline
    assert "asked by" in terminal.run("curl", "web/batch", "svc/nginx")
    policy.write_text("apiVersion: v1\nkind: [")  # a mistake: what was in force stays
    time.sleep(1)
    assert "asked by" in terminal.run("curl", "web/batch", "svc/nginx")
    policy.write_text(LOCKED)
    while "no resources" in terminal.run("get", "policies"):
        assert time.monotonic() < deadline
    terminal.run("curl", "web/batch", "svc/nginx", status=1)


def test_apply_and_delete(terminal: Terminal, tmp_path: Path) -> None:
    pod = tmp_path / "pod.yaml"
    pod.write_text("apiVersion: v1\nkind: Pod\nmetadata: {name: extra}\nspec: {containers: [{name: c, image: x}]}\n")
    assert "pod/extra created" in terminal.run("apply", "-f", str(pod))
    assert "pod/extra unchanged" in terminal.run("apply", "-f", str(pod))
    assert "3 answered" in terminal.run("ping", "extra", "other/visitor")
    assert "deleted" in terminal.run("delete", "pod", "extra")
    assert "not found" in terminal.run("delete", "pod", "extra", status=1)
    pod.write_text("apiVersion: v1\nkind: Pod\nmetadata: {name: Extra}\nspec: {containers: []}\n")
    told = terminal.run("apply", "-f", str(pod), status=2)
    assert f"{pod}:4: spec.containers" in told


def test_accidents(terminal: Terminal) -> None:
    assert "back with" in terminal.run("kill", "node-2")
    assert "back with" in terminal.run("kill", "node-1", "--agent")
    assert "evicted" in terminal.run("drain", "node-3")
    assert "SchedulingDisabled" in terminal.run("get", "nodes")
    terminal.run("uncordon", "node-3")
    assert "policies: " in terminal.run("history", "node-1") and "full resync" in terminal.run("history", "node-2")
    assert "there is no node node-9" in terminal.run("kill", "node-9", status=2)


def test_refused(terminal: Terminal, tmp_path: Path) -> None:
    assert "is up there already" in terminal.run("up", "--nodes", "1", status=1)
    other = Terminal(tmp_path / "manifests")
    assert "no instance answers" in other.run("get", "pods", status=2)
    assert "no such file" in other.run("up", "-f", str(tmp_path / "missing"), status=2)
    config = tmp_path / "settings.yaml"
    config.write_text("mtu: 12\nipam: {pod_subnet_cidr: 10.1.0.0/33}\n")
    told = other.run("up", "-c", str(config), status=1)
    assert f"{config}:1: mtu" in told and f"{config}:2: ipam.pod_subnet_cidr" in told
    manifest = tmp_path / "bad.yaml"
    manifest.write_text("apiVersion: v1\nkind: Service\nmetadata: {name: s}\nspec: {ports: [{port: 0}]}\n")
    assert f"{manifest}:4: spec.ports[0].port" in other.run("up", "-f", str(manifest), status=1)
