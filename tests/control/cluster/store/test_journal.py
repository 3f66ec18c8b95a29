"""The file: what of it comes back, wherever it was cut or damaged, and who may have it."""

from __future__ import annotations

import errno
import json
import logging
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.control.cluster.store.comparing import contents, taken
from vectorplane.control.cluster.store.embedded import EmbeddedStore, open_store
from vectorplane.control.cluster.store.errors import StoreCorrupt, StoreFailed, StoreLocked
from vectorplane.control.cluster.store.journal import FILE, LOCK, Journal
from vectorplane.control.cluster.store.record import line
from vectorplane.control.cluster.store.transaction import Delete, Put


def _fill(store: EmbeddedStore) -> list[Any]:
    """Write, and tell what was in the store at each revision."""
    states = [contents(store)]
    for operations in (
        [Put("a", {"text": "\u00fc\n\0", "deep": [{"x": None}, 1.5, True]})],
        [Put("b", {}), Put("a", {"n": 2})],
        [Delete("a"), Put("c", {"n": 3})],
        [Put("a", {"n": 4})],
    ):
        store.transaction((), operations)
        states.append(contents(store))
    return states


def _in(folder: Path, data: bytes) -> Path:
    folder.mkdir()
    (folder / FILE).write_bytes(data)
    return folder


def test_all_comes_back_with_its_history(tmp_path: Path) -> None:
    store = EmbeddedStore(Journal(tmp_path))
    _fill(store)
    before, events = contents(store), taken(store.watch("", 2))
    store.close()
    store = EmbeddedStore(Journal(tmp_path))
    assert (store.revision(), contents(store), taken(store.watch("", 2))) == (5, before, events)
    store.put("d", {})
    store.close()
    assert open_store(tmp_path).revision() == 6


