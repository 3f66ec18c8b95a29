"""Deals with one event as a whole: the node's pods before and after it, the handlers, the history, healing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from vectorplane.control.cluster.agent.errors import AgentError, EventFailed
from vectorplane.control.cluster.agent.event import AddPod, DeletePod, Event, Method, StateChange
from vectorplane.control.cluster.agent.event_history import EventHistory, EventRecord
from vectorplane.control.cluster.agent.healing import Healing
from vectorplane.control.cluster.agent.pods import Pods
from vectorplane.control.cluster.agent.processing import Processing


class Dealing:
    """One event at a time. ``prepare`` is called before a resync: True when the pods' subnet has become another one.

    ``verify``: after each event all is worked out anew, and a difference is an AgentError.
    """

    def __init__(
        self,
        processing: Processing,
        pods: Pods,
        history: EventHistory,
        healing: Healing,
        prepare: Callable[[], bool],
        verify: bool,
    ) -> None:
        self.current: EventRecord | None = None
        """The event that is being dealt with."""
        self._processing, self._pods, self._history, self._healing = processing, pods, history, healing
        self._prepare, self._verify = prepare, verify

    def deal(self, event: Event, follows: int | None = None, keep_address: bool = False) -> Any:
        """Deal with it; gives an AddPod's answer. ``keep_address``: the pod that goes is about to come again.

        Raises:
            EventFailed: it was all or nothing, and came to nothing.
            AgentError: the agent can't go on.
        """
        outer, record = self.current, self._history.begin(event, follows)
        self.current = record
        result, error, sick = None, "", False
        try:
            match event:
                case AddPod():
                    result, error, sick = self._add(event, record)
                case DeletePod():
                    error, sick = self._delete(event, record, keep_address)
                case StateChange():
                    error, sick = self._processing.deal(event, record)
                    self._pods.records_changed(event.changes)
                case _:
                    error, sick = self._put_right(event, record)
        except (EventFailed, AgentError) as failure:
            error = str(failure)
            raise
        finally:
            self._history.finish(record, error)
            self.current = outer
        if sick:
            self._healing.needed(record)
        elif self._verify and self._healing.at is None and (found := self._processing.differences()):
            raise AgentError(f"after {event}: a resync would change {', '.join(found)}")
        if error and isinstance(event, AddPod):
            raise EventFailed(error)
        return result

    def _add(self, event: AddPod, record: EventRecord) -> tuple[Any, str, bool]:
        pods = self._pods
        pods.check(event)
        if pods.connected(event):
            record.handler("agent", "it is connected already")
            return pods.answer(event.pod), "", False
        stale = pods.stale(event)
        if stale is not None:
            self.deal(stale, record.number, keep_address=True)
        error, sick = self._processing.deal(event, record, pods.add(event))
        return None if error else pods.answer(event.pod), error, sick

    def _delete(self, event: DeletePod, record: EventRecord, keep_address: bool) -> tuple[str, bool]:
        if not self._pods.is_end_of(event):
            record.handler("agent", "it is not connected")
            return "", False
        told = self._processing.deal(event, record)
        self._pods.remove(event.pod, keep_address)
        return told

    def _put_right(self, event: Event, record: EventRecord) -> tuple[str, bool]:
        whole = event.method in (Method.FULL_RESYNC, Method.UPSTREAM_RESYNC)
        if whole and (self._prepare() or event.method is Method.FULL_RESYNC):
            self._pods.relearn()
        return self._processing.deal(event, record)
