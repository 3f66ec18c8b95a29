"""Copies of what interfaces receive and send: ``sw_interface_span_enable_disable``, ``sw_interface_span_dump``."""

from __future__ import annotations

from collections.abc import Iterable

from vectorplane.backends.base import BackendError
from vectorplane.backends.items import Span
from vectorplane.backends.vpp.kinds.kind import Kind, Message, Steps

_STATES = {"rx": 1, "tx": 2, "both": 3}
_DIRECTIONS = {number: word for word, number in _STATES.items()}


class Spans(Kind[Span]):
    """See the module."""

    item = Span
    title = "SPAN"
    messages = (("sw_interface_span_enable_disable",), ("sw_interface_span_dump",))

    def create(self, item: Span) -> Steps:
        """Copy."""
        if item.direction not in _STATES:
            raise BackendError(f"SPAN copies {', '.join(_STATES)}, not {item.direction}")
        yield self._message(item, _STATES[item.direction])

    def update(self, old: Span, new: Span) -> Steps:
        """Something else."""
        yield from self.create(new)

    def delete(self, item: Span) -> Steps:
        """No longer."""
        yield self._message(item, 0)

    def _message(self, item: Span, state: int) -> Message:
        return "sw_interface_span_enable_disable", {
            "sw_if_index_from": self.index(item.source),
            "sw_if_index_to": self.index(item.target),
            "state": state,
            "is_l2": item.l2,
        }

    def dump(self) -> Iterable[Span]:
        """All."""
        self.link.interfaces.refresh()
        name_of = self.link.interfaces.name
        for l2 in (False, True):
            for d in self.link.connection.details("sw_interface_span_dump", is_l2=l2):
                source, target = name_of(d.sw_if_index_from), name_of(d.sw_if_index_to)
                if source is not None and target is not None:
                    yield Span(source, target, _DIRECTIONS[int(d.state)], l2)
