"""Loading many routes at once: a million in seconds, and no Python object for any of them.

Routes of one FIB with the same paths share a path set and one load-balance (so their packets are counted together);
a prefix that has other sources, or that is changed by itself later, becomes an entry of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from vectorplane.backends.engine.fib_control import BULK
from vectorplane.backends.engine.fib_entries import API
from vectorplane.backends.engine.path_sets import PathSet
from vectorplane.backends.engine.route_paths import Path
from vectorplane.graph_nodes.forwarding import HASH_DEFAULT

if TYPE_CHECKING:
    from vectorplane.backends.engine.fib_control import FibControl

Int64 = npt.NDArray[np.int64]


def load(
    control: FibControl,
    fib: int,
    prefixes: npt.ArrayLike,
    lengths: npt.ArrayLike,
    paths: Sequence[tuple[Path, ...]],
    which: npt.ArrayLike | None = None,
) -> int:
    """Enter routes: ``prefixes`` and ``lengths`` (int [n]), ``which`` (int [n]): the paths of each, index in ``paths``.

    Without ``which`` all have ``paths[0]``. Of equal prefixes the last counts. Gives the number of routes.

    Raises:
        ValueError: a prefix, a length or an index out of range, or arrays of different sizes.
    """
    prefix, length = (np.ascontiguousarray(a, np.int64).ravel() for a in (prefixes, lengths))
    chosen = np.zeros(prefix.size, np.int64) if which is None else np.ascontiguousarray(which, np.int64).ravel()
    if not prefix.size == length.size == chosen.size:
        raise ValueError("prefixes, lengths and which differ in number")
    if not prefix.size:
        return 0
    if length.min() < 0 or length.max() > 32 or prefix.min() < 0 or prefix.max() >= 1 << 32:
        raise ValueError("a prefix or a length is out of range")
    if chosen.min() < 0 or chosen.max() >= len(paths):
        raise ValueError("an index of paths is out of range")
    prefix = prefix & (-1 << (32 - length))
    prefix, length, chosen = _last_of_equal(prefix, length, chosen)
    single = _with_entries(control, fib, prefix, length)
    for i in np.flatnonzero(single).tolist():
        control.set_source(fib, int(prefix[i]), int(length[i]), API, paths[int(chosen[i])])
    rest = ~single
    if rest.any():
        _load(control, fib, prefix[rest], length[rest], paths, chosen[rest])
    return int(prefix.size)


def _keys(prefix: Int64, length: Int64) -> Int64:
    return prefix << 6 | length


def _last_of_equal(prefix: Int64, length: Int64, chosen: Int64) -> tuple[Int64, Int64, Int64]:
    keys = _keys(prefix, length)
    _, last = np.unique(keys[::-1], return_index=True)
    keep = np.sort(keys.size - 1 - last)
    return prefix[keep], length[keep], chosen[keep]


def _with_entries(control: FibControl, fib: int, prefix: Int64, length: Int64) -> npt.NDArray[np.bool_]:
    """Which of these prefixes are known, other than as bulk routes? The bulk routes among them lose their paths."""
    if len(control.entries) < 4096 and not any(fib in s.bulk for s in control.path_sets.by_number.values()):
        known = np.array([e.prefix << 6 | e.length for e in control.entries.values() if e.fib == fib], np.int64)
        return np.isin(_keys(prefix, length), known)
    dump = control.prefixes.dump(fib)
    keys = _keys(dump["prefix"], dump["length"])
    is_bulk = (dump["value"] & BULK) != 0
    replaced = is_bulk & np.isin(keys, _keys(prefix, length))
    numbers, counts = np.unique(dump["value"][replaced] & ~BULK, return_counts=True)
    gone = list(zip(numbers.tolist(), counts.tolist(), strict=True))
    control.pending_bulk = [(control.path_sets.by_number[number], count) for number, count in gone]
    return np.isin(_keys(prefix, length), keys[~is_bulk])


def _load(
    control: FibControl, fib: int, prefix: Int64, length: Int64, paths: Sequence[tuple[Path, ...]], chosen: Int64
) -> None:
    replaced, control.pending_bulk = control.pending_bulk, []
    numbers = np.zeros(len(paths), np.int64)
    shared = np.zeros(len(paths), np.int64)
    for k in np.unique(chosen).tolist():
        path_set: PathSet = control.path_sets.get(paths[k])
        if fib not in path_set.shared:
            config = control.hash_config.get(fib, HASH_DEFAULT)
            path_set.shared[fib] = control.load_balances.add(path_set.words(), config)
        path_set.bulk[fib] = path_set.bulk.get(fib, 0) + int(np.count_nonzero(chosen == k))
        numbers[k], shared[k] = path_set.number, path_set.shared[fib]
    control.prefixes.load(fib, prefix, length, numbers[chosen] | BULK)
    control.fibs.mtrie.load(fib, prefix, length, shared[chosen])
    for path_set, count in replaced:
        control.bulk_gone(path_set, fib, count)
    control.all_covers_changed(fib)
