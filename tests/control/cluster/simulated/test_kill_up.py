"""``cluster up --store``, killed by kill -9 and started again: the same node ids, the same addresses of pods."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.control.cluster.simulated.clusters import EXAMPLE

pytestmark = pytest.mark.slow
_CLI = (sys.executable, "-m", "vectorplane")
_WAIT = 120


def _get(socket: Path, kind: str) -> Any:
    command = [*_CLI, "cluster", "get", kind, "--json", "--socket", str(socket)]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True, timeout=_WAIT).stdout)


def _seen(folder: Path) -> tuple[Any, Any, signal.Signals]:
    """What a cluster has that is up until it is killed."""
    socket = folder / "cluster.sock"
    command = [*_CLI, "cluster", "up", "-f", str(EXAMPLE), "--store", str(folder / "store"), "--socket", str(socket)]
    with (folder / "out").open("w") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out)
        try:
            until = time.monotonic() + _WAIT
            while "the cluster is up" not in (folder / "out").read_text():
                assert process.poll() is None and time.monotonic() < until, (folder / "out").read_text()
                time.sleep(0.2)
            found = _get(socket, "nodes"), _get(socket, "pods")
        finally:
            process.kill()
            status = process.wait()
    return *found, signal.Signals(-status)


def test_killed_and_started_again(tmp_path: Path) -> None:
    nodes, pods, status = _seen(tmp_path)
    assert status is signal.SIGKILL and "10.1." in json.dumps(pods)
    assert _seen(tmp_path) == (nodes, pods, signal.SIGKILL)
