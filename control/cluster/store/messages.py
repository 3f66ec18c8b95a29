"""A store's requests and answers as JSON, for a store in another process (`serve.py` answers, `remote.py` asks).

Values travel as the canonical JSON text that they are in the store, so that they are the same bytes at the other end.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from vectorplane.control.cluster.store import errors
from vectorplane.control.cluster.store.entry import Change, Entry, Event, Listing
from vectorplane.control.cluster.store.errors import Compacted, InvalidRequest, StoreError, StoreFailed
from vectorplane.control.cluster.store.transaction import (
    Absent,
    Compare,
    Delete,
    DeletePrefix,
    Exists,
    Get,
    Operation,
    Outcome,
    Put,
    RevisionIs,
    ValueIs,
)

Json = dict[str, Any]
_KINDS: dict[str, type[StoreError]] = {
    kind.__name__: kind
    for kind in (errors.InvalidRequest, errors.StoreClosed, errors.StoreFailed, errors.StoreLocked, errors.NoneFree)
}


def entry_out(entry: Entry | None) -> list[Any] | None:
    """An entry as JSON."""
    if entry is None:
        return None
    return [entry.key, entry.data.decode(), entry.create_revision, entry.mod_revision, entry.version]


def entry_in(told: list[Any] | None) -> Entry | None:
    """The entry that `entry_out` tells."""
    return None if told is None else Entry(told[0], told[1].encode(), *told[2:])


def listing_out(listing: Listing) -> list[Any]:
    """A listing as JSON."""
    return [listing.revision, [entry_out(entry) for entry in listing.entries]]


def listing_in(told: list[Any]) -> Listing:
    """The listing that `listing_out` tells."""
    return Listing(told[0], tuple(Entry(e[0], e[1].encode(), *e[2:]) for e in told[1]))


def change_out(change: Change) -> list[Any]:
    """A change as JSON."""
    return [change.revision, [[e.key, entry_out(e.entry), entry_out(e.previous)] for e in change.events]]


def change_in(told: list[Any]) -> Change:
    """The change that `change_out` tells."""
    return Change(told[0], tuple(Event(key, entry_in(new), entry_in(old)) for key, new, old in told[1]))


def outcome_out(outcome: Outcome) -> list[Any]:
    """What a transaction did, as JSON."""
    return [outcome.succeeded, outcome.revision, [entry_out(e) for e in outcome.found], outcome.deleted]


def outcome_in(told: list[Any]) -> Outcome:
    """The outcome that `outcome_out` tells."""
    return Outcome(told[0], told[1], tuple(entry_in(e) for e in told[2]), told[3])


def parts_out(parts: Sequence[Compare | Operation]) -> list[list[Any]]:
    """Compares or operations as JSON."""
    return [_part_out(part) for part in parts]


def _part_out(part: Compare | Operation) -> list[Any]:
    name = type(part).__name__
    match part:
        case RevisionIs(key=key, mod_revision=revision):
            return [name, key, revision]
        case Put(key=key, data=data) | ValueIs(key=key, data=data):
            return [name, key, data.decode()]
        case DeletePrefix(prefix=prefix):
            return [name, prefix]
    return [name, part.key]


def compares_in(told: list[list[Any]]) -> list[Compare]:
    """The compares that `parts_out` tells. Raises InvalidRequest: there is no such compare."""
    found: list[Compare] = []
    for name, key, *rest in told:
        match name:
            case "Exists":
                found.append(Exists(key))
            case "Absent":
                found.append(Absent(key))
            case "RevisionIs":
                found.append(RevisionIs(key, rest[0]))
            case "ValueIs":
                found.append(ValueIs(key, json.loads(rest[0])))
            case _:
                raise InvalidRequest(f"there is no compare {name}")
    return found


def operations_in(told: list[list[Any]]) -> list[Operation]:
    """The operations that `parts_out` tells. Raises InvalidRequest: there is no such operation."""
    found: list[Operation] = []
    for name, key, *rest in told:
        match name:
            case "Put":
                found.append(Put(key, json.loads(rest[0])))
            case "Delete":
                found.append(Delete(key))
            case "DeletePrefix":
                found.append(DeletePrefix(key))
            case "Get":
                found.append(Get(key))
            case _:
                raise InvalidRequest(f"there is no operation {name}")
    return found


def error_out(error: StoreError) -> Json:
    """An error as JSON."""
    revision = error.revision if isinstance(error, Compacted) else 0
    return {"kind": type(error).__name__, "text": str(error), "revision": revision}


def error_in(told: Json) -> StoreError:
    """The error that `error_out` tells: of the same kind, with the same text."""
    if told["kind"] == "Compacted":
        error = Compacted(0, told["revision"])
        error.args = (told["text"],)
        return error
    return _KINDS.get(told["kind"], StoreFailed)(told["text"])
