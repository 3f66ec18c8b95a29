"""Checksums against the sum of words that RFC 1071 describes, and against known CRCs."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.backends.sim import checksum as naive
from vectorplane.backends.engine.sim_host.checksums import adjusted, checksum, correct, crc32c


@given(st.binary(max_size=1600))
def test_checksum(data: bytes) -> None:
    assert checksum(data) == naive(data)
    even = data + bytes(len(data) % 2)
    assert correct(even + naive(even).to_bytes(2, "big"))


@given(st.binary(min_size=2, max_size=64), st.integers(1, 65535))
def test_a_wrong_checksum_is_noticed(data: bytes, change: int) -> None:
    even = data + bytes(len(data) % 2)
    right = naive(even)
    # two ways to write zero are one number
    if (right + change) % 65535 != right % 65535:
        assert not correct(even + ((right + change) & 0xFFFF).to_bytes(2, "big")) or right + change > 65535


@given(st.binary(min_size=8, max_size=40), st.binary(min_size=4, max_size=4))
def test_adjusted(data: bytes, new: bytes) -> None:
    data = data[: len(data) // 2 * 2] + b"\1\0"  # never all zero, which would have one more way to be written
    assert adjusted(naive(data), data[:4], new) == naive(new + data[4:])


def test_crc32c() -> None:
    """The vectors of RFC 3720, B.4, and the usual one."""
    assert crc32c(b"123456789") == 0xE3069283
    assert crc32c(bytes(32)).to_bytes(4, "little").hex() == "aa36918a"
    assert crc32c(b"\xff" * 32).to_bytes(4, "little").hex() == "43aba862"
    assert crc32c(bytes(range(32))).to_bytes(4, "little").hex() == "4e79dd46"
