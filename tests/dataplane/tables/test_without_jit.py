"""The small cases once more as plain Python, where each access to memory is checked."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from vectorplane.jit.kernel import JIT

HERE = Path(__file__).parent


@pytest.mark.skipif(not JIT, reason="not in CI: this is the run without the JIT")
def test_small_cases_as_plain_python() -> None:
    command = [sys.executable, "-m", "pytest", str(HERE), "-q", "-p", "no:cacheprovider", "-x"]
    command += ["-k", "not big and not concurrent and not without_jit and not many_expire and not batch"]
    done = subprocess.run(
        command, cwd=HERE.parents[2], env=os.environ | {"NUMBA_DISABLE_JIT": "1"}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    assert "skipped" not in done.stdout
