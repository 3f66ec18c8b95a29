"""The notation of the schema: a definition a line, continued by indented lines.

::

    api NAME VERSION CRC
    import vnet/PATH.api
    alias NAME BASE | NAME BASE[LENGTH]
    enum NAME BASE VALUE=N ...           flags likewise
    type NAME FIELD, FIELD ...           union likewise
    request NAME CRC FIELD, ...          begins with message id, client index, context
    reply NAME CRC FIELD, ...            begins with message id, context
    event NAME CRC FIELD, ...            begins with message id, client index
    bare NAME CRC FIELD, ...             begins with message id
    dump NAME DETAILS                    how a request is answered, when not by NAME_reply
    get NAME REPLY DETAILS
    events NAME EVENT ...
    oneway NAME

A FIELD is `TYPE NAME`, `TYPE[16] NAME`, `TYPE[n_items] NAME`, `string[] NAME`, each with `=DEFAULT` or without.
"""

from __future__ import annotations

from vectorplane.control.vppapi.schema.model import ApiFile, Field, Message, SchemaError, Service, Type

_ID = Field("u16", "_vl_msg_id")
_CLIENT = Field("u32", "client_index")
_CONTEXT = Field("u32", "context")
_HEADS = {"request": (_ID, _CLIENT, _CONTEXT), "reply": (_ID, _CONTEXT), "event": (_ID, _CLIENT), "bare": (_ID,)}


def parse(text: str) -> ApiFile:
    """Read one API file's description.

    Raises:
        SchemaError: a line that is not in the notation.
    """
    api = ApiFile("", "", "")
    oneway: set[str] = set()
    for line in text.replace("\n  ", " ").splitlines():
        word, _, rest = line.partition(" ")
        if not line:
            continue
        elif word == "api":
            api.name, api.version, api.crc = rest.split()
        elif word == "import":
            api.imports.append(rest)
        elif word == "alias":
            name, base = rest.split()
            base, _, length = base.rstrip("]").partition("[")
            api.types[name] = Type(word, name, base=base, length=int(length) if length else None)
        elif word in ("enum", "flags"):
            name, base, *pairs = rest.split()
            split = [p.partition("=") for p in pairs]
            api.types[name] = Type(word, name, base=base, values=tuple((n, int(v)) for n, _, v in split))
        elif word in ("type", "union"):
            name, _, fields = rest.partition(" ")
            api.types[name] = Type(word, name, fields=_fields(fields))
        elif word in _HEADS:
            name, crc, fields = (*rest.split(" ", 2), "")[:3]
            api.messages[name] = Message(name, crc, _HEADS[word] + _fields(fields))
        elif word == "oneway":
            oneway.add(rest)
            api.services[rest] = Service(rest)
        elif word in ("dump", "get", "events"):
            api.services[rest.split()[0]] = _service(word, rest.split())
        else:
            raise SchemaError(f"{api.name}: what is {line!r}?")
    for name in api.messages:
        if f"{name}_reply" in api.messages and name not in api.services:
            api.services[name] = Service(name, f"{name}_reply")
    return api


def _service(word: str, names: list[str]) -> Service:
    request, *others = names
    if word == "dump":
        return Service(request, details=others[0])
    if word == "get":
        return Service(request, reply=others[0], details=others[1])
    return Service(request, reply=f"{request}_reply", events=tuple(others))


def _fields(text: str) -> tuple[Field, ...]:
    return tuple(_field(f) for f in text.split(", ")) if text else ()


def _field(text: str) -> Field:
    type_, name = text.split()
    name, _, default = name.partition("=")
    base, _, size = type_.rstrip("]").partition("[")
    return Field(
        base,
        name,
        length=int(size) if size.isdigit() else None,
        count=size if size and not size.isdigit() else None,
        variable=type_.endswith("[]"),
        default=_default(default) if default else None,
    )


def _default(text: str) -> str | int | float:
    if text.isdigit():
        return int(text)
    if text == "false":  # VPP's own files have `true` as a word, but this one as a value
        return False
    return float(text) if "." in text else text
