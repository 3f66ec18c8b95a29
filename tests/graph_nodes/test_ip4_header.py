"""IPv4 header arithmetic against RFC 1071 done by hand."""

from __future__ import annotations

import numpy as np
from hypothesis import assume, example, given
from hypothesis import strategies as st

from tests.budget import examples
from tests.naive.ip4_fast import checksum, header
from vectorplane.dataplane.region import lent
from vectorplane.graph_nodes.ip4_header import (
    decrement_ttl,
    header_sum,
    increment_ttl,
    payload_length,
    replace_word,
    set_checksum,
    sum_words,
)
from vectorplane.jit.kernel import compiled


@compiled
def run(which: int, at: int, size: int) -> int:
    """One of the helpers on a header in memory."""
    if which == 0:
        return header_sum(at)
    if which == 1:
        return sum_words(at, size)
    if which == 2:
        set_checksum(at)
    elif which == 3:
        return decrement_ttl(at)
    elif which == 4:
        increment_ttl(at)
    elif which == 5:
        return payload_length(at)
    return 0


@compiled
def replace(old_checksum: int, old: int, new: int) -> int:
    """RFC 1624."""
    return replace_word(old_checksum, old, new)


def on(which: int, raw: bytes) -> tuple[int, bytes]:
    """Run a helper on a copy; its result and the bytes after."""
    data = np.frombuffer(raw, np.uint8).copy()
    with lent(data) as (at,):
        result = run(which, at, len(raw))
    return result, data.tobytes()


@examples(100)
@given(raw=st.binary(max_size=1500))
@example(raw=b"\xff" * 1500)
@example(raw=b"")
def test_sums(raw: bytes) -> None:
    little, _ = on(1, raw)
    assert ~int.from_bytes(little.to_bytes(2, "little"), "big") & 0xFFFF == checksum(raw)
    if len(raw) >= 20:
        assert on(0, raw[:20])[0] == on(1, raw[:20])[0]


headers = st.builds(
    header,
    total=st.integers(20, 65535),
    ttl=st.integers(1, 255),
    identification=st.integers(0, 65535),
    source=st.integers(0, 0xFFFFFFFF),
    destination=st.integers(0, 0xFFFFFFFF),
    options=st.sampled_from([b"", b"\1" * 4, b"\1" * 40]),
)


@examples(100)
@given(raw=headers)
def test_checksum_and_lengths(raw: bytes) -> None:
    assert on(1, raw)[0] == 0xFFFF
    assert on(2, raw[:10] + b"\xab\xcd" + raw[12:])[1] == raw
    assert on(5, raw)[0] == int.from_bytes(raw[2:4], "big") - len(raw)


def test_ttl_at_the_ends_of_the_checksum() -> None:
    """Down and up again, where adding and subtracting carries around, and in between."""
    by_checksum = {}
    for identification in range(65536):
        raw = header(identification=identification, ttl=64)
        by_checksum[int.from_bytes(raw[10:12], "little")] = raw
    edges = {0, 1, 2, 0xFE, 0xFF, 0x100, 0xFEFF, 0xFF00, 0xFFFC, 0xFFFD, 0xFFFE, 0xFFFF, *range(0, 65536, 997)}
    assert 0xFFFE in by_checksum
    for stored in edges & set(by_checksum):
        raw = by_checksum[stored]
        ttl, down = on(3, raw)
        assert ttl == 63 == down[8] and checksum(down) == 0, hex(stored)
        _, up = on(4, down)
        assert up == raw, hex(stored)


@examples(150)
@given(raw=st.binary(min_size=18, max_size=18), new=st.integers(0, 0xFFFF))
def test_replace_word(raw: bytes, new: int) -> None:
    """A word changed: the updated checksum is right over the new bytes (which are never all zero)."""
    assume(any(raw[2:]))
    old_sum = checksum(raw)
    changed = new.to_bytes(2, "little") + raw[2:]
    stored = int.from_bytes(old_sum.to_bytes(2, "big"), "little")
    updated = replace(stored, int.from_bytes(raw[:2], "little"), new)
    assert checksum(changed + updated.to_bytes(2, "little")) == 0
