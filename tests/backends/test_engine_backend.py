"""The engine as a backend: what it is told is what it gives back, whoever told it."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address
from pathlib import Path as File

import pytest

from tests.backends.items import ITEMS, address, bring, dump, route, take_away
from vectorplane.backends.base import BackendError, CannotUpdate, Operation
from vectorplane.backends.engine.backend import EngineBackend
from vectorplane.backends.engine.engine import Engine
from vectorplane.backends.engine.pg import PgDevice
from vectorplane.backends.items import (
    Interface,
    InterfaceMac,
    InterfaceMtu,
    InterfaceUp,
    Ip4Enabled,
    Item,
    Neighbour,
    Path,
    Route,
    SubInterface,
    Table,
)

Rig = tuple[Engine, EngineBackend]


@pytest.fixture
def rig() -> Iterator[Rig]:
    engine = Engine()
    backend = EngineBackend(engine)
    yield engine, backend
    backend.close()
    engine.close()


def test_every_kind_comes_and_goes(rig: Rig) -> None:
    engine, backend = rig
    before = dump(backend)
    assert before == {}
    assert bring(backend) == []
    assert dump(backend) == {item.key: backend.canonical(item) for item in ITEMS}
    assert {type(item) for item in ITEMS} == set(backend.kinds())
    assert take_away(backend) == []
    assert dump(backend) == {}
    assert list(engine.interfaces.by_index) == [0]


def test_what_others_make_appears(rig: Rig) -> None:
    engine, backend = rig
    made = engine.interfaces.add("pg0", device=PgDevice())
    engine.interfaces.set_up(made.sw_if_index)
    engine.addresses.add(made.sw_if_index, "10.0.0.1/24")
    engine.neighbours.add(made.sw_if_index, "10.0.0.7", bytes.fromhex("020000000007"))
    engine.neighbours.add(made.sw_if_index, "10.0.0.8", bytes.fromhex("020000000008"), static=True)
    engine.routes.add("20.0.0.0/8", engine.routes.path("10.0.0.9", "pg0"))
    assert set(dump(backend).values()) == {
        Interface("pg0", "pg"),
        InterfaceUp("pg0"),
        address("pg0", "10.0.0.1/24"),
        Neighbour("pg0", IPv4Address("10.0.0.8"), "02:00:00:00:00:08"),
        route("20.0.0.0/8", Path("10.0.0.9", "pg0")),
    }


def test_told_what_would_be_so_anyway_is_kept(rig: Rig) -> None:
    engine, backend = rig
    bring(backend, (Interface("a", "null"), SubInterface("a", 5, 5)))
    usual = engine.interfaces["a"].mac.hex(":")
    told: tuple[Item, ...] = (InterfaceMac("a", usual), InterfaceMtu("a", 9000))
    assert bring(backend, told) == []
    assert set(told) <= set(dump(backend).values())
    backend.delete(Interface("a", "null"))  # with its sub-interface and all that was told
    assert dump(backend) == {}
    bring(backend, (Interface("a", "null"),))
    assert list(backend.dump(InterfaceMac)) == []


def test_updates(rig: Rig) -> None:
    engine, backend = rig
    assert bring(backend, (Interface("a", "pg"), Table(5), InterfaceMac("a", "02:00:00:00:00:01"))) == []
    old, new = route("20.0.0.0/8", Path(action="blackhole")), route("20.0.0.0/8", Path("1.2.3.4", "a", weight=2))
    bring(backend, (old,))
    backend.update(old, new)
    backend.update(InterfaceMac("a", "02:00:00:00:00:01"), InterfaceMac("a", "02:00:00:00:00:02"))
    backend.update(Table(5), Table(5, flow_hash=("src",)))
    assert list(backend.dump(Route)) == [new]
    assert engine.interfaces["a"].mac == bytes.fromhex("020000000002")
    assert list(backend.dump(Table)) == [Table(5, flow_hash=("src",))]
    with pytest.raises(CannotUpdate, match="table/ip4/5: it cannot be changed in place"):
        backend.update(Table(5), Table(5, name="other"))


@pytest.mark.parametrize(
    ("item", "text"),
    [
        (address("b", "10.0.0.1/24"), "create interface/b/address/10.0.0.1/24: there is no interface b"),
        (route("20.0.0.0/8", Path(table=7)), "create route/0/20.0.0.0/8: no table 7"),
        (route("20.0.0.0/8", Path("1.1.1.1"), table=7), "create route/7/20.0.0.0/8: no table 7"),
        (Interface("a", "pg"), "create interface/a: there is an interface of that name"),
        (Interface("b", "dpdk"), "create interface/b: interface b: a dpdk device needs pci or vdev"),
        (Interface("b", "pg", (("speed", 9),)), "create interface/b: a pg device has no speed; known: promiscuous"),
        (Interface("b", "sim", (("queues", 65),)), "create interface/b: interface b: simulated NIC: queues 65"),
        (Interface("b", "capture", (("rx", ("/missing.pcap",)),)), "create interface/b: /missing.pcap"),
        (SubInterface("a", 5, None), "create interface/a.5: interface a.5"),
        (InterfaceMac("a", "nonsense"), "create interface/a/mac: 'nonsense' is not a MAC address"),
    ],
)
def test_refusals_are_told_and_leave_nothing(rig: Rig, item: Item, text: str) -> None:
    _, backend = rig
    bring(backend, (Interface("a", "pg"),))
    before = dump(backend)
    with pytest.raises(BackendError) as raised:
        backend.create(item)
    assert str(raised.value).startswith(text)
    assert dump(backend) == before


def test_one_failure_stops_nothing(rig: Rig) -> None:
    _, backend = rig
    results = backend.apply(
        [
            Operation("create", Interface("a", "pg")),
            Operation("create", Ip4Enabled("b")),
            Operation("delete", InterfaceUp("b")),
            Operation("create", InterfaceUp("a")),
        ]
    )
    assert [r is None for r in results] == [True, False, False, True]
    assert set(dump(backend).values()) == {Interface("a", "pg"), InterfaceUp("a")}


def test_events_name_things(rig: Rig) -> None:
    engine, backend = rig
    seen: list[tuple[str, object]] = []
    backend.on_event = lambda kind, fields: seen.append((kind, tuple(fields.values())))
    bring(backend, (Interface("a", "pg"), InterfaceUp("a")))
    engine.neighbours.add(engine.interfaces["a"].sw_if_index, "10.0.0.7", bytes.fromhex("020000000007"))
    backend.delete(Interface("a", "pg"))
    assert ("interface", ("a", True, True, False)) in seen
    assert ("neighbour", ("a", "10.0.0.7", "02:00:00:00:00:07", False)) in seen
    assert ("interface", ("a", False, False, True)) in seen


def test_capture_device_from_its_options(rig: Rig, tmp_path: File) -> None:
    engine, backend = rig
    backend.create(Interface("a", "capture", (("tx", str(tmp_path / "a.pcap")),)))
    assert engine.interfaces["a"].device.kind == "capture"
    backend.delete(next(iter(backend.dump(Interface))))
    assert (tmp_path / "a.pcap").stat().st_size == 24  # a header: closed, and nothing was sent
