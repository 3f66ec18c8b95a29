"""Message ids: each API file has a range, in which a message's place is its place in the file, as in VPP.

So `sockclnt_create` is 15 and its reply 16, which clients take for granted. Only what is served is in the table.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable

from vectorplane.control.vppapi.schema.model import ApiFile
from vectorplane.control.vppapi.schema.registry import Registry

SOCKCLNT = ("sockclnt_create", "sockclnt_delete")
_FIRST = 1
_ENTRY = struct.Struct(">H64s")


class MessageIds:
    """Ids of all messages that belong to the requests ``served``."""

    def __init__(self, registry: Registry, served: Iterable[str]) -> None:
        self.first: dict[str, int] = {}
        """First id of each API file."""
        ids: dict[str, int] = {}
        at = _FIRST
        for file in registry.files.values():
            if file.messages:
                self.first[file.name] = at
                ids |= {name: at + i for i, name in enumerate(file.messages)}
                at += len(file.messages)
        wanted = {m for request in (*SOCKCLNT, *served) for m in registry.services[request].names}
        self.by_name = {name: i for name, i in ids.items() if name in wanted}
        self.table = [(i, registry.messages[name].key) for name, i in self.by_name.items()]

    def packed_table(self) -> bytes:
        """The table as it lies in the create reply."""
        return b"".join([_ENTRY.pack(i, key.encode()) for i, key in self.table])

    def first_of(self, name: str, files: Iterable[ApiFile]) -> int | None:
        """The first id of the API file named `NAME_CRC` (``get_first_msg_id``), if there is such a file."""
        return next((self.first[f.name] for f in files if f"{f.name}_{f.crc[2:]}" == name and f.messages), None)
