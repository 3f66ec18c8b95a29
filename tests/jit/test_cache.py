"""The kernel cache (rule 1): whatever a kernel is made of changes, the old machine code is not found again.

A package of the test's own, `kpack`, holds a kernel that uses a constant, a helper and a dtype of other modules, and a
number two imports away. Each run is a process of its own (forked from one that has numba loaded). Files are given an
old time stamp: only their content tells that they changed, as after a checkout within the same second.
"""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.budget import ROOT

SOURCES = {
    "__init__.py": "",
    "far.py": "FACTOR = 3\n",
    "helpers.py": (
        "from vectorplane.jit.kernel import helper\n"
        "from kpack.far import (\n    FACTOR,\n)\n\n\n"
        "@helper\ndef scale(a):\n    return a * FACTOR\n"
    ),
    "layout.py": ("import numpy as np\n\nLAYOUT = np.dtype([('x', 'i8'), ('y', 'i4')], align=True)\n"),
    "consts.py": "ADD = 7\n",
    "kern.py": (
        "from vectorplane.jit.kernel import kernel\n"
        "from vectorplane.jit.ops import rec\n"
        "from . import consts\n"
        "from .helpers import scale\n"
        "from .layout import LAYOUT\n\n"
        "ADD = consts.ADD\n\n\n"
        "@kernel\ndef k(a, b, c):\n    r = rec(a, LAYOUT)\n    return scale(r.x) + r.y * 1000000 + ADD + b\n"
    ),
}
RESULT = 5 * 3 + 70_000_000 + 7 + 1000
LONG_AGO = 1_700_000_000


class Cache:
    """The package, its cache directory, and the process that runs the kernel."""

    def __init__(self, folder: Path) -> None:
        self.package = folder / "kpack"
        self.root = folder / "cache"
        self.package.mkdir()
        for name, text in SOURCES.items():
            self.write(name, text)
        environment = os.environ | {"VECTORPLANE_CACHE_DIR": str(self.root), "PYTHONDONTWRITEBYTECODE": "1"}
        environment.pop("NUMBA_DISABLE_JIT", None)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.jit.cache_runner"],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def write(self, name: str, text: str, *, old: bool = True) -> None:
        """Change a source file; ``old`` hides that from time stamps."""
        path = self.package / name
        path.write_text(text)
        if old:
            os.utime(path, (LONG_AGO, LONG_AGO))

    def send(self, **job: Any) -> None:
        """Ask for a run."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"path": str(self.package.parent), **job}) + "\n")
        self.process.stdin.flush()

    def answer(self) -> dict[str, Any]:
        """The next line of the runner."""
        assert self.process.stdout is not None
        answer: dict[str, Any] = json.loads(self.process.stdout.readline())
        assert "error" not in answer, answer
        return answer

    def run(self) -> dict[str, Any]:
        """One run."""
        self.send()
        return self.answer()


@pytest.fixture
def kcache(tmp_path: Path) -> Iterator[Cache]:
    """A package and an empty cache."""
    made = Cache(tmp_path)
    yield made
    assert made.process.stdin is not None
    made.process.stdin.close()
    made.process.wait(10)
    assert made.process.stdout is not None
    made.process.stdout.close()


def test_every_ingredient_counts(kcache: Cache) -> None:
    first = kcache.run()
    assert (first["value"], first["cached"]) == (RESULT, False)
    folders = [kcache.root, *(p for p in kcache.root.iterdir() if p.is_dir())]
    assert len(folders) == 2, "one cache below the root"
    assert all(stat.S_IMODE(f.stat().st_mode) == 0o700 for f in folders), "machine code is nobody else's to write"
    again = kcache.run()
    assert (again["value"], again["cached"]) == (RESULT, True)
    assert again["before"] == again["after"], "an unchanged run must not compile"

    changes = [
        ("consts.py", "ADD = 8\n", RESULT + 1),
        ("far.py", "FACTOR = 4\n", RESULT + 1 + 5),
        ("helpers.py", SOURCES["helpers.py"].replace("a * FACTOR", "a + FACTOR"), RESULT + 1 - 15 + 9),
        ("layout.py", SOURCES["layout.py"].replace("('x', 'i8'), ('y', 'i4')", "('y', 'i4'), ('x', 'i8')"), None),
        ("layout.py", SOURCES["layout.py"].replace("'i8'", "'i4'"), None),
        ("kern.py", SOURCES["kern.py"].replace("+ b", "- b"), RESULT + 1 - 15 + 9 - 2000),
    ]
    expected = RESULT
    for name, text, value in changes:
        kcache.write(name, text)
        expected = expected if value is None else value
        made = kcache.run()
        assert (made["value"], made["cached"]) == (expected, False), f"{name} changed"
    # going back finds the first machine code again
    for name, text in SOURCES.items():
        kcache.write(name, text)
    back = kcache.run()
    assert (back["value"], back["cached"], back["before"]) == (RESULT, True, back["after"])


def test_edit_while_running_does_not_poison(kcache: Cache, tmp_path: Path) -> None:
    """A process has imported the old source; the file changes; then it compiles. Nobody else may get that code."""
    kcache.send(wait=str(tmp_path / "go"))
    assert kcache.answer() == {"imported": True}
    time.sleep(0.02)
    kcache.write("far.py", "FACTOR = 10\n", old=False)
    (tmp_path / "go").touch()
    stale = kcache.answer()
    assert stale["value"] == RESULT, "the running process has the old number"
    os.utime(kcache.package / "far.py", (LONG_AGO, LONG_AGO))
    fresh = kcache.run()
    assert (fresh["value"], fresh["cached"]) == (RESULT + 35, False)
