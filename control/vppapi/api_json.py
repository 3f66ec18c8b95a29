"""The schema as `*.api.json` files, which clients load (vpp_papi's ``apidir``)."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any

from vectorplane.control.vppapi.message_ids import SOCKCLNT
from vectorplane.control.vppapi.schema.model import PRIMITIVES, ApiFile, Field, Message, Service, Type
from vectorplane.control.vppapi.schema.registry import Registry


def write(directory: Path, registry: Registry, served: Iterable[str]) -> list[Path]:
    """Write a file for each API file of which something is served; gives what was written.

    Raises:
        OSError: the directory can't be made or written.
    """
    directory.mkdir(parents=True, exist_ok=True)
    requests = frozenset((*served, *SOCKCLNT))
    written = []
    for file in registry.files.values():
        described = describe(file, registry, requests)
        if described["messages"] or not file.messages:
            path = directory / f"{file.name}.api.json"
            path.write_text(json.dumps(described, indent=1) + "\n")
            written.append(path)
    return written


def describe(file: ApiFile, registry: Registry, served: Collection[str]) -> dict[str, Any]:
    """One API file: the types that it has or imports, and its messages that belong to the requests served."""
    types = [t for f in (*registry.imported(file), file) for t in f.types.values()]
    services = [s for s in file.services.values() if s.request in served]
    names = {name for s in services for name in s.names}
    return {
        "module": file.name,
        "types": [[t.name, *map(_field, t.fields)] for t in types if t.kind == "type"],
        "messages": [_message(m) for m in file.messages.values() if m.name in names],
        "unions": [[t.name, *map(_field, t.fields)] for t in types if t.kind == "union"],
        "enums": [_enum(t) for t in types if t.kind == "enum"],
        "enumflags": [_enum(t) for t in types if t.kind == "flags"],
        "services": {s.request: _service(s) for s in services},
        "options": {"version": file.version},
        "aliases": {t.name: _alias(t) for t in types if t.kind == "alias"},
        "vl_api_version": file.crc,
        "imports": file.imports,
        "counters": [],
        "paths": [],
    }


def _type(name: str) -> str:
    return name if name in PRIMITIVES else f"vl_api_{name}_t"


def _field(f: Field) -> list[Any]:
    described: list[Any] = [_type(f.type), f.name]
    if f.length is not None:
        described.append(f.length)
    elif f.variable:
        described.append(0)
    elif f.count is not None:
        described += [0, f.count]
    if f.default is not None:
        described.append({"default": f.default})
    return described


def _message(m: Message) -> list[Any]:
    return [m.name, *map(_field, m.fields), {"crc": m.crc, "options": {}}]


def _enum(t: Type) -> list[Any]:
    return [t.name, *map(list, t.values), {"enumtype": t.base}]


def _alias(t: Type) -> dict[str, Any]:
    return {"type": _type(t.base)} | ({"length": t.length} if t.length is not None else {})


def _service(s: Service) -> dict[str, Any]:
    if s.details and s.reply:
        return {"reply": s.reply, "stream": True, "stream_msg": s.details}
    if s.details:
        return {"reply": s.details, "stream": True}
    return {"reply": s.reply or "null"} | ({"events": list(s.events)} if s.events else {})
