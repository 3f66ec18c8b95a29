"""``vectorplane check``."""

from __future__ import annotations

from pathlib import Path

from vectorplane.cli.errors import warn
from vectorplane.control.config import load_config
from vectorplane.control.config_error import problem_text


def run(path: Path) -> None:
    """Say what a good configuration holds, and what of it has to wait. Raises ConfigError for a bad one."""
    config = load_config(path)
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
    print(f"{path}: OK ({', '.join(f'{n} {one if n == 1 else many}' for n, one, many in counts)})")