def test_only_for_its_owner(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "store"
    before = os.umask(0)
    try:
        store = open_store(folder)
        store.put("a", {})
    finally:
        os.umask(before)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {p.name: stat.S_IMODE(p.stat().st_mode) for p in folder.iterdir()} == {FILE: 0o600, LOCK: 0o600}


def test_each_line_is_json(tmp_path: Path) -> None:
    store = EmbeddedStore(Journal(tmp_path))
    _fill(store)
    records = [json.loads(text)["record"] for text in (tmp_path / FILE).read_text().splitlines()]
    assert records[0] == {"format": "vectorplane store 1", "revision": 1, "entries": 0}
    assert records[3] == {"revision": 4, "keys": {"a": None, "c": {"n": 3}}}


@pytest.mark.parametrize("zeros", [b"", b"\0", b"\0" * 5000, b"\0}}\n"])
def test_cut_at_every_byte(tmp_path: Path, zeros: bytes, caplog: pytest.LogCaptureFixture) -> None:
    first = EmbeddedStore(Journal(tmp_path / "first"))
    states = _fill(first)
    data = (tmp_path / "first" / FILE).read_bytes()
    header = data.index(b"\n") + 1
    for cut in range(header, len(data) + 1):
        folder = _in(tmp_path / str(cut), data[:cut] + zeros)
        caplog.clear()
        store = EmbeddedStore(Journal(folder, sync=False))
        whole = data[:cut].count(b"\n")
        assert store.revision() == whole
        assert contents(store) == states[whole - 1]
        torn = len(data[:cut] + zeros) - (data[:cut].rindex(b"\n") + 1)
        assert [f"its {torn} bytes are dropped" in r.message for r in caplog.records] == [True] * bool(torn)
        # and what is written then is read as if nothing had been
        store.put("new", {})
        store.close()
        store = EmbeddedStore(Journal(folder, sync=False))
        assert store.revision() == whole + 1
        store.close()


def test_a_snapshot_is_never_cut(tmp_path: Path) -> None:
    store = EmbeddedStore(Journal(tmp_path / "first", growth=1))
    for n in range(30):
        store.put(f"k{n % 3}", {"n": n})
    store.close()
    data = (tmp_path / "first" / FILE).read_bytes()
    lines = data.splitlines(keepends=True)
    entries = json.loads(lines[0])["record"]["entries"]
    assert entries == 3
    for cut in range(sum(map(len, lines[: entries + 1]))):
        folder = _in(tmp_path / str(cut), data[:cut])
        with pytest.raises(StoreCorrupt, match=f"^{folder / FILE}:[1-4]: the snapshot that the file begins with"):
            open_store(folder)
        assert (folder / FILE).read_bytes() == data[:cut]
        Journal(folder).close()  # it was let go of


def test_damage_at_every_byte(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    store = EmbeddedStore(Journal(tmp_path / "first"))
    _fill(store)
    data = (tmp_path / "first" / FILE).read_bytes()
    for at in range(len(data) - 1):
        folder = _in(tmp_path / str(at), data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
        number = data[:at].count(b"\n") + 1
        with pytest.raises(StoreCorrupt) as caught:
            open_store(folder)
        assert (caught.value.path, caught.value.line) == (folder / FILE, number)
        assert str(caught.value) == f"{folder / FILE}:{number}: damaged: the line and its checksum do not agree"
    assert not caplog.records


@pytest.mark.parametrize(
    ("lines", "number", "why"),
    [
        ([], 1, "the snapshot that the file begins with ends here"),
        ([b'{"format":"another","revision":1,"entries":0}'], 1, "not a record of a store"),
        ([b'{"format":"vectorplane store 1","revision":0,"entries":0}'], 1, "not a record of a store"),
        ([b'{"format":"vectorplane store 1","revision":1,"entries":0}', b'{"revision":3,"keys":{}}'], 2, "revision 3"),
        (
            [b'{"format":"vectorplane store 1","revision":1,"entries":0}', b'{"revision":2,"keys":[]}'],
            2,
            "not a record",
        ),
        ([b'{"format":"vectorplane store 1","revision":1,"entries":0}', b'{"no json"}'], 2, "damaged"),
        (
            [b'{"format":"vectorplane store 1","revision":1,"entries":0}', b'{"revision":2,"keys":{"a":{"b":NaN}}}'],
            2,
            "not a record",
        ),
    ],
)
def test_lines_that_a_store_does_not_write(tmp_path: Path, lines: list[bytes], number: int, why: str) -> None:
    folder = _in(tmp_path / "s", b"".join(map(line, lines)))
    with pytest.raises(StoreCorrupt, match=f"^{folder / FILE}:{number}: {why}"):
        open_store(folder)


def test_one_at_a_time(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    with pytest.raises(StoreLocked, match="open already"):
        open_store(tmp_path)
    code = "import sys; from pathlib import Path; from vectorplane.control.cluster.store.embedded import open_store\n"
    code += "open_store(Path(sys.argv[1]))"
    other = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, timeout=60)
    assert "StoreLocked" in other.stderr
    store.close()
    open_store(tmp_path).close()


def test_a_folder_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreFailed, match=f"^{tmp_path / 'file'}: "):
        open_store(tmp_path / "file")
    (tmp_path / "s" / FILE).mkdir(parents=True)
    with pytest.raises(StoreFailed, match=f"^{tmp_path / 's' / FILE}: Is a directory"):
        open_store(tmp_path / "s")


def test_the_file_does_not_grow_without_bound(tmp_path: Path) -> None:
    store = EmbeddedStore(Journal(tmp_path, sync=False, growth=2000))
    for n in range(1000):
        store.put("k", {"n": n})
    assert (tmp_path / FILE).stat().st_size < 2500
    before = contents(store)
    store.close()
    store = EmbeddedStore(Journal(tmp_path))
    assert (store.revision(), contents(store)) == (1001, before)


def test_a_full_disk_takes_nothing_and_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = EmbeddedStore(Journal(tmp_path))
    store.put("a", {})
    watch = store.watch("")
    write = os.write

    def half(fd: int, data: memoryview) -> int:
        if len(data) < 30:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(fd, data[:20])

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", half)
        with pytest.raises(StoreFailed, match="No space left on device; the change was not made"):
            store.put("b", {})
    assert (store.revision(), store.get("b"), watch.take(0)) == (2, None, None)
    store.put("c", {})
    before = contents(store)
    store.close()
    assert contents(open_store(tmp_path)) == before


def test_a_disk_that_fails_ends_writing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = EmbeddedStore(Journal(tmp_path))
    store.put("a", {})

    def fail(fd: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fdatasync", fail)
        with pytest.raises(StoreFailed, match="whether the last change was kept shows when"):
            store.put("b", {})
    with pytest.raises(StoreFailed, match="until then it takes no more"):
        store.put("c", {})
    assert list(contents(store)) == ["a"]
    store.close()
    assert list(contents(open_store(tmp_path))) == ["a"]


def test_an_interrupt_while_writing_ends_writing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = EmbeddedStore(Journal(tmp_path))

    def interrupt(fd: int) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(os, "fdatasync", interrupt)
        with pytest.raises(KeyboardInterrupt):
            store.put("b", {})
    with pytest.raises(StoreFailed, match="interrupted"):
        store.put("c", {})
    store.close()
    assert list(contents(open_store(tmp_path))) == ["b"]


def test_a_file_that_cannot_be_rewritten_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    store = EmbeddedStore(Journal(tmp_path, growth=500))

    def fail(self: Path, target: Path) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with monkeypatch.context() as patch, caplog.at_level(logging.WARNING):
        patch.setattr(Path, "rename", fail)
        for n in range(30):
            store.put("k", {"n": n})
    assert 1 <= len(caplog.records) < 8
    assert {p.name for p in tmp_path.iterdir()} == {FILE, LOCK}
    store.put("k", {"n": 30})
    store.close()
    assert open_store(tmp_path).revision() == 32
