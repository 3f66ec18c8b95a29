"""Which selectors select some labels, without asking all of them."""

from __future__ import annotations

from collections import Counter

from vectorplane.control.cluster.kube.model.base import Ref
from vectorplane.control.cluster.kube.model.selector import matches

_Pair = tuple[str, str, str]
"""Namespace, key, value."""


class SelectorIndex:
    """Each selector is found by one of its labels: that which the fewest selectors had when it came.

    A label that every selector has (``app.kubernetes.io/part-of``) would tell nothing.
    """

    def __init__(self) -> None:
        self._at: dict[_Pair, dict[Ref, dict[str, str]]] = {}
        self._known: dict[Ref, tuple[_Pair, list[_Pair]]] = {}
        self._having: Counter[_Pair] = Counter()

    def put(self, ref: Ref, selector: dict[str, str]) -> None:
        """``ref`` selects, in its namespace, what has all these labels (one at least)."""
        self.drop(ref)
        pairs = [(ref.namespace, key, value) for key, value in selector.items()]
        chosen = min(pairs, key=lambda pair: (self._having[pair], pair))
        self._at.setdefault(chosen, {})[ref] = selector
        self._known[ref] = chosen, pairs
        self._having.update(pairs)

    def drop(self, ref: Ref) -> None:
        """It selects nothing any more."""
        if ref not in self._known:
            return
        chosen, pairs = self._known.pop(ref)
        del self._at[chosen][ref]
        if not self._at[chosen]:
            del self._at[chosen]
        self._having.subtract(pairs)
        for pair in pairs:
            if not self._having[pair]:
                del self._having[pair]

    def selecting(self, namespace: str, labels: dict[str, str]) -> list[Ref]:
        """Who selects what has these labels."""
        return [
            ref
            for key, value in labels.items()
            for ref, selector in self._at.get((namespace, key, value), {}).items()
            if matches(selector, labels)
        ]
