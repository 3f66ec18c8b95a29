"""The same tests with the JIT off: every load and store of the indexers is then checked against its memory."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from vectorplane.jit.kernel import JIT

HERE = Path(__file__).resolve().parent
FILES = ["test_formats.py", "test_skips.py", "test_compare.py", "test_writer.py"]


@pytest.mark.skipif(not JIT, reason="is off already")
def test_without_the_jit() -> None:
    chosen = "not long_captures and not killed and not disk and not read_through and not standard"
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-x",
            "-p",
            "no:cacheprovider",
            "-k",
            chosen,
            *(HERE / f for f in FILES),
        ],
        env={**os.environ, "NUMBA_DISABLE_JIT": "1"},
        capture_output=True,
        text=True,
        cwd=HERE.parents[1],
    )
    assert done.returncode == 0, done.stdout + done.stderr
