"""The lines of a store's file: JSON, each with a checksum, which tells a line that was cut short or damaged.

``{"crc32":"8 hex digits","record":...}``: the checksum is that of the bytes of the record.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from vectorplane.control.cluster.store.entry import Change, Entry
from vectorplane.control.cluster.store.value import JsonObject, encode

Writes = dict[str, bytes | None]
"""What a change writes: the values of keys, None where it deletes."""

_LINE = re.compile(rb'\{"crc32":"([0-9a-f]{8})","record":(\{.*\})\}\n', re.DOTALL)


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Header(_Record):
    """The first line: the file begins with so many entries, all there were at this revision; changes follow."""

    format: Literal["vectorplane store 1"] = "vectorplane store 1"
    revision: Annotated[int, Field(ge=1)]
    entries: Annotated[int, Field(ge=0)]


class EntryRecord(_Record):
    """An entry. The numbers are an `Entry`'s."""

    key: str
    create_revision: int
    mod_revision: int
    version: int
    value: JsonObject

    def entry(self) -> Entry:
        """The same as an `Entry`."""
        data = encode(self.key, self.value)
        return Entry(self.key, data, self.create_revision, self.mod_revision, self.version)


class ChangeRecord(_Record):
    """A change: what was written to each key, None where it was deleted."""

    revision: int
    keys: dict[str, JsonObject | None]

    def writes(self) -> Writes:
        """The same with canonical bytes."""
        return {key: None if value is None else encode(key, value) for key, value in self.keys.items()}


def line(record: bytes) -> bytes:
    """The line of a record."""
    return b'{"crc32":"%08x","record":%b}\n' % (zlib.crc32(record), record)


def record_of(line: bytes) -> dict[str, Any] | None:
    """The record of a line; None when the line is not what was written."""
    found = _LINE.fullmatch(line)
    if found is None or int(found[1], 16) != zlib.crc32(found[2]):
        return None
    try:
        record: dict[str, Any] = json.loads(found[2])
    except ValueError:
        return None
    return record


def snapshot(revision: int, entries: Sequence[Entry]) -> list[bytes]:
    """The lines that a file begins with."""
    header = Header(revision=revision, entries=len(entries))
    return [line(header.model_dump_json().encode()), *(line(_entry(entry)) for entry in entries)]


def _entry(entry: Entry) -> bytes:
    return b'{"key":%b,"create_revision":%d,"mod_revision":%d,"version":%d,"value":%b}' % (
        _text(entry.key),
        entry.create_revision,
        entry.mod_revision,
        entry.version,
        entry.data,
    )


def change_line(change: Change) -> bytes:
    """The line of a change; its keys stay in the order of its events."""
    keys = b",".join(b"%b:%b" % (_text(e.key), b"null" if e.entry is None else e.entry.data) for e in change.events)
    return line(b'{"revision":%d,"keys":{%b}}' % (change.revision, keys))


def _text(key: str) -> bytes:
    return json.dumps(key, ensure_ascii=False).encode()
