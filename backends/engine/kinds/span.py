"""Copies of what interfaces receive and send."""

from __future__ import annotations

from collections.abc import Iterable

from vectorplane.backends.base import BackendError
from vectorplane.backends.engine.kinds.kind import Kind
from vectorplane.backends.engine.span import RX, TX
from vectorplane.backends.items import Span

_STATES = {"rx": RX, "tx": TX, "both": RX | TX}
_DIRECTIONS = {number: word for word, number in _STATES.items()}


class Spans(Kind[Span]):
    """See the module."""

    item = Span

    def create(self, item: Span) -> None:
        """Copy."""
        if item.direction not in _STATES:
            raise BackendError(f"SPAN copies {', '.join(_STATES)}, not {item.direction}")
        self._set(item, _STATES[item.direction])

    def update(self, old: Span, new: Span) -> None:
        """Something else."""
        self.create(new)

    def delete(self, item: Span) -> None:
        """No longer."""
        self._set(item, 0)

    def _set(self, item: Span, state: int) -> None:
        self.engine.span.set(self.index(item.source), self.index(item.target), state, item.l2)

    def dump(self) -> Iterable[Span]:
        """All."""
        for source, target, state, l2 in self.engine.span.dump():
            yield Span(self.name(source), self.name(target), _DIRECTIONS[state], l2)
