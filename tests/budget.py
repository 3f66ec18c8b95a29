"""How many examples a hypothesis test may take: fewer with the JIT off, where a packet costs a millisecond."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from hypothesis import HealthCheck, settings

from vectorplane.jit.kernel import JIT

ROOT = Path(__file__).parent.parent


def examples(n: int) -> settings:
    """Settings for ``n`` examples (an eighth of it with the JIT off), the same ones in every run."""
    return settings(
        derandomize=True,
        deadline=None,
        database=None,
        max_examples=n if JIT else max(3, n // 8),
        suppress_health_check=list(HealthCheck),
    )


def run_without_jit(*selection: str) -> None:
    """Run a selection of tests in another process with ``NUMBA_DISABLE_JIT=1``: its failures are this test's.

    There every load and store is checked, and what lies around a packet is a red zone.
    """
    environment = os.environ | {"NUMBA_DISABLE_JIT": "1"}
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *selection]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
