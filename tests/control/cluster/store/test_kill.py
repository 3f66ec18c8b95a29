"""A process that is killed while it writes: all it was told was kept is there, and nothing it did not write."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from vectorplane.control.cluster.store.embedded import EmbeddedStore
from vectorplane.control.cluster.store.journal import FILE, Journal

WRITER = """
import sys
from pathlib import Path
from vectorplane.control.cluster.store.embedded import EmbeddedStore
from vectorplane.control.cluster.store.journal import Journal
from vectorplane.control.cluster.store.transaction import Put

store = EmbeddedStore(Journal(Path(sys.argv[1]), sync=sys.argv[2] == "sync", growth=20_000))
n = store.revision() + 1
while True:
    done = store.transaction((), [Put(f"k/{n % 50}", {"n": n}), Put("last", {"n": n})])
    assert done.revision == n
    print(n, flush=True)
    n += 1
"""


@pytest.mark.parametrize("sync", ["sync", "no sync"])
def test_kill(tmp_path: Path, sync: str) -> None:
    revision = 1
    for seconds in (0.05, 0.11, 0.17, 0.23):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path), sync], stdout=subprocess.PIPE, text=True, bufsize=1
        )
        assert writer.stdout is not None
        assert int(writer.stdout.readline()) == revision + 1
        # the pipe fills up after some thousand lines, and then the writer is not killed while it writes
        end = time.monotonic() + seconds
        said = revision + 1
        while time.monotonic() < end:
            said = int(writer.stdout.readline())
        writer.kill()
        said = max([said, *(int(n) for n in writer.stdout.read().splitlines(keepends=True) if n.endswith("\n"))])
        writer.wait()
        store = EmbeddedStore(Journal(tmp_path))
        revision = store.revision()
        assert said <= revision <= said + 1
        listing = {entry.key: entry for entry in store.list("").entries}
        assert listing["last"].value == {"n": revision}
        assert listing["last"].version == revision - 1
        for n in range(max(2, revision - 49), revision + 1):
            entry = listing[f"k/{n % 50}"]
            assert (entry.value, entry.mod_revision) == ({"n": n}, n)
        store.close()
    assert (tmp_path / FILE).stat().st_size < 50_000
