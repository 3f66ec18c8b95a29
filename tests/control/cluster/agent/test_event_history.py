"""What is kept of events, and for how long."""

from __future__ import annotations

import json

import pytest

from tests.control.cluster.agent.fakes import Clock, Site
from vectorplane.control.cluster.agent import event_history
from vectorplane.control.cluster.agent.event import Resync
from vectorplane.control.cluster.agent.event_history import EventHistory


def test_the_first_hour_stays_and_the_rest_a_day() -> None:
    clock = Clock()
    history = EventHistory(clock)
    for _ in range(40 * 60):
        clock.now += 60
        history.begin(Resync("each minute"))
    assert [r.number for r in history][:59] == list(range(59)), "the first hour"
    later = [r for r in history if r.number >= 60]
    assert clock.now - later[0].start <= 24 * 3600 + 120 and len(later) == pytest.approx(24 * 60, abs=3)
    assert history[5].number == 5 and history[len(list(history)) and 40 * 60 - 1] is history.last
    with pytest.raises(KeyError):
        history[100]


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    history = EventHistory(Clock())
    for _ in range(event_history.MOST + event_history.MOST_FIRST + 500):
        history.begin(Resync("x" * 5000))
    assert len(history) == event_history.MOST + event_history.MOST_FIRST
    assert len(history.last.description) < event_history.MOST_TEXT + 10


def test_json() -> None:
    site = Site()
    site.agent().run_pending()
    site.add("a", "old")
    site.add("a", "new")
    site.running.push_and_wait(Resync("asked"))
    records = [json.loads(json.dumps(r.json())) for r in site.running.history]
    stale = next(r for r in records if r["Name"] == "DeletePod")
    assert stale == {
        "SeqNum": stale["FollowUpTo"] + 1,
        "ProcessingStart": site.clock.now,
        "ProcessingEnd": site.clock.now,
        "IsFollowUp": True,
        "FollowUpTo": records[-3]["SeqNum"],
        "Name": "DeletePod",
        "Description": "pod default/a is to be disconnected",
        "Method": "update",
        "Handlers": [{"Handler": "links", "Revert": False, "Change": "disconnected", "Error": False, "ErrorStr": ""}],
        "TxnError": "",
        "Txn": stale["Txn"],
    }
    numbers = {r.number for r in site.running._scheduler.history}
    assert all(set(r["Txn"]) <= numbers for r in records) and stale["Txn"]
    assert records[-1]["Method"] == "full resync" and len(records[-1]["Txn"]) == 2
