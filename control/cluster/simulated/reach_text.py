"""An answer to "can it reach?" as text."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from vectorplane.backends.engine.sim_host.probe import Probe
from vectorplane.control.cluster.simulated.reach import Reach
from vectorplane.control.cluster.simulated.way import ARRIVED, DROPPED, TAKEN, Hop, Way
from vectorplane.control.packet_explain.text import lines_of

_MILLISECOND = 1_000_000
_TAP = re.compile(r"vpp-tap-[0-9a-f]+")
Label = Callable[[str, str], str]
"""From a node and an interface of it."""


def seen_text(tried: Probe) -> str:
    """What became of the packets that were really sent."""
    if tried.answered:
        took = "" if tried.round_trip is None else f" in {tried.round_trip / _MILLISECOND:.3f} ms"
        return f"answered by {tried.source}{took}"
    error = f": {tried.error.text}, from {tried.error.source}" if tried.error is not None else ""
    return f"{tried.state.value}{error}"


def lines(answer: Reach, label: Label, details: bool) -> Iterator[str]:
    """The answer, the way there, the way back. ``label``: what people call an interface of a node."""
    target = answer.target
    port = f":{target.port}" if target.port else ""
    verdict = "YES" if answer.ok else "NO"
    yield f"{verdict}: {answer.source.label} -> {target.label} ({target.protocol} {target.address}{port})"
    yield f"  seen: {seen_text(answer.seen)}"
    for why in answer.why:
        yield f"  stopped by: {why}"
    for warning in answer.warnings:
        yield f"  !!! {warning}"
    yield ""
    yield from _way("the way there", answer.there, label, details)
    if answer.back is not None:
        yield ""
        yield from _way("the answer's way back", answer.back, label, details)


def _way(title: str, way: Way, label: Label, details: bool) -> Iterator[str]:
    yield f"{title}:"
    for hop in way.hops:
        yield from _hop(hop, label, details)
    if way.verdict == ARRIVED:
        yield f"  arrives at {way.host}"
    elif way.verdict == TAKEN:
        yield f"  is for {way.host} itself: {way.why}"
    elif way.verdict != DROPPED:
        yield f"  {way.verdict}: {way.why}"


def _hop(hop: Hop, label: Label, details: bool) -> Iterator[str]:
    yield f"  {hop.node}, by {label(hop.node, hop.interface)}: {hop.packet}"
    if details:
        yield from (f"      {line.text}" for line in lines_of(hop.explanation))
    for line in hop.lines:
        yield f"    {line.about:<8} {_TAP.sub(lambda m: label(hop.node, m[0]), line.text)}"
        yield from (f"    {'':<8}   which is {source}" for source in line.sources)
    if hop.sent_by:
        yield f"    {'sent':<8} by {label(hop.node, hop.sent_by)}"


def reach_json(answer: Reach, details: bool) -> dict[str, Any]:
    """The answer as data; without details, without what each graph node did."""
    ways = {"there": answer.there.json(), "back": None if answer.back is None else answer.back.json()}
    if not details:
        for way in ways.values():
            for hop in way["hops"] if way is not None else ():
                del hop["explanation"]
    return {
        "ok": answer.ok,
        "from": answer.source.label,
        "to": answer.target.label,
        "address": str(answer.target.address),
        "port": answer.target.port,
        "protocol": answer.target.protocol,
        "seen": {"state": answer.seen.state.value, "text": seen_text(answer.seen)},
        "why": list(answer.why),
        "warnings": answer.warnings,
        **ways,
    }
