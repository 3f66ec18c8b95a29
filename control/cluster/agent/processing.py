"""One event: the handlers say what is wanted now, the scheduler is told once, and what failed is undone or healed."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from vectorplane.control.cluster.agent.errors import Abort, AgentError
from vectorplane.control.cluster.agent.event import Event, Method, Transaction
from vectorplane.control.cluster.agent.event_history import EventRecord
from vectorplane.control.cluster.agent.handler import Handler
from vectorplane.control.cluster.agent.southbound import Committed, Southbound
from vectorplane.control.cluster.agent.wanted import Wanted

log = logging.getLogger(__name__)


class Processing:
    """Asks the handlers in their order (in the reverse order when something goes away)."""

    def __init__(self, handlers: Sequence[Handler], wanted: Wanted, southbound: Southbound) -> None:
        self._handlers, self._wanted, self._southbound = handlers, wanted, southbound

    def deal(self, event: Event, record: EventRecord, restore: Callable[[], None] = lambda: None) -> tuple[str, bool]:
        """Deal with it. Gives the error (empty: none), and whether something is left that has to be healed.

        Args:
            event: what happened.
            record: is filled in.
            restore: undoes what the agent did for the event, for one that is to be reverted when it fails.

        Raises:
            AgentError: a handler says that the agent can't go on.
        """
        if event.method is Method.DOWNSTREAM_RESYNC:
            return self._told(self._southbound.downstream(str(event)), record, [])
        revert = event.transaction is Transaction.REVERT
        whole = event.method is not Method.UPDATE
        self._wanted.begin(whole)
        asked: list[Handler] = []
        errors: list[str] = []
        aborted = False
        for handler in reversed(self._handlers) if event.reverse else self._handlers:
            asked.append(handler)
            try:
                self._ask(handler, event, whole, record)
            except AgentError:
                raise
            except Exception as error:
                aborted = isinstance(error, Abort) or revert
                self._failed(handler, error, record, errors)
                if whole:
                    self._wanted.keep(f"{handler.name}/")  # not to take away all that it wanted until now
            if aborted:
                self._wanted.undo()
                break
        if aborted:
            healthy = revert and self._revert(asked, event, record, restore)
            return "; ".join(errors), not healthy
        change = self._wanted.change(record.description)
        if not revert:
            full = event.method is Method.FULL_RESYNC
            return self._told(
                self._southbound.full(change) if full else self._southbound.update(change), record, errors
            )
        committed = self._southbound.all_or_nothing(change)
        failure, _ = self._told(committed, record, [])
        if not failure:
            return "", False
        reverted = self._revert(asked, event, record, restore)
        return failure, committed.sick or not reverted

    def differences(self) -> list[str]:
        """Keys of items that an upstream resync would want otherwise than they are wanted now: there should be none."""
        now = {item.key: item for item in self._wanted}
        self._wanted.begin(whole=True)
        for handler in self._handlers:
            handler.resync()
        anew = {item.key: item for item in self._wanted}
        return sorted(key for key in now.keys() | anew.keys() if now.get(key) != anew.get(key))

    def _ask(self, handler: Handler, event: Event, whole: bool, record: EventRecord) -> None:
        if whole:
            handler.resync()
            record.handler(handler.name, "resync")
        elif told := handler.update(event):
            record.handler(handler.name, told)

    def _failed(self, handler: Handler, error: Exception, record: EventRecord, errors: list[str]) -> None:
        text = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        log.error("%s: %s", handler.name, text, exc_info=not isinstance(error, Abort))
        record.handler(handler.name, error=text)
        errors.append(f"{handler.name}: {text}")

    def _revert(self, asked: list[Handler], event: Event, record: EventRecord, restore: Callable[[], None]) -> bool:
        """Everything is as it was before, then the handlers are told. False: one of them failed at that, too."""
        restore()
        errors: list[str] = []
        for handler in reversed(asked):
            try:
                handler.revert(event)
                record.handler(handler.name, revert=True)
            except AgentError:
                raise
            except Exception as error:
                self._failed(handler, error, record, errors)
                record.handlers[-1].revert = True
        return not errors

    def _told(self, committed: Committed, record: EventRecord, errors: list[str]) -> tuple[str, bool]:
        record.transactions += committed.transactions
        error = "; ".join([*errors, *([committed.error] if committed.error else [])])
        return error, bool(error)
