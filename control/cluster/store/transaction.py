"""Transactions: what is compared, and what is done then or else; checked by etcd's rules before any store sees them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import InitVar, dataclass, field

from vectorplane.control.cluster.store.entry import Entry
from vectorplane.control.cluster.store.errors import InvalidRequest
from vectorplane.control.cluster.store.value import MAX_BYTES, JsonObject, check_key, check_prefix, encode

MAX_OPERATIONS = 128
"""Compares, and operations of either branch (etcd's ``--max-txn-ops``)."""


@dataclass(frozen=True, slots=True)
class Exists:
    """There is such a key."""

    key: str


@dataclass(frozen=True, slots=True)
class Absent:
    """There is no such key."""

    key: str


@dataclass(frozen=True, slots=True)
class RevisionIs:
    """The key was last written at this revision."""

    key: str
    mod_revision: int


@dataclass(frozen=True, slots=True)
class _Valued:
    """A key and a value, which is taken as it is now. Raises `InvalidRequest`, see `encode`."""

    key: str
    value: InitVar[JsonObject]
    data: bytes = field(init=False)

    def __post_init__(self, value: JsonObject) -> None:
        object.__setattr__(self, "data", encode(self.key, value))


@dataclass(frozen=True, slots=True)
class ValueIs(_Valued):
    """The key has this value. Raises `InvalidRequest`."""


@dataclass(frozen=True, slots=True)
class Put(_Valued):
    """Write a key. Raises `InvalidRequest`."""


@dataclass(frozen=True, slots=True)
class Delete:
    """Delete a key; it need not exist."""

    key: str


@dataclass(frozen=True, slots=True)
class DeletePrefix:
    """Delete all keys with this prefix."""

    prefix: str


@dataclass(frozen=True, slots=True)
class Get:
    """Read a key, as the operations before this one left it."""

    key: str


Compare = Exists | Absent | RevisionIs | ValueIs
Operation = Put | Delete | DeletePrefix | Get


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a transaction did."""

    succeeded: bool
    """All compares held."""
    revision: int
    """Of the store, after it. A transaction that changes nothing does not make a new one."""
    found: tuple[Entry | None, ...]
    """What each `Get` got."""
    deleted: int
    """How many keys."""


def holds(compare: Compare, entry: Entry | None) -> bool:
    """Whether it is so, for what the key of the compare is now."""
    match compare:
        case Exists():
            return entry is not None
        case Absent():
            return entry is None
        case RevisionIs(mod_revision=revision):
            return entry is not None and entry.mod_revision == revision
        case ValueIs(data=data):
            return entry is not None and entry.data == data


def check(compares: Sequence[Compare], then: Sequence[Operation], otherwise: Sequence[Operation]) -> None:
    """Raises `InvalidRequest`: a bad key, too much in one transaction, or a branch that writes a key twice."""
    if max(len(compares), len(then), len(otherwise)) > MAX_OPERATIONS:
        raise InvalidRequest(f"a transaction has at most {MAX_OPERATIONS} compares and as many operations in a branch")
    size = 0
    for part in (*compares, *then, *otherwise):
        if isinstance(part, DeletePrefix):
            check_prefix(part.prefix)
        else:
            check_key(part.key)
        size += size_of(part)
    if size > MAX_BYTES:
        raise InvalidRequest(f"the keys and values of a transaction have {size} bytes, {MAX_BYTES} is the most")
    for branch in (then, otherwise):
        _check_branch(branch)


def size_of(part: Compare | Operation) -> int:
    """Bytes that a part counts in its transaction: of its key or prefix, and of its value."""
    if isinstance(part, DeletePrefix):
        return len(part.prefix.encode())
    return len(part.key.encode()) + (len(part.data) if isinstance(part, Put | ValueIs) else 0)


def fits(count: int, size: int) -> bool:
    """May a transaction have so many operations, of so many bytes together?"""
    return count <= MAX_OPERATIONS and size <= MAX_BYTES


def batches(operations: Iterable[Operation]) -> Iterator[list[Operation]]:
    """The same in transactions that are as large as they may be."""
    batch: list[Operation] = []
    size = 0
    for operation in operations:
        more = size_of(operation)
        if batch and not fits(len(batch) + 1, size + more):
            yield batch
            batch, size = [], 0
        batch.append(operation)
        size += more
    if batch:
        yield batch


def _check_branch(branch: Sequence[Operation]) -> None:
    """All events of a transaction have one revision, so a key can have only one of them."""
    puts = [op.key for op in branch if isinstance(op, Put)]
    deletes = {op.key for op in branch if isinstance(op, Delete)}
    prefixes = tuple(op.prefix for op in branch if isinstance(op, DeletePrefix))
    seen: set[str] = set()
    for key in puts:
        if key in seen or key in deletes or key.startswith(prefixes):
            raise InvalidRequest(f"{key} is written twice in one transaction")
        seen.add(key)
