"""Carries out plans: in order, as many operations of one kind at once as may be, and undoes what it did when asked."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field

from vectorplane.backends.base import BackendError, CannotUpdate, Disconnected, Operation
from vectorplane.backends.items import Item
from vectorplane.control.descriptors.need import THERE
from vectorplane.control.transactions.belief import Belief
from vectorplane.control.transactions.plan import Step

_log = logging.getLogger(__name__)


class Unexpected(BackendError):
    """A mistake of the backend, not a refusal; its cause is what was raised."""


@dataclass
class Outcome:
    """What became of a plan. ``lost``: an operation of which it is not known whether it was carried out."""

    done: list[Step] = field(default_factory=list)
    failed: list[tuple[Step, BackendError]] = field(default_factory=list)
    anew: list[str] = field(default_factory=list)
    """Keys of items that must be deleted and created, as it turned out."""
    away: str = ""
    lost: bool = False


class Runner:
    """Carries out steps; what is there is noted as it happens."""

    def __init__(self, belief: Belief) -> None:
        self._belief = belief
        self._actual = belief.actual

    def run(self, steps: list[Step], outcome: Outcome, stop: Callable[[Outcome], bool]) -> None:
        """Carry out steps in their order. ``stop`` is asked after each batch whether to go on."""
        at = 0
        try:
            with self._belief.backend.batch():
                while at < len(steps) and not outcome.away and not stop(outcome):
                    at, batch = self._batch(steps, at, outcome)
                    if batch:
                        self._apply(batch, outcome)
        except Disconnected as error:
            outcome.away = str(error)

    def undo(self, done: list[Step]) -> Outcome:
        """Undo steps that were carried out, the last one first."""
        back = [
            Step(
                "delete" if s.verb == "create" else "create" if s.verb == "delete" else "update",
                s.key,
                s.new,
                s.old,
                "undone",
            )
            for s in reversed(done)
        ]
        outcome = Outcome()
        at = 0
        try:
            with self._belief.backend.batch():
                while at < len(back) and not outcome.away:
                    end = _end_of_run(back, at)
                    self._apply(back[at:end], outcome)
                    at = end
        except Disconnected as error:
            outcome.away = str(error)
        return outcome

    def _batch(self, steps: list[Step], at: int, outcome: Outcome) -> tuple[int, list[Step]]:
        """The next steps that can go together; those that cannot be done any more are left out."""
        end = _end_of_run(steps, at)
        batch: list[Step] = []
        keys: set[str] = set()
        deleting = steps[at].verb == "delete"
        needs = (self._belief.actual if deleting else self._belief.desired).index.needs
        for i in range(at, end):
            step = steps[i]
            if deleting:
                if batch and any(d in keys for d in self._actual.index.dependents(step.key)):
                    return i, batch
                if reason := self._stuck(step.key, keys):
                    outcome.failed.append((step, BackendError(reason)))
                    continue
            else:
                if batch and any(n.key in keys for n in needs.get(step.key, ())):
                    return i, batch
                if not self._possible(step):
                    continue
            keys.add(step.key)
            batch.append(step)
        return end, batch

    def _stuck(self, key: str, going: set[str]) -> str:
        """Why an item cannot be deleted: what needs it could not be."""
        for d in self._actual.index.dependents(key):
            if d not in going and d not in self._actual.foreign:
                needs = [n for n in self._actual.index.needs[d] if n.key == key]
                if any(n.how == THERE and (n.applies is None or n.applies(self._belief.lookup)) for n in needs):
                    return f"{d}, which needs it, is still there"
        return ""

    def _possible(self, step: Step) -> bool:
        """Is all there that it needs? If not it stays pending."""
        there = self._actual.items.get(step.key)
        if (there is None) == (step.verb == "update"):
            return False
        return all(self._belief.met(n) for n in self._belief.desired.index.needs[step.key])

    def _apply(self, batch: list[Step], outcome: Outcome) -> None:
        operations = [Operation(s.verb, _present(s), s.old if s.verb == "update" else None) for s in batch]
        results: list[BackendError | None]
        try:
            results = self._belief.backend.apply(operations)
        except Disconnected as error:
            outcome.away, outcome.lost = str(error), True
            return
        except BackendError as error:
            results = [error] * len(batch)
        except Exception as error:
            # a mistake of the backend: what it did is not known, and the control plane must go on
            _log.exception("%s: %d operations", self._belief.backend.name, len(batch))
            failure = Unexpected(f"{type(error).__name__}: {error}")
            failure.__cause__ = error
            results, outcome.lost = [failure] * len(batch), True
        for step, result in zip(batch, results, strict=True):
            if result is None:
                self._note(step)
                outcome.done.append(step)
            elif isinstance(result, CannotUpdate):
                outcome.anew.append(step.key)
            elif isinstance(result, Disconnected):
                outcome.away, outcome.lost = str(result), True
            else:
                outcome.failed.append((step, result))

    def _note(self, step: Step) -> None:
        self._belief.failures.forget(step.key)
        if step.new is not None:
            self._actual.set(step.key, step.new)
            return
        self._forget(step.key)

    def _forget(self, key: str) -> None:
        """It is gone, and what others made on top of it too."""
        index = self._actual.index
        above = [d for d in index.dependents(key) if any(n.key == key and n.how == THERE for n in index.needs[d])]
        self._actual.remove(key)
        for dependent in above:
            if dependent in self._actual.foreign:
                self._forget(dependent)


def _present(step: Step) -> Item:
    item = step.new if step.new is not None else step.old
    assert item is not None
    return item


def _end_of_run(steps: list[Step], at: int) -> int:
    """Steps with one verb and one kind of items from ``at`` on."""
    first, end = steps[at], at
    kind = type(_present(first))
    while end < len(steps) and steps[end].verb == first.verb and type(_present(steps[end])) is kind:
        end += 1
    return end
