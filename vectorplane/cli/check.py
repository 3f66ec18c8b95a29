"""``vectorplane check``."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from vectorplane.cli.errors import warn
from vectorplane.control.config import config_of
from vectorplane.control.config_error import problem_text
from vectorplane.control.config_yaml import read_document
from vectorplane.control.lab.config import is_lab, lab_of
from vectorplane.control.lab.plan import Plan


def run(path: Path) -> None:
    """Say what a good configuration (or lab) holds, and what of it has to wait. Raises ConfigError for a bad one."""
    document = read_document(str(path))
    if is_lab(document):
        _lab(path, lab_of(document))
        return
    config = config_of(document, str(path.parent))
    subs = sum(len(i.sub_interfaces) for i in config.interfaces.values())
    counts = (
        (len(config.interfaces), "interface", "interfaces"),
        (subs, "sub-interface", "sub-interfaces"),
        (len(config.tables.keys() | {0}), "table", "tables"),
        (len(config.routes), "route", "routes"),
        (len(config.neighbours), "neighbour", "neighbours"),
    )
    for warning in config.warnings:
        warn(problem_text(str(path), warning))
    _ok(path, counts)


def _lab(path: Path, plan: Plan) -> None:
    counts = (
        (len(plan.instances), "instance", "instances"),
        (len(plan.switches), "switch", "switches"),
        (len(plan.hosts), "host", "hosts"),
    )
    _ok(path, counts)


def _ok(path: Path, counts: Iterable[tuple[int, str, str]]) -> None:
    print(f"{path}: OK ({', '.join(f'{n} {one if n == 1 else many}' for n, one, many in counts)})")
