"""A whole capture, explained packet by packet, comes to what a replay of it comes to."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.replaying import EXAMPLES, LAN
from vectorplane.backends.engine.capture_device import CaptureDevice
from vectorplane.backends.engine.replay import replay
from vectorplane.control.apply import apply, make_engine
from vectorplane.control.config import load_config
from vectorplane.control.packet_explain.fresh import fresh_engine, wait_until
from vectorplane.control.packet_explain.given import from_capture
from vectorplane.control.packet_explain.journey import Journey

PACKETS = 785


@pytest.mark.parametrize("name", ["router", "firewall"])
def test_as_a_replay(name: str) -> None:
    config = load_config(EXAMPLES / f"{name}.yaml")
    engine = make_engine(config)
    apply(config, engine, lambda name, _: CaptureDevice([LAN] if name == "in" else []))
    report = replay(engine)
    engine.close()

    last, before = from_capture(LAN, PACKETS)
    engine, _ = fresh_engine(config)
    drops: Counter[str] = Counter()
    consumed: Counter[str] = Counter()
    sent: Counter[str] = Counter()
    for packet in sorted((*before, last), key=lambda p: p.time):
        wait_until(engine, packet.time)
        story = Journey(engine).go(engine.interfaces["in"].sw_if_index, packet.data)
        engine.run_until(engine.now)  # what was learnt is known to the next one
        assert story.disagreements == []
        for each in story.packets:
            outcome = each.outcome
            assert outcome is not None
            if outcome.kind == "sent":
                sent[outcome.interface.partition(".")[0]] += 1
            elif outcome.kind == "dropped":
                drops[f"{outcome.node}: {outcome.reason}"] += 1
            elif outcome.kind == "consumed":
                consumed[f"{outcome.node}: {outcome.reason}"] += 1
    engine.close()
    assert drops == report.drops
    assert sent == {
        row["name"]: row["tx_packets"] for row in report.interfaces if row["tx_packets"] and "." not in row["name"]
    }
    assert consumed.total() <= sum(report.consumed.values()) and consumed.keys() <= report.consumed.keys()
