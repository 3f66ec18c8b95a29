"""Sub-interfaces: VPP's flags, who takes which frame after any number of them came and went, and what is refused."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.budget import examples
from tests.naive.ethernet_input import Sub
from tests.naive.ethernet_input import ethernet_input as naive
from vectorplane.backends.engine.engine import Engine
from vectorplane.backends.engine.pg import PgDevice
from vectorplane.backends.engine.sub_interfaces import (
    DEFAULT,
    DOT1AD,
    EXACT,
    INNER_ANY,
    INNER_ANY_FLAG,
    NO_TAGS,
    ONE_TAG,
    OUTER_ANY,
    TWO_TAGS,
    SubInterfaceExists,
    SubInterfaceRefused,
)

MAC = bytes.fromhex("02fe00000001")


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    """pg0 (1), up."""
    made = Engine(buffers=2048)
    made.interfaces.set_up(made.interfaces.add("pg0", device=PgDevice(), mac=MAC).sw_if_index)
    yield made
    made.close()


@pytest.fixture
def clean(engine: Engine) -> Iterator[Engine]:
    """Without sub-interfaces, before and after."""
    yield engine
    for sub in engine.interfaces.subs.of(1):
        engine.interfaces.remove(sub.sw_if_index)


VLANS = (5, 6)
KINDS = st.sampled_from([DEFAULT, ONE_TAG, ONE_TAG | EXACT, TWO_TAGS | EXACT, TWO_TAGS | INNER_ANY_FLAG])
STEPS = st.lists(st.tuples(st.booleans(), KINDS, st.booleans(), *[st.sampled_from(VLANS)] * 2), max_size=14)


def frames() -> list[bytes]:
    """Every combination of up to two tags, and one with three."""
    outer = [k.to_bytes(2, "big") + v.to_bytes(2, "big") for k in (0x8100, 0x88A8) for v in (*VLANS, 7)]
    inner = [b""] + [b"\x81\x00" + v.to_bytes(2, "big") for v in (*VLANS, 7)]
    return [MAC + bytes(6) + o + i + b"\x08\x00" + bytes(46) for o in outer for i in inner]


def seen(engine: Engine) -> list[int]:
    """Which sub-interface counted each frame (0: none)."""
    found = []
    for frame in frames():
        before = engine.plane.if_stats["rx"].total()[:, 0].copy()
        engine.pg.add("s", 1, [frame])
        engine.pg.enable()
        engine.run_until(engine.now + 1000)
        after = engine.plane.if_stats["rx"].total()[:, 0]
        found.append(next((i for i in engine.interfaces.by_index if i > 1 and after[i] != before[i]), 0))
    engine.pg.delete("s")
    return found


@examples(12)
@given(steps=STEPS)
def test_who_takes_a_frame(engine: Engine, steps: list[tuple[bool, int, bool, int, int]]) -> None:
    """Against the oracle, after sub-interfaces came and went in any order."""
    interfaces = engine.interfaces
    subs: dict[int, Sub] = {}
    for number, (go, flags, dot1ad, outer, inner) in enumerate(steps):
        if go and subs:
            index = sorted(subs)[(outer + inner) % len(subs)]
            interfaces.remove(index)
            del subs[index]
            continue
        flags |= DOT1AD if dot1ad and not flags & DEFAULT else 0
        tags: tuple[int, ...] = ()
        if flags & (ONE_TAG | TWO_TAGS):
            tags = (outer,) if flags & ONE_TAG else (outer, INNER_ANY if flags & INNER_ANY_FLAG else inner)
        kind = 0x88A8 if flags & DOT1AD else 0x8100
        taken = any(s.tags == tags and (not tags or s.outer_type == kind) for s in subs.values())
        try:
            made = interfaces.create_sub("pg0", number, flags, outer, inner)
        except SubInterfaceRefused:
            assert taken
            continue
        assert not taken
        interfaces.set_up(made.sw_if_index)
        subs[made.sw_if_index] = Sub(made.sw_if_index, tags, outer_type=kind, exact=bool(flags & EXACT))
        assert made.tags == tags and made.exact == bool(flags & EXACT)
    expected = [naive(f, 1, MAC, False, list(subs.values())) for f in frames()]
    try:
        assert seen(engine) == [0 if v.interface == 1 else v.interface for v in expected]
    finally:
        for index in subs:
            interfaces.remove(index)
    assert interfaces.subs.of(1) == []


def test_names_and_numbers(clean: Engine) -> None:
    made = clean.interfaces.create_sub(1, 100, ONE_TAG | EXACT, 9)
    assert (made.name, made.sub_id, made.tags, made.sup, made.mac) == ("pg0.100", 100, (9,), 1, MAC)
    with pytest.raises(SubInterfaceExists, match=r"pg0\.100 exists"):
        clean.interfaces.create_sub(1, 100, ONE_TAG | EXACT, 10)
    other = clean.interfaces.create_sub(made.sw_if_index, 4, ONE_TAG, 10)
    assert other.name == "pg0.4", "a sub-interface stands for its super-interface"


@pytest.mark.parametrize(
    ("flags", "outer", "inner", "why"),
    [
        (TWO_TAGS | EXACT | INNER_ANY_FLAG, 5, 0, "inner-dot1q any exact-match"),
        (TWO_TAGS | EXACT | OUTER_ANY, 5, 0, "inner-dot1q any exact-match"),
        (NO_TAGS, 0, 0, "already in use"),
        (0, 0, 0, "already in use"),
        (ONE_TAG | OUTER_ANY, 0, 0, "not implemented"),
        (TWO_TAGS | OUTER_ANY | INNER_ANY_FLAG, 0, 0, "not implemented"),
        (ONE_TAG, 4096, 0, "4096"),
        (TWO_TAGS, 5, 5000, "5000"),
    ],
)
def test_refused_as_by_vpp(clean: Engine, flags: int, outer: int, inner: int, why: str) -> None:
    before = dict(clean.plane.interfaces.names)
    with pytest.raises(SubInterfaceRefused, match=why):
        clean.interfaces.create_sub("pg0", 1, flags, outer, inner)
    assert clean.plane.interfaces.names == before
    with pytest.raises(SubInterfaceRefused, match="no Ethernet"):
        clean.interfaces.create_sub("local0", 1, ONE_TAG, 5)


def test_a_table_is_used_again(clean: Engine) -> None:
    """Interfaces that come and go do not use up the memory for VLAN tables."""
    addresses = set()
    for k in range(5):
        index = clean.interfaces.add(f"x{k}", device=PgDevice()).sw_if_index
        sub = clean.interfaces.create_sub(index, 1, ONE_TAG, 5).sw_if_index
        addresses.add(int(clean.interfaces.record(index)["vlans"]))
        clean.interfaces.remove(index)
        assert sub not in clean.interfaces.by_index
    assert len(addresses) == 1
