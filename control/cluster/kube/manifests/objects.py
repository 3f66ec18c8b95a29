"""The objects in documents: which kind each is, and what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from vectorplane.control.cluster.kube.model.base import KubeObject
from vectorplane.control.cluster.kube.model.kinds import BY_KIND, group_of
from vectorplane.control.config_error import Path, Problem
from vectorplane.control.config_explain import explain
from vectorplane.control.config_yaml import Document

_MOST_PROBLEMS = 100
"""Of one file; whoever has more has mistaken the file."""
_DEEPEST_LIST = 4
_FIELD = re.compile(r"([A-Za-z][A-Za-z0-9]*(?:\.[A-Za-z][A-Za-z0-9]*|\[\d+\])*): (.*)", re.DOTALL)
"""A check of several fields names in its message the one that is wrong."""
_STEP = re.compile(r"[A-Za-z][A-Za-z0-9]*|\d+")


class Part(Document):
    """One object of a list: a document in a document."""

    def __init__(self, whole: Document, path: Path, value: Any) -> None:
        super().__init__(whole.file, value)
        self.origin = whole, path

    def line(self, path: Path) -> int:
        """Line in the whole document."""
        return self.origin[0].line(self.origin[1] + path)


@dataclass(frozen=True)
class Manifest:
    """An object, and where it was written: in a document, from its ``path`` on."""

    object: KubeObject
    document: Document
    path: Path = ()

    @property
    def file(self) -> str:
        """The file's name."""
        return self.document.file

    @property
    def line(self) -> int:
        """Where in the file it begins (looked up now: of most objects nobody wants to know)."""
        return self.document.line(self.path)

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass
class Findings:
    """What was found in a file."""

    manifests: list[Manifest] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    unknown: dict[tuple[str, str], list[Part]] = field(default_factory=dict)
    """By version and kind what is there but does not count."""

    def warnings(self) -> list[str]:
        """One line of text for each kind that is not known."""
        told = []
        for (version, kind), parts in self.unknown.items():
            more = f" and {len(parts) - 1} more" if len(parts) > 1 else ""
            first = parts[0]
            called = _called(first.value, kind)
            told.append(f"{first.file}:{first.line(())}: {called}{more} ignored: {version} {kind} is not known here")
        return told

    @property
    def full(self) -> bool:
        """Is enough found that is wrong?"""
        return len(self.problems) >= _MOST_PROBLEMS


def find(document: Document, findings: Findings) -> None:
    """Add what is in a document."""
    for path, value, implied in _objects(document.value, (), None, 0):
        if findings.full:
            return
        part = Part(document, path, value)
        if isinstance(value, str):  # see `_objects`
            findings.problems.append(Problem(part.line(()), path, value))
            continue
        _one(part, implied, findings)


def _objects(value: Any, path: Path, implied: str | None, depth: int) -> Iterator[tuple[Path, Any, str | None]]:
    """Objects with their places and the kind that their list implies; text instead of one: what is wrong there."""
    if not isinstance(value, dict):
        yield path, "expected an object (apiVersion, kind, metadata ...)", None
        return
    kind = value.get("kind", implied)
    if not (isinstance(kind, str) and kind.endswith("List") and isinstance(value.get("items"), list | None)):
        yield path, value, implied
        return
    if depth == _DEEPEST_LIST:
        yield path, f"lists are in each other more than {_DEEPEST_LIST} deep", None
        return
    for i, item in enumerate(value.get("items") or ()):
        yield from _objects(item, (*path, "items", i), kind.removesuffix("List") or None, depth + 1)


def _one(part: Part, implied: str | None, findings: Findings) -> None:
    value = part.value
    kind, version = value.get("kind", implied), value.get("apiVersion")
    if not isinstance(kind, str) or not kind:
        reason = "is missing" if kind is None else f"expected the name of a kind, got {kind!r}"
        findings.problems.append(Problem(part.line(("kind",)), ("kind",), reason))
        return
    model = BY_KIND.get(kind)
    if version is None and implied is not None and model is not None:
        version = model.VERSION
    if not isinstance(version, str) or not version:
        reason = "is missing" if version is None else f"expected a group and version such as apps/v1, got {version!r}"
        findings.problems.append(_problem(part, ("apiVersion",), reason, kind))
        return
    if model is None or group_of(version) != group_of(model.VERSION):
        findings.unknown.setdefault((version, kind), []).append(part)
        return
    if version != model.VERSION:
        findings.problems.append(_problem(part, ("apiVersion",), f"expected {model.VERSION}, got {version}", kind))
        return
    try:
        findings.manifests.append(Manifest(model.model_validate(value), *part.origin))
    except ValidationError as error:
        for problem in explain(error, model, part):
            path, reason = problem.path, problem.reason
            if match := _FIELD.fullmatch(reason):
                path = path + tuple(int(s) if s.isdigit() else s for s in _STEP.findall(match[1]))
                reason = match[2]
            findings.problems.append(_problem(part, path, reason, kind))


def _problem(part: Part, path: Path, reason: str, kind: str) -> Problem:
    return Problem(part.line(path), path, f"{reason} (in {_called(part.value, kind)})")


def _called(value: dict[Any, Any], kind: str) -> str:
    metadata = value.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    names = [metadata.get(key) for key in ("namespace", "name")]
    return " ".join((kind, "/".join(name for name in names if isinstance(name, str) and name))).strip()
