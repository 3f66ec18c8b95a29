"""pydantic's findings in our words: line, field, what was expected, and what may have been meant."""

from __future__ import annotations

import difflib
import types
from collections.abc import Sequence
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from vectorplane.control.config_error import Path, Problem
from vectorplane.control.config_yaml import Document

_DEVICES = (
    *("capture", "sim", "pg", "null", "loopback", "tap", "af_packet", "memif", "dpdk", "bvi"),
    *("vxlan", "geneve", "gre", "ipip"),
)


def did_you_mean(word: str, known: Sequence[str]) -> str:
    """``; did you mean x?`` when one of the known words is near, else the list of them."""
    near = difflib.get_close_matches(word.lower(), [k.lower() for k in known], n=1, cutoff=0.6)
    if near:
        return f"; did you mean {next(k for k in known if k.lower() == near[0])}?"
    return f"; known: {', '.join(known)}" if known else ""


def _members(annotation: Any) -> list[Any]:
    """The alternatives of a type, without what pydantic is told beside it."""
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    if get_origin(annotation) in (Union, types.UnionType):
        return [m for a in get_args(annotation) for m in _members(a)]
    return [annotation]


def _tag(model: Any) -> Any:
    field = model.model_fields.get("type") if isinstance(model, type) and issubclass(model, BaseModel) else None
    return get_args(field.annotation)[0] if field and get_origin(field.annotation) is Literal else None


def fields_at(annotation: Any, loc: tuple[str | int, ...]) -> list[str]:
    """Names of the fields that may stand at a place of the model; empty when anything may."""
    for step in loc:
        chosen: Any = None
        for member in _members(annotation):
            if isinstance(member, type) and issubclass(member, BaseModel):
                if step == _tag(member):
                    chosen = member
                elif step in member.model_fields and chosen is None:
                    chosen = member.model_fields[str(step)].annotation
            elif get_origin(member) in (dict, list):
                chosen = get_args(member)[-1]
        annotation = chosen
    models = [m for m in _members(annotation) if isinstance(m, type) and issubclass(m, BaseModel)]
    return list(models[0].model_fields) if len(models) == 1 else []


def path_of(loc: tuple[str | int, ...], value: Any) -> Path:
    """pydantic's location without what is not in the document (names of alternatives, of validators)."""
    path: list[str | int] = []
    for i, step in enumerate(loc):
        if isinstance(value, dict):
            key = step if step in value else next((k for k in value if str(k) == str(step)), None)
            if path[-1:] == ["device"] and step in _DEVICES:
                continue  # the alternative of that name: `device: {dpdk: net_null0}`
            if key is not None:
                path.append(key)
                value = value[key]
            elif i == len(loc) - 1 and step not in ("[key]", value.get("type")):
                path.append(step)
        elif isinstance(value, list) and isinstance(step, int) and step < len(value):
            path.append(step)
            value = value[step]
    return tuple(path)


def _reason(error: Any, model: type[BaseModel]) -> str:
    kind, loc, message, given = error["type"], error["loc"], str(error["msg"]), error["input"]
    if kind == "extra_forbidden":
        return "unknown field" + did_you_mean(str(loc[-1]), fields_at(model, loc[:-1]))
    if kind == "missing":
        return "is missing"
    if kind == "value_error":
        return message.removeprefix("Value error, ")
    if kind == "union_tag_not_found":
        known = error["ctx"].get("expected_tags", ", ".join(_DEVICES))
        return f"type is missing: expected one of {known}"
    if kind == "union_tag_invalid":
        known = [t.strip("'") for t in str(error["ctx"]["expected_tags"]).split(", ")]
        return f"unknown type {error['ctx']['tag']!r}" + did_you_mean(str(error["ctx"]["tag"]), known)
    if kind == "literal_error":
        known = str(error["ctx"]["expected"]).replace(" or ", ", ").replace("'", "").split(", ")
        return f"expected {'one of ' if len(known) > 1 else ''}{', '.join(known)}, got {given!r}"
    if kind.startswith("int_"):
        return f"expected an integer, got {_short(given)}"
    if kind.startswith("bool_"):
        return f"expected true or false, got {_short(given)}"
    if kind in ("model_type", "model_attributes_type", "dict_type"):
        return f"expected a mapping (field: value), got {_short(given)}"
    if kind in ("list_type", "tuple_type"):
        return f"expected a list, got {_short(given)}"
    text = message.replace("Input should be a valid", "expected a valid").replace("Input should be", "expected")
    return f"{text[0].lower()}{text[1:]}, got {_short(given)}"


def _short(value: Any) -> str:
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    return "nothing" if value is None else repr(value)


def explain(error: ValidationError, model: type[BaseModel], document: Document) -> list[Problem]:
    """Every finding as a `Problem`; alternatives of one field are reported once."""
    problems: dict[Path, Problem] = {}
    for e in error.errors(include_url=False):
        path = path_of(e["loc"], document.value)
        reason = _reason(e, model)
        if path in problems and e["type"] != "extra_forbidden" and "expected" in problems[path].reason:
            first = problems[path].reason.partition(", got ")[0]
            reason = f"{first}, or {reason.removeprefix('expected ')}"
        problems[path] = Problem(document.line(path), path, reason)
    return list(problems.values())
