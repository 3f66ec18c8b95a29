"""An explanation as text: lines, each with what it is, so that a terminal may show it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

HEAD, NODE, PLAIN, GOOD, BAD, NOTE, FAINT = "head", "node", "plain", "good", "bad", "note", "faint"
_SECOND = 1_000_000_000
_HEX, _ROWS = 32, 4
_GOOD = ("sent", "consumed", "held")


class Line(NamedTuple):
    """One line, and what it is."""

    kind: str
    text: str


def lines_of(answer: dict[str, Any], trace: bool = False) -> Iterator[Line]:
    """The text of an explanation (`Explanation.json`). ``trace``: with what the packet trace says of each node."""
    yield from _disagreements(answer)
    given = answer["received"]
    size = _size(given["hex"])
    yield Line(HEAD, f"{given['interface']} receives {size}{_when(given['time'])}")
    yield from (Line(PLAIN, f"  {line}") for line in given["summary"])
    yield from (Line(NOTE, f"  ({note})") for note in answer["notes"])
    for packet in answer["packets"]:
        yield Line(PLAIN, "")
        if len(answer["packets"]) > 1:
            yield Line(HEAD, _title(packet))
        for step in answer["steps"]:
            if step["packet"] == packet["number"]:
                yield from _step(step, trace)
        yield from _outcome(packet, trace)
    if len(answer["packets"]) > 1:
        yield Line(PLAIN, "")
        kind = GOOD if answer["verdict"] in _GOOD else BAD
        yield Line(kind, f"What became of it: {answer['verdict']} {answer['why']}".rstrip())
    yield from _disagreements(answer)


def _size(data: str) -> str:
    return f"{len(data) // 2:,} byte{'' if len(data) == 2 else 's'}"


def _disagreements(answer: dict[str, Any]) -> Iterator[Line]:
    for text in answer["disagreements"]:
        yield Line(BAD, f"!!! {text}: this is a bug, please report it")


def _when(time: int) -> str:
    """When, if time means something: after a day it is taken as the time of day."""
    if not time:
        return ""
    seconds, ns = divmod(time, _SECOND)
    if seconds < 86_400:
        return f" at {seconds}.{ns:09d} s"
    return f" at {datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S}.{ns:09d} UTC"


def _title(packet: dict[str, Any]) -> str:
    number, by, parent = packet["number"], packet["by"], packet["parent"]
    if packet["origin"] == "given":
        return f"Packet {number}, the one that was given"
    if packet["origin"] == "copy":
        return f"Packet {number}, made of packet {parent} by {by}"
    return f"Packet {number}, the router's own, made by {by} because of packet {parent}"


def _step(step: dict[str, Any], trace: bool) -> Iterator[Line]:
    yield Line(NODE, step["node"])
    yield from (Line(PLAIN, f"  {line}") for line in step["text"])
    if step["trace"] and (trace or not step["explained"]):
        yield from (Line(FAINT, f"    {line}") for line in step["trace"].split("\n"))
    if not step["explained"]:
        own = f"{step['node']}: "
        counted = ", ".join(text.removeprefix(own) for text in step["counted"])
        if counted:
            yield Line(PLAIN, f"  counted: {counted}")


def _bytes(data: str, every: bool) -> Iterator[Line]:
    """In hexadecimal, the first so many."""
    shown = len(data) if every else min(len(data), 2 * _HEX * _ROWS)
    yield from (Line(FAINT, f"  {data[at : at + 2 * _HEX]}") for at in range(0, shown, 2 * _HEX))
    if shown < len(data):
        yield Line(FAINT, f"  ... {(len(data) - shown) // 2:,} more bytes (--trace and --json have them)")


def _outcome(packet: dict[str, Any], trace: bool) -> Iterator[Line]:
    outcome = packet["outcome"]
    if outcome is None:
        return
    kind, where = outcome["kind"], f"{outcome['node']}: {outcome['reason']}" if outcome["reason"] else outcome["node"]
    if kind == "sent":
        yield Line(GOOD, f"Sent by {outcome['interface']}, {_size(outcome['hex'])}")
        yield from (Line(PLAIN, f"  {line}") for line in outcome["summary"])
        if packet["origin"] != "made":
            yield from (Line(PLAIN, f"  {line}") for line in outcome["changes"] or ["as it came"])
        yield from _bytes(outcome["hex"], trace)
    elif kind == "became":
        yield Line(PLAIN, f"In its place: packet {', '.join(map(str, outcome['into']))}")
    elif kind == "dropped":
        yield Line(BAD, f"Dropped: {where}")
    else:
        yield Line(GOOD, f"{kind.capitalize()}: {where}")
