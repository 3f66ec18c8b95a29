"""Routers for tests of explanations, from configurations."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from vectorplane.backends.engine.engine import Engine
from vectorplane.control.config import Config
from vectorplane.control.config_yaml import parse
from vectorplane.control.packet_explain.explanation import Explanation, Step
from vectorplane.control.packet_explain.flow_text import parse_flow
from vectorplane.control.packet_explain.fresh import fresh_engine
from vectorplane.control.packet_explain.given import from_flow, parse_mac
from vectorplane.control.packet_explain.journey import Journey


@contextmanager
def router(text: str) -> Iterator[Engine]:
    """The router of a configuration (YAML)."""
    engine, record = fresh_engine(Config.model_validate(parse(text, "test").value))
    try:
        assert not record.pending
        yield engine
    finally:
        engine.close()


def frame_of(engine: Engine, interface: str, flow: str, mac: str | None = None) -> bytes:
    """The frame of a flow."""
    return from_flow(engine, engine.interfaces[interface], parse_flow(flow), parse_mac(mac))


def explain(engine: Engine, interface: str, what: str | bytes, mac: str | None = None, **options: Any) -> Explanation:
    """What becomes of a flow or a frame; nodes and explainers agree."""
    data = what if isinstance(what, bytes) else frame_of(engine, interface, what, mac)
    story = Journey(engine, **options).go(engine.interfaces[interface].sw_if_index, data)
    assert story.disagreements == []
    return story


def step(story: Explanation, node: str, packet: int | None = None) -> Step:
    """The one step at a node."""
    (found,) = [s for s in story.steps if s.node == node and packet in (None, s.packet)]
    return found


def lines(story: Explanation, node: str, packet: int | None = None) -> str:
    """What was told of the one step at a node."""
    return "\n".join(step(story, node, packet).lines)
