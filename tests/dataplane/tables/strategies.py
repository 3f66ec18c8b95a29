"""What the table tests have in common: settings that are the same on every run, and crowded prefixes."""

from __future__ import annotations

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from vectorplane.jit.kernel import JIT

QUIET = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]


def budget(examples: int, steps: int = 30) -> settings:
    """So many examples with the JIT, a few without (the twins are slow)."""
    return settings(
        derandomize=True,
        deadline=None,
        database=None,
        max_examples=examples if JIT else max(2, examples // 10),
        stateful_step_count=steps if JIT else max(5, steps // 5),
        suppress_health_check=QUIET,
    )


SHORTEST = 0 if JIT else 10
"""Shorter routes write over thousands of leaves."""

_bytes = st.sampled_from([0, 1, 2, 127, 128, 255])
addresses = st.one_of(
    st.tuples(st.sampled_from([10, 11]), st.sampled_from([0, 1]), _bytes, _bytes).map(
        lambda b: int.from_bytes(bytes(b), "big")
    ),
    st.integers(0, 2**32 - 1) if JIT else st.just(2**32 - 1),
)
"""IPv4 addresses that mostly share plies."""

lengths = st.one_of(st.integers(SHORTEST, 32), st.sampled_from([SHORTEST, 15, 16, 17, 23, 24, 25, 31, 32]))
