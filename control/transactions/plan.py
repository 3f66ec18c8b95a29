"""A plan: what is to be done, in which order, and why; and what has to wait."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from vectorplane.backends.items import Item
from vectorplane.control.transactions.change import Origin
from vectorplane.control.transactions.desired import Conflict

Verb = Literal["create", "update", "delete"]


class Step(NamedTuple):
    """One operation. ``old``: what is there before; ``new``: afterwards."""

    verb: Verb
    key: str
    old: Item | None
    new: Item | None
    reason: str


class Pending(NamedTuple):
    """An item that cannot be brought yet."""

    key: str
    item: Item
    reason: str
    origin: Origin | None


class Operation(NamedTuple):
    """Steps as people see them: a delete and a create of one key are a `recreate`."""

    verb: str
    """create, update, recreate, delete."""
    key: str
    old: Item | None
    new: Item | None
    reason: str

    def __str__(self) -> str:
        from vectorplane.control.transactions.describe import item_text

        what = item_text(self.new if self.new is not None else self.old)
        was = f" (was: {item_text(self.old)})" if self.verb == "update" and self.old is not None else ""
        return f"{self.verb:8} {what}{was}" + (f"  # {self.reason}" if self.reason else "")


@dataclass
class Plan:
    """``steps`` in the order in which they are carried out; ``adopted``: keys of what others made and is ours now."""

    steps: list[Step] = field(default_factory=list)
    pending: list[Pending] = field(default_factory=list)
    adopted: list[str] = field(default_factory=list)
    conflicts: list[Conflict] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    """All keys that were looked at."""

    def __bool__(self) -> bool:
        return bool(self.steps or self.adopted)

    @property
    def operations(self) -> list[Operation]:
        """The steps, with a delete and a create of one key put together where the create is."""
        deleted = {s.key: s for s in self.steps if s.verb == "delete"}
        created = {s.key for s in self.steps if s.verb == "create"}
        result = []
        for s in self.steps:
            if s.verb == "delete" and s.key in created:
                continue
            if s.verb == "create" and s.key in deleted:
                first = deleted[s.key]
                result.append(Operation("recreate", s.key, first.old, s.new, first.reason))
            else:
                result.append(Operation(*s))
        return result

    def text(self) -> str:
        """A line each."""
        from vectorplane.control.transactions.describe import item_text

        lines = [str(o) for o in self.operations]
        lines += [f"adopt    {key}  # it is there already" for key in self.adopted]
        lines += [f"pending  {item_text(p.item)}  # {p.reason}" for p in self.pending]
        lines += [f"conflict {c}" for c in self.conflicts]
        return "\n".join(lines or ["nothing to do"])

    def json(self) -> dict[str, Any]:
        """The same as plain values."""
        from vectorplane.control.transactions.describe import item_data

        return {
            "operations": [
                {
                    "verb": o.verb,
                    "key": o.key,
                    "old": None if o.old is None else item_data(o.old),
                    "new": None if o.new is None else item_data(o.new),
                    "reason": o.reason,
                }
                for o in self.operations
            ],
            "adopted": self.adopted,
            "pending": [{"key": p.key, "item": item_data(p.item), "reason": p.reason} for p in self.pending],
            "conflicts": [str(c) for c in self.conflicts],
        }
