"""A process has one EAL, so each test's engine runs in a process of its own: functions of `children`, by name."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from vectorplane.backends.engine.dpdk.library import shim_file

needs_dpdk = pytest.mark.skipif(shim_file() is None, reason="the shim to DPDK was not built")
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
_CHILD = """
import json, sys
from tests.backends.dpdk import children
print("=" + json.dumps(getattr(children, sys.argv[1])(*json.loads(sys.argv[2]))))
"""
TOP = Path(__file__).parents[3]


def start(name: str, *arguments: Any, prefix: tuple[str, ...] = ()) -> subprocess.Popen[str]:
    """Run a function of `children` in a new process."""
    command = [*prefix, sys.executable, "-c", _CHILD, name, json.dumps(arguments)]
    return subprocess.Popen(command, cwd=TOP, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def result(process: subprocess.Popen[str]) -> Any:
    """What the function gave."""
    out, error = process.communicate(timeout=180)
    assert process.returncode == 0, error
    return json.loads(next(line for line in reversed(out.splitlines()) if line.startswith("="))[1:])


def run(name: str, *arguments: Any, prefix: tuple[str, ...] = ()) -> Any:
    """Start it and wait for what it gives."""
    return result(start(name, *arguments, prefix=prefix))
