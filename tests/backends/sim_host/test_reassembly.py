"""Fragments in any order, with repetitions and overlaps, against a plain buffer."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vectorplane.backends.engine.sim_host.dropped import Dropped
from vectorplane.backends.engine.sim_host.ip4 import build, fragments
from vectorplane.backends.engine.sim_host.reassembly import LIFETIME, MOST, Reassembly

KEY = (b"aaaa", b"bbbb", 17, 1)


def add(r: Reassembly, piece: bytes, now: int = 0, ident: int = 1) -> bytes | None:
    field = int.from_bytes(piece[6:8], "big")
    return r.add(now, (*KEY[:3], ident), (field & 0x1FFF) * 8, bool(field & 0x2000), piece[20:])


@given(st.data())
def test_any_order(data: st.DataObject) -> None:
    """A piece that is there already changes nothing, and the datagram is whole when the last missing one has come."""
    payload = bytes(i * 7 & 0xFF for i in range(data.draw(st.integers(1, 3000))))
    pieces = fragments(build(b"aaaa", b"bbbb", 17, payload, ident=1), data.draw(st.integers(60, 1500)))
    order = data.draw(st.permutations(range(len(pieces))))
    again = data.draw(st.lists(st.sampled_from(range(len(pieces))), max_size=3))
    r, seen = Reassembly(), set[int]()
    for number in [n for i, n in enumerate(order) for n in ([n] + ([m for m in again if m in seen] if i == 1 else []))]:
        if number in seen:
            with pytest.raises(Dropped, match="duplicate"):
                add(r, pieces[number])
            continue
        seen.add(number)
        assert add(r, pieces[number]) == (payload if len(seen) == len(pieces) else None)
    assert len(r) == r.given_up == 0


@given(st.lists(st.tuples(st.integers(0, 12), st.booleans(), st.integers(0, 6)), max_size=12))
def test_never_a_wrong_datagram(pieces: list[tuple[int, bool, int]]) -> None:
    """Whatever comes: what is given is of accepted pieces that lie side by side, and ends with the last."""
    r = Reassembly()
    accepted: dict[int, bytes] = {}
    for number, (offset, more, words) in enumerate(pieces):
        data = bytes([number]) * (8 * words)
        try:
            whole = r.add(0, KEY, 8 * offset, more, data)
        except Dropped as verdict:
            if verdict.reason == "overlapping fragments":
                accepted.clear()
                assert len(r) == 0
            continue
        accepted[8 * offset] = data
        if whole is not None:
            joined = b"".join(d for _, d in sorted(accepted.items()))
            assert (whole == joined and not more) or whole == joined
            assert sum(map(len, accepted.values())) == max(o + len(d) for o, d in accepted.items())
            accepted.clear()


def test_bounds() -> None:
    first, second = fragments(build(b"aaaa", b"bbbb", 17, bytes(100), ident=1), 80)
    r = Reassembly()
    for ident in range(MOST + 5):
        add(r, first, ident=ident)
    assert (len(r), r.given_up) == (MOST, 5)
    assert add(r, second, now=LIFETIME, ident=MOST) == bytes(100)
    assert add(r, second, now=LIFETIME + 1, ident=MOST + 1) is None  # its first piece is forgotten
    assert len(r) == 1
    for offset, more, size in ((0, True, 0), (0, True, 7), (65528, False, 8)):
        with pytest.raises(Dropped, match="malformed"):
            r.add(0, KEY, offset, more, bytes(size))
