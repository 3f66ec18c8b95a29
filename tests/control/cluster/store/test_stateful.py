"""A store on disk against the oracle: any sequence of writes, watches, compactions and openings."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tests.control.cluster.store.comparing import contents, item, taken
from tests.control.cluster.store.naive_store import NaiveStore, text
from vectorplane.control.cluster.store.embedded import EmbeddedStore
from vectorplane.control.cluster.store.errors import Compacted
from vectorplane.control.cluster.store.journal import Journal
from vectorplane.control.cluster.store.store import Watch
from vectorplane.control.cluster.store.transaction import (
    Absent,
    Compare,
    Delete,
    DeletePrefix,
    Exists,
    Get,
    Operation,
    Put,
    RevisionIs,
    ValueIs,
)

KEYS = st.sampled_from(["a", "a/1", "a/2", "a/2/x", "ab", "b/1", "\u00fc", "\U0001f600", "\uffff"])
PREFIXES = st.sampled_from(["", "a", "a/", "a/2", "b/", "\u00fc", "z"])
VALUES = st.dictionaries(st.sampled_from(["n", "m"]), st.integers(0, 2) | st.text(max_size=2) | st.none(), max_size=2)
COMPARES = (
    st.builds(Exists, KEYS)
    | st.builds(Absent, KEYS)
    | st.builds(RevisionIs, KEYS, st.integers(1, 12))
    | st.tuples(KEYS, VALUES)
)
WRITES = st.dictionaries(KEYS, VALUES | st.none(), max_size=3)
HISTORY = 6


class Machine(RuleBasedStateMachine):
    """Both stores get the same."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.naive = NaiveStore()
        self.compacted = 1
        self.watches: list[tuple[Watch, str, int]] = []
        self.open()

    def open(self) -> None:
        """From disk. A file that is rewritten at every few changes."""
        self.store = EmbeddedStore(Journal(self.folder, sync=False, growth=400), HISTORY)

    @property
    def gone(self) -> int:
        """The changes up to here are gone, all others are there."""
        return max(self.compacted, self.naive.revision - HISTORY)

    def teardown(self) -> None:
        self.store.close()
        shutil.rmtree(self.folder)

    @rule(key=KEYS, value=VALUES)
    def put(self, key: str, value: dict[str, Any]) -> None:
        self.naive.write([(key, value)])
        assert self.store.put(key, value) == self.naive.revision

    @rule(key=KEYS)
    def delete(self, key: str) -> None:
        assert self.store.delete(key) == (self.naive.write([(key, None)]) == 1)

    @rule(prefix=PREFIXES)
    def delete_prefix(self, prefix: str) -> None:
        expected = self.naive.write([(key, None) for key in self.naive.under(prefix)])
        assert self.store.delete_prefix(prefix) == expected

    @rule(compares=st.lists(COMPARES, max_size=2), then=WRITES, otherwise=WRITES, prefix=st.none() | PREFIXES)
    def transaction(
        self, compares: list[Any], then: dict[str, Any], otherwise: dict[str, Any], prefix: str | None
    ) -> None:
        def holds(compare: Any) -> bool:
            if isinstance(compare, tuple):
                found = self.naive.items.get(compare[0])
                return found is not None and found.value == text(compare[1])
            found = self.naive.items.get(compare.key)
            if isinstance(compare, RevisionIs):
                return found is not None and found.mod == compare.mod_revision
            return (found is not None) == isinstance(compare, Exists)

        if prefix is not None and not any(key.startswith(prefix) for key in then):
            doomed = self.naive.under(prefix)
        else:
            prefix, doomed = None, []
        succeeded = all(map(holds, compares))
        writes = list((then if succeeded else otherwise).items())
        if succeeded:
            writes += [(key, None) for key in doomed if key not in then]
        deleted = self.naive.write(writes)
        asked: list[Compare] = [ValueIs(*c) if isinstance(c, tuple) else c for c in compares]
        branches: list[list[Operation]] = []
        for branch in (then, otherwise):
            branches.append([Delete(key) if value is None else Put(key, value) for key, value in branch.items()])
        if prefix is not None:
            branches[0].append(DeletePrefix(prefix))
        for operations, branch in zip(branches, (then, otherwise), strict=True):
            operations += [Get(key) for key in branch]
        outcome = self.store.transaction(asked, *branches)
        assert (outcome.succeeded, outcome.revision, outcome.deleted) == (succeeded, self.naive.revision, deleted)
        expected = [self.naive.items.get(key) for key in (then if succeeded else otherwise)]
        assert list(map(item, outcome.found)) == expected

    @rule(prefix=PREFIXES, back=st.integers(-2, 12))
    def watch(self, prefix: str, back: int) -> None:
        start = max(self.naive.revision - back, 1)
        try:
            watch = self.store.watch(prefix, start)
        except Compacted as error:
            assert start <= error.revision == self.gone
        else:
            assert start > self.gone
            self.watches.append((watch, prefix, start))

    @rule(prefix=PREFIXES)
    def list_and_watch(self, prefix: str) -> None:
        listing = self.store.list(prefix)
        assert listing.revision == self.naive.revision
        assert [e.key for e in listing.entries] == self.naive.under(prefix)
        self.watches.append((self.store.watch(prefix), prefix, listing.revision + 1))

    @precondition(lambda self: self.watches)
    @rule(data=st.data())
    def read(self, data: st.DataObject) -> None:
        number = data.draw(st.integers(0, len(self.watches) - 1))
        watch, prefix, start = self.watches[number]
        expected = self.naive.since(prefix, start)
        if any(e.revision <= self.gone for e in expected):
            with pytest.raises(Compacted):
                taken(watch)
            del self.watches[number]
        else:
            assert taken(watch) == expected
            self.watches[number] = (watch, prefix, max(start, self.naive.revision + 1))

    @rule(back=st.integers(0, 5))
    def compact(self, back: int) -> None:
        revision = max(self.naive.revision - back, 1)
        self.store.compact(revision)
        self.compacted = max(self.compacted, revision)

    @rule()
    def open_again(self) -> None:
        self.store.close()
        self.watches.clear()
        self.open()
        # how much of the history is still in the file is not said
        with pytest.raises(Compacted) as caught:
            self.store.watch("", 1)
        assert caught.value.revision <= self.naive.revision
        self.compacted = caught.value.revision

    @invariant()
    def same(self) -> None:
        assert self.store.revision() == self.naive.revision
        assert contents(self.store) == self.naive.items


Machine.TestCase.settings = settings(derandomize=True, deadline=None, max_examples=60, stateful_step_count=30)
TestStore = Machine.TestCase
