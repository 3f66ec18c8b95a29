"""Replaying captures in tests, without the command line: the default router or a configuration."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from vectorplane.backends.engine.engine import Engine
from vectorplane.backends.engine.replay import replay
from vectorplane.backends.engine.report import Report
from vectorplane.cli.devices import factory
from vectorplane.control.apply import apply, make_engine
from vectorplane.control.config import load_config
from vectorplane.control.default_router import default_router

SHARED = Path(__file__).resolve().parents[1].parent / "shared"
EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
CONFIGURATIONS = [file for file in sorted(EXAMPLES.glob("*.yaml")) if not file.stem.startswith("lab")]
"""The examples that are configurations; the others are labs, with configurations in them."""
LAN = EXAMPLES / "captures" / "lan.pcap"


def shared(name: str) -> Path:
    """A folder of the shared material; where it is missing the test is skipped, and in CI it fails."""
    path = SHARED / name
    if not path.exists():
        if os.environ.get("CI") == "true":
            pytest.fail(f"{path} is missing")
        pytest.skip(f"{path} is not there")
    return path


def built(
    captures: list[str], config: Path | None = None, out: Path | None = None, strict: bool = False, **settings: Any
) -> Engine:
    """An engine that will replay ``captures`` on interface `in`; outputs go to ``out``/NAME.pcap."""
    made = load_config(config) if config else default_router()
    made = made.model_copy(update={"engine": made.engine.model_copy(update=settings)})
    tx = {n: out / f"{n}.pcap" for n in made.interfaces} if out else {}
    engine = make_engine(made)
    apply(made, engine, factory({"in": captures}, tx, strict=strict))
    return engine


def replayed(captures: list[str], **options: Any) -> Report:
    """Replay and close; see `built` for the options. The balance must be exact and no buffer lost."""
    engine = built(captures, **options)
    try:
        report = replay(engine)
        assert report.missing == 0, report
        assert engine.plane.free_buffers() <= engine.plane.pool.count
        return report
    finally:
        engine.close()
