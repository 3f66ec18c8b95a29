"""YAML: plain values, the line of each, and what is refused."""

from __future__ import annotations

import pytest

from vectorplane.control import config_yaml
from vectorplane.control.config_error import ConfigError, field_text
from vectorplane.control.config_yaml import parse


def refused(text: str | bytes) -> str:
    with pytest.raises(ConfigError) as e:
        parse(text, "f.yaml")
    return str(e.value)


def test_values_and_lines() -> None:
    d = parse(
        "a: 1\nb:\n  - x\n  - {c: 0x8100, d: 2.5}\nmac: 02:00:00:00:01:02\nt: [true, no, null, '5', 012, 2024-01-01]\n",
        "f",
    )
    assert d.value == {
        "a": 1,
        "b": ["x", {"c": 0x8100, "d": 2.5}],
        "mac": "02:00:00:00:01:02",
        "t": [True, "no", None, "5", 12, "2024-01-01"],
    }
    assert d.line(("a",)) == 1
    assert d.line(("b", 1, "c")) == 4
    assert d.line(("b", 1, "missing", "deeper")) == 4
    assert d.line(("nothing",)) == 1


def test_aliases_are_followed() -> None:
    assert parse("a: &x [1, 2]\nb: *x\n", "f").value == {"a": [1, 2], "b": [1, 2]}


def test_nothing() -> None:
    assert parse("# only a comment\n", "f").value is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2\na: 3\n", "f.yaml:3: a: duplicate key (the first one is in line 1)"),
        ("a:\n  b: 1\n  'b': 2\n", "f.yaml:3: a.b: duplicate key (the first one is in line 2)"),
        ("a: [1\nb: 2\n", "f.yaml:2: not YAML: while parsing a flow sequence; expected ',' or ']', but got ':'"),
        (
            "a: 1\n---\nb: 2\n",
            "f.yaml:2: not YAML: expected a single document in the stream; but found another document",
        ),
        ("a: !!binary aGk=\n", "tagged tag:yaml.org,2002:binary is not accepted"),
        (
            "a: !!python/object/apply:os.system [x]\n",
            "f.yaml:1: a: the tag tag:yaml.org,2002:python/object/apply:os.system",
        ),
        ("? [x]\n: 1\n", "f.yaml:1: a key must be a plain word or number"),
        ("a: !!int x\n", "f.yaml:1: a: 'x' tagged"),
        (b"a: \xff\n", "f.yaml:1: not UTF-8: byte 3"),
        ("a: \x01\n", "f.yaml: not YAML: unacceptable character"),
        ("a: &a [*a]\n", "f.yaml:1: nested more than 64 deep"),
        ("[" * 3000, "nested"),
    ],
)
def test_refused(text: str | bytes, message: str) -> None:
    assert message in refused(text)


def test_alias_bomb(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(config_yaml, "MAX_VALUES", 1000)
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 12)]
    assert "more than 1000 values once aliases are followed" in refused("\n".join(lines))


def test_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(config_yaml, "MAX_BYTES", 1 << 20)
    assert refused("x" * ((1 << 20) + 1)) == "f.yaml: larger than 1 MB"


def test_field_text() -> None:
    assert field_text(("routes", 2, "paths", 0, "via")) == "routes[2].paths[0].via"
    assert field_text(("interfaces", "in", "sub_interfaces", 100, "addresses", 1)) == (
        "interfaces.in.sub_interfaces.100.addresses[1]"
    )
    assert field_text(("tables", 10, "name")) == "tables.10.name"
    assert field_text(()) == ""
