"""The compiled reader against the naive one, on files that hypothesis makes, whole and broken."""

from __future__ import annotations

import io

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.naive.pcap_reader import read
from tests.pcap.strategies import classic_file, damaged_file, pcapng_file
from tests.pcap.taken import SMALL, Dribble, take

QUICK = settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


def check(raw: bytes, step: int) -> None:
    """The same from memory and from a pipe."""
    expected = read(raw, SMALL.packet, SMALL.options)
    assert take(io.BytesIO(raw)) == expected
    assert take(Dribble(raw, step)) == expected


@QUICK
@given(classic_file(), st.integers(1, 300))
def test_classic(raw: bytes, step: int) -> None:
    expected = read(raw, SMALL.packet)
    assert not expected.refused and expected.damage is None
    check(raw, step)


@QUICK
@given(pcapng_file(), st.integers(1, 300))
def test_pcapng(raw: bytes, step: int) -> None:
    check(raw, step)


@settings(QUICK, max_examples=120)
@given(damaged_file(), st.integers(1, 300))
def test_damaged(raw: bytes, step: int) -> None:
    check(raw, step)


@settings(QUICK, max_examples=8)
@given(classic_file() | pcapng_file())
def test_cut_off_at_any_byte(raw: bytes) -> None:
    for size in range(min(len(raw), 300)):
        assert take(io.BytesIO(raw[:size])) == read(raw[:size], SMALL.packet, SMALL.options)
