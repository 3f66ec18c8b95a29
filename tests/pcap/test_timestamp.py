"""pcapng time stamps against exact fractions, and the edges of int64."""

from __future__ import annotations

import io

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.naive.pcap_reader import Interface
from tests.pcap import build
from tests.pcap.taken import take

LIMIT = 2**63 - 1
EDGES = [(s << n) + d for n in (0, 10, 32, 62, 63) for s in (1, LIMIT // 10**9) for d in (-1, 0, 1)]
STAMPS = st.integers(0, 2**64 - 1) | st.sampled_from([e % 2**64 for e in EDGES])
OFFSETS = st.integers(-(2**63), LIMIT) | st.integers(-(10**10), 10**10) | st.sampled_from([0, 9223372036, -9223372037])


def times(stamps: list[int], resolution: int, offset: int) -> list[int]:
    raw = build.section() + build.interface(resolution=resolution, offset=offset)
    return [p.time for p in take(io.BytesIO(raw + b"".join(build.enhanced(b"", s) for s in stamps))).packets]


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.lists(STAMPS, min_size=1, max_size=30), st.integers(0, 255), OFFSETS)
def test_against_fractions(stamps: list[int], resolution: int, offset: int) -> None:
    naive = Interface(None, 0, resolution, offset)
    assert times(stamps, resolution, offset) == [naive.time(s) for s in stamps]


def test_every_resolution() -> None:
    stamps = [0, 1, 10**9, 10**15, 2**32 - 1, 2**32, 2**63 - 1, 2**63, 2**64 - 1]
    for resolution in range(256):
        for offset in (0, -1, 9223372036, -(2**63)):
            naive = Interface(None, 0, resolution, offset)
            assert times(stamps, resolution, offset) == [naive.time(s) for s in stamps], (resolution, offset)


def test_round_down_to_nanoseconds() -> None:
    assert times([1999, 2**64 - 1], 12, 0) == [1, 18446744073709551]
    assert times([1, 2**34 - 1], 0x80 | 34, 5) == [5 * 10**9, 5 * 10**9 + 999999999]


def test_kept_within_int64() -> None:
    assert times([2**64 - 1], 0, 0) == [LIMIT]
    assert times([0], 0, -(2**63)) == [-LIMIT - 1]
    edges = [0, 145224191, 145224192, 145224193, 854775806, 854775807, 854775808, 999999999]
    for offset in (9223372035, 9223372036, 9223372037, -9223372036, -9223372037, -9223372038):
        assert times(edges, 9, offset) == [Interface(None, 0, 9, offset).time(s) for s in edges]
