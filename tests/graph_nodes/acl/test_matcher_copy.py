"""A matcher that is copied has all that a new one has, in memory of its own."""

from __future__ import annotations

import random

import numpy as np

from vectorplane.backends.engine.acl.rule import AclRule
from vectorplane.graph_nodes.acl.matcher import Matcher
from vectorplane.graph_nodes.acl.rule_match import MATCHER, RULE, RULE6, TUPLE

_ADDRESSES = ("rules4", "rules6", "tuples", "hits")


def _rules(rng: random.Random, count: int) -> list[AclRule]:
    six = [AclRule(1, True, rng.getrandbits(128) >> 64 << 64, 64) for _ in range(3)]
    protocols, last = (0, 6, 17), (80, 95)
    four = (
        AclRule(2, False, rng.getrandbits(32) >> 8 << 8, 24, proto=rng.choice(protocols), dport_last=rng.choice(last))
        for _ in range(count)
    )
    return [*six, *four]


def _seen(matcher: Matcher) -> list[bytes]:
    """All of its memory but addresses."""
    head = matcher._view(matcher.address, MATCHER, 1)[0]
    found = [head[f].tobytes() for f in MATCHER.names if f not in _ADDRESSES]  # type: ignore[union-attr]
    found.append(matcher._view(int(head["rules4"]), RULE, int(head["n4"])).tobytes())
    found.append(matcher._view(int(head["rules6"]), RULE6, int(head["n6"])).tobytes())
    for t in matcher._view(int(head["tuples"]), TUPLE, int(head["n_tuples"])):
        found += [t[f].tobytes() for f in TUPLE.names if f not in ("filter", "slots")]  # type: ignore[union-attr]
        bits, slots = 1 << 64 - int(t["filter_shift"]), 1 << 64 - int(t["slot_shift"])
        found.append(matcher._view(int(t["filter"]), np.dtype("u1"), bits // 8).tobytes())
        found.append(matcher._view(int(t["slots"]), np.dtype("i8"), slots).tobytes())
    return found


def test_copy() -> None:
    rng = random.Random(1)
    for count in (0, 5, 200):
        lists = [(3, tuple(_rules(rng, count))), (1, tuple(_rules(rng, count)))]
        first = Matcher(lists, number=1, context=1, workers=2)
        first._hits[:] = 7
        copied = first.copy(number=9, context=4)
        made = Matcher(lists, number=9, context=4, workers=2)
        first.close()
        assert _seen(copied) == _seen(made) and copied.rules == made.rules and copied.context == 4
        assert not any(copied.hits()) and len(copied.hits()) == len(made.hits())
        assert not any(copied.copy(number=10, context=5).hits())
