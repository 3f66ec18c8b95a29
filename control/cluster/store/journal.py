"""The file of a store: all entries as they once were, and every change since, one line each, appended before it counts.

``FOLDER/journal.jsonl`` (lines: `record.py`) is replaced as a whole, by renaming, when it has grown enough; so it
always begins with a complete snapshot, and only its end can be torn by a process or a machine that dies.
``FOLDER/lock`` is held as long as a process has the store. Both are for their owner only (0600).

Without ``sync`` a change survives the death of the process; with it, that of the machine too.
"""

from __future__ import annotations

import fcntl
import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vectorplane.control.cluster.store.entry import Change, Entry
from vectorplane.control.cluster.store.errors import InvalidRequest, StoreCorrupt, StoreFailed, StoreLocked
from vectorplane.control.cluster.store.record import (
    ChangeRecord,
    EntryRecord,
    Header,
    Writes,
    change_line,
    record_of,
    snapshot,
)

log = logging.getLogger(__name__)

FILE, LOCK = "journal.jsonl", "lock"
_NEW = FILE + "~"
GROWTH = 4 << 20
"""Bytes of changes after which a file is replaced, if they are more than its snapshot has."""


@dataclass
class Recovered:
    """What a file had: the entries at a revision, and what each of the following ones wrote."""

    revision: int
    entries: list[Entry] = field(default_factory=list)
    changes: list[Writes] = field(default_factory=list)


class Journal:
    """The file in a folder, which is made if it is not there. One writer at a time: the store sees to that.

    Raises:
        StoreLocked: it is open already.
        StoreFailed: the folder cannot be used.
    """

    def __init__(self, folder: Path, sync: bool = True, growth: int = GROWTH) -> None:
        self._folder, self._path = folder.absolute(), folder.absolute() / FILE
        self._sync, self._growth = sync, growth
        self._fd = -1
        self._size = self._rewrite_at = 0
        self._failed = ""
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = os.open(self._folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as e:
            raise StoreFailed(f"{self._folder}: {e.strerror}") from e
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._lock)
            raise StoreLocked(f"{self._folder}: this store is open already, by this process or another one") from None

    def recover(self) -> Recovered:
        """Read what is there (a new store: nothing, at revision 1), and be ready to append.

        Raises:
            StoreCorrupt: the file is damaged; it is left as it is.
            StoreFailed: it can't be read or written.
        """
        try:
            if not self._path.exists():
                self._replace(1, ())
                _sync_folder(self._folder.parent)  # that has just got this folder
                return Recovered(1)
            self._fd = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC)
            return self._read()
        except OSError as e:
            raise StoreFailed(f"{self._path}: {e.strerror}") from e

    def _read(self) -> Recovered:
        number, entries, recovered = 1, 0, Recovered(0)
        try:
            for number, record in self._lines():
                if number == 1:
                    header = Header.model_validate(record)
                    recovered.revision, entries = header.revision, header.entries
                elif number <= entries + 1:
                    recovered.entries.append(EntryRecord.model_validate(record).entry())
                else:
                    change = ChangeRecord.model_validate(record)
                    if change.revision != recovered.revision + len(recovered.changes) + 1:
                        raise StoreCorrupt(self._path, number, f"revision {change.revision} is not the next one")
                    recovered.changes.append(change.writes())
                if number == entries + 1:
                    self._plan_rewrite()
        except (ValueError, InvalidRequest):
            raise StoreCorrupt(self._path, number, "not a record of a store, though its checksum is right") from None
        if not recovered.revision or len(recovered.entries) < entries:
            # it was complete before it got its name
            raise StoreCorrupt(self._path, number, "the snapshot that the file begins with ends here")
        if torn := os.fstat(self._fd).st_size - self._size:
            log.warning("%s: the last record was not written completely, its %d bytes are dropped", self._path, torn)
            os.ftruncate(self._fd, self._size)
            os.fsync(self._fd)
        return recovered

    def _lines(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """The numbers and records of all whole lines; ``_size`` is where the last one ended."""
        with open(self._path, "rb") as file:
            for number, line in enumerate(file, 1):
                record = record_of(line)
                if record is None:
                    # blocks that a dying machine did not write read as zeros; no line has them otherwise
                    torn = (not line.endswith(b"\n") or b"\0" in line) and not file.read(1)
                    if not torn:
                        raise StoreCorrupt(self._path, number, "damaged: the line and its checksum do not agree")
                    return
                self._size += len(line)
                yield number, record

    def append(self, change: Change) -> None:
        """Keep a change.

        Raises:
            StoreFailed: it is not kept, or (when the text says so) nobody knows.
        """
        if self._failed:
            raise StoreFailed(self._failed)
        data = change_line(change)
        try:
            _write(self._fd, data)
        except OSError as e:
            try:
                os.ftruncate(self._fd, self._size)
            except OSError as again:
                self._fail(again)
            raise StoreFailed(f"{self._path}: {e.strerror}; the change was not made") from e
        if self._sync:
            try:
                os.fdatasync(self._fd)
            except OSError as e:
                # The kernel has dropped what it could not write, would still show it to whoever opens the file again,
                # and a second fsync would not tell. So it is cut off.
                with suppress(OSError):
                    os.ftruncate(self._fd, self._size)
                self._fail(e)
                raise StoreFailed(self._failed) from e
        self._size += len(data)

    def abandon(self) -> None:
        """Append no more: what was last appended is not known."""
        self._failed = self._unknown("interrupted")

    def _fail(self, error: OSError) -> None:
        self._failed = self._unknown(error.strerror)

    def _unknown(self, why: str | None) -> str:
        return (
            f"{self._path}: {why}; whether the last change was kept shows when the store is opened again, "
            "until then it takes no more"
        )

    @property
    def grown(self) -> bool:
        """It should be rewritten."""
        return self._size >= self._rewrite_at and not self._failed

    def rewrite(self, revision: int, entries: Sequence[Entry]) -> None:
        """Replace the file by one that begins with these. Failing is no harm: the old file goes on."""
        try:
            self._replace(revision, entries)
        except OSError as e:
            log.warning("%s: cannot be rewritten: %s", self._path, e.strerror)
            self._rewrite_at = self._size + self._growth

    def _replace(self, revision: int, entries: Sequence[Entry]) -> None:
        new = self._folder / _NEW
        new.unlink(missing_ok=True)
        fd = os.open(new, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            size = _write(fd, b"".join(snapshot(revision, entries)))
            os.fsync(fd)
            new.rename(self._path)
        except OSError:
            os.close(fd)
            new.unlink(missing_ok=True)
            raise
        self._close_file()
        self._fd, self._size = fd, size
        self._plan_rewrite()
        try:
            _sync_folder(self._folder)
        except OSError as e:  # the old file may be back some day, without what comes now
            self._fail(e)
            raise

    def _plan_rewrite(self) -> None:
        """The snapshot ends at ``_size``."""
        self._rewrite_at = self._size + max(self._growth, self._size)

    def _close_file(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def close(self) -> None:
        """Let another process have it."""
        self._close_file()
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1


def _write(fd: int, data: bytes) -> int:
    left = memoryview(data)
    while left:
        left = left[os.write(fd, left) :]
    return len(data)


def _sync_folder(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
