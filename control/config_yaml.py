"""YAML to plain values with the line of each, safely.

YAML 1.2's core schema: mappings, sequences, strings, integers, floats, booleans (``true``, ``false``), null.
Nothing is constructed from a tag. Duplicate keys are refused, and so is a document that is too large, nested too
deeply, or grows beyond bounds when its aliases are followed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from vectorplane.control.config_error import ConfigError, Path, Problem

MAX_BYTES = 8 << 20
MAX_VALUES = 1_000_000
"""Most values of a document, aliases followed."""
MAX_DEPTH = 64

_TAG = "tag:yaml.org,2002:"
_BOOLS = {"true": True, "false": False}


@dataclass
class Document:
    """A document's value, and the line (from 1) of each field in it."""

    file: str
    value: Any = None
    lines: dict[Path, int] = field(default_factory=dict)

    def line(self, path: Path) -> int:
        """Line of a field, or of the nearest thing around it that is there."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


class _Builder:
    def __init__(self, document: Document) -> None:
        self.document = document
        self.problems: list[Problem] = []
        self.count = 0

    def fail(self, node: Any, path: Path, reason: str) -> None:
        self.problems.append(Problem(node.start_mark.line + 1, path, reason))

    def build(self, node: Any, path: Path) -> Any:
        self.document.lines.setdefault(path, node.start_mark.line + 1)
        self.count += 1
        if self.count > MAX_VALUES:
            reason = f"more than {MAX_VALUES} values once aliases are followed"
            raise ConfigError(self.document.file, [Problem(node.start_mark.line + 1, (), reason)])
        if len(path) > MAX_DEPTH:
            reason = f"nested more than {MAX_DEPTH} deep (or an alias inside what it stands for)"
            raise ConfigError(self.document.file, [Problem(node.start_mark.line + 1, (), reason)])
        if node.id != "scalar" and str(node.tag) not in (_TAG + "map", _TAG + "seq"):
            self.fail(node, path, f"the tag {node.tag} is not accepted")
        if node.id == "mapping":
            return self.mapping(node, path)
        if node.id == "sequence":
            return [self.build(item, (*path, i)) for i, item in enumerate(node.value)]
        return self.scalar(node, path)

    def mapping(self, node: Any, path: Path) -> dict[Any, Any]:
        result: dict[Any, Any] = {}
        first: dict[Any, int] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if key_node.id != "scalar":
                self.fail(key_node, path, "a key must be a plain word or number")
                continue
            key = self.scalar(key_node, path)
            if not isinstance(key, int | str) or isinstance(key, bool):
                key = str(key_node.value)
            here = (*path, key)
            if key in first:
                self.fail(key_node, here, f"duplicate key (the first one is in line {first[key]})")
                continue
            first[key] = line
            self.document.lines[here] = line
            result[key] = self.build(value_node, here)
        return result

    def scalar(self, node: Any, path: Path) -> Any:
        text, tag = str(node.value), str(node.tag)
        kind = tag.removeprefix(_TAG)
        if kind in ("str", "timestamp", "merge", "value"):
            return text
        if kind == "null":
            return None
        if kind == "bool" and text.lower() in _BOOLS:
            return _BOOLS[text.lower()]
        try:
            if kind == "int":
                return int(text, 0) if text.lstrip("+-")[:2].lower() in ("0x", "0o", "0b") else int(text)
            if kind == "float":
                return float(text.replace(".inf", "inf").replace(".nan", "nan"))
        except ValueError:
            pass
        self.fail(node, path, f"{text!r} tagged {tag} is not accepted: expected text, a number, true, false or null")
        return None


def parse(text: str | bytes, file: str) -> Document:
    """The one YAML document in ``text`` (UTF-8); ``file`` is the name for messages. Nothing in it gives None.

    Raises:
        ConfigError: it is not YAML, or one of the limits of this module is exceeded.
    """
    return _document(_composed(text, file, lambda yaml, decoded: yaml.compose(decoded)), file)


def parse_all(text: str | bytes, file: str) -> list[Document]:
    """All YAML documents in ``text`` (``---`` between them), without those that are empty. Raises as `parse`.

    Lines are those of the file. The limits are for each document, that of the size for the file.
    """
    roots = _composed(text, file, lambda yaml, decoded: list(yaml.compose_all(decoded)))
    return [document for root in roots if (document := _document(root, file)).value is not None]


def _composed(text: str | bytes, file: str, compose: Callable[[Any, str], Any]) -> Any:
    """What ``compose`` makes of the text. Raises ConfigError."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    if len(text) > MAX_BYTES:
        raise ConfigError(file, [Problem(0, (), f"larger than {MAX_BYTES >> 20} MB")])
    try:
        if isinstance(text, bytes):
            text = text.decode()
        return compose(YAML(typ="safe", pure=True), text)
    except MarkedYAMLError as e:
        mark = e.problem_mark or e.context_mark
        reason = "; ".join(str(part) for part in (e.context, e.problem) if part)
        raise ConfigError(file, [Problem(mark.line + 1 if mark else 0, (), f"not YAML: {reason}")]) from None
    except UnicodeDecodeError as e:
        line = e.object[: e.start].count(b"\n") + 1
        raise ConfigError(file, [Problem(line, (), f"not UTF-8: byte {e.start}")]) from None
    except RecursionError:
        raise ConfigError(file, [Problem(0, (), "nested too deeply")]) from None
    except YAMLError as e:
        raise ConfigError(file, [Problem(0, (), f"not YAML: {' '.join(str(e).split())}")]) from None


def _document(root: Any, file: str) -> Document:
    """Plain values of composed YAML. Raises ConfigError."""
    document = Document(file)
    if root is None:
        return document
    builder = _Builder(document)
    document.value = builder.build(root, ())
    if builder.problems:
        raise ConfigError(file, builder.problems)
    return document


def read_document(file: str) -> Document:
    """The YAML document in a file.

    Raises:
        ConfigError: it can't be read, or as `parse`.
    """
    try:
        with open(file, "rb") as f:
            text = f.read(MAX_BYTES + 1)
    except OSError as e:
        raise ConfigError(file, [Problem(0, (), (e.strerror or str(e)).lower())]) from None
    return parse(text, file)
