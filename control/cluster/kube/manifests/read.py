"""Files and folders of manifests to objects."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass, field

from vectorplane.control.cluster.kube.manifests.error import ManifestError
from vectorplane.control.cluster.kube.manifests.json_text import parse_json
from vectorplane.control.cluster.kube.manifests.objects import Findings, Manifest, find
from vectorplane.control.cluster.kube.model.base import Ref
from vectorplane.control.config_error import ConfigError, Problem
from vectorplane.control.config_yaml import MAX_BYTES, Document, parse_all

SUFFIXES = (".yaml", ".yml", ".json")
"""Of the files in a folder that are read."""


@dataclass
class Manifests:
    """Objects in the order of files and documents. ``warnings``: a line for each kind in a file that is ignored."""

    manifests: list[Manifest] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def parse(text: str | bytes, file: str) -> Manifests:
    """The objects in a text: YAML documents with ``---`` between them, or one JSON value; ``List``s are opened.

    Args:
        text: UTF-8.
        file: its name, for messages; ``.json`` is read as JSON, else it is YAML (of which JSON is a part).

    Raises:
        ConfigError: every mistake with its line, field and reason.
    """
    documents: list[Document]
    if file.endswith(".json"):
        documents = [parse_json(text, file)]
    else:
        documents = parse_all(text, file)
    findings = Findings()
    for document in documents:
        find(document, findings)
    _check_once(findings)
    if findings.problems:
        raise ConfigError(file, findings.problems)
    return Manifests(findings.manifests, findings.warnings())


def load(paths: Iterable[str]) -> Manifests:
    """The objects in files, and in the files of folders (those that end as in `SUFFIXES`, by name; no folders in them).

    Raises:
        ManifestError: every mistake of every file; an object that is in two of them.
    """
    found, errors = Manifests(), list[ConfigError]()
    for file in files(paths, errors):
        try:
            part = parse(_read(file), file)
        except ConfigError as error:
            errors.append(error)
            continue
        found.manifests += part.manifests
        found.warnings += part.warnings
    if not errors:
        errors += _twice(found.manifests)
    if errors:
        raise ManifestError(errors)
    return found


def files(paths: Iterable[str], errors: list[ConfigError]) -> list[str]:
    """The files in paths, each once; what can't be looked at is added to the errors."""
    found: dict[str, None] = {}
    for path in paths:
        if not os.path.isdir(path):
            found[path] = None
            continue
        try:
            names = sorted(os.listdir(path))
        except OSError as error:
            errors.append(ConfigError(path, [Problem(0, (), (error.strerror or str(error)).lower())]))
            continue
        inside = (os.path.join(path, name) for name in names if name.endswith(SUFFIXES) and not name.startswith("."))
        found |= dict.fromkeys(file for file in inside if os.path.isfile(file))
    return list(found)


def _read(file: str) -> bytes:
    try:
        if not stat.S_ISREG(os.stat(file).st_mode):  # a pipe may never say anything
            raise ConfigError(file, [Problem(0, (), "is no regular file")])
        with open(file, "rb") as f:
            return f.read(MAX_BYTES + 1)
    except (OSError, ValueError) as e:  # ValueError: a NUL in the name
        reason = (e.strerror if isinstance(e, OSError) else None) or str(e)
        raise ConfigError(file, [Problem(0, (), reason.lower())]) from None


def _check_once(findings: Findings) -> None:
    first: dict[Ref, Manifest] = {}
    for manifest in findings.manifests:
        ref = manifest.object.ref
        if ref in first and not findings.full:
            findings.problems.append(Problem(manifest.line, (), f"{ref} is in line {first[ref].line} already"))
        first.setdefault(ref, manifest)


def _twice(manifests: list[Manifest]) -> list[ConfigError]:
    first: dict[Ref, Manifest] = {}
    errors = []
    for manifest in manifests:
        ref = manifest.object.ref
        if ref in first:
            problem = Problem(manifest.line, (), f"{ref} is in {first[ref]} already")
            errors.append(ConfigError(manifest.file, [problem]))
        first.setdefault(ref, manifest)
    return errors
