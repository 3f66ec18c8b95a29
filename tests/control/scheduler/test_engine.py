"""The scheduler over the real engine: every kind comes, changes, steps aside and goes; what is refused is undone."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address

import pytest

from tests.backends.items import ITEMS, address, dump, route
from vectorplane.backends.engine.backend import EngineBackend
from vectorplane.backends.engine.device import Device
from vectorplane.backends.engine.engine import Engine
from vectorplane.backends.items import (
    Interface,
    InterfaceMac,
    InterfaceMtu,
    InterfaceTable,
    InterfaceUp,
    Item,
    Neighbour,
    Path,
    SubInterface,
    Table,
    Unnumbered,
)
from vectorplane.control.apply import apply, make_engine
from vectorplane.control.config import parse_config
from vectorplane.control.config_error import ConfigError
from vectorplane.control.descriptors import DESCRIPTORS
from vectorplane.control.scheduler import Change, Scheduler
from vectorplane.control.yaml_source import change_of


class Rig:
    """An engine with a scheduler."""

    def __init__(self) -> None:
        self.engine = Engine()
        self.backend = EngineBackend(self.engine)
        self.scheduler = Scheduler(self.backend)

    def commit(self, *items: Item, whole: bool = True, atomic: bool = False) -> None:
        """Want these items, and nothing else; they must get there."""
        change = Change("test", whole, atomic)
        change.put_all(items)
        record = self.scheduler.commit(change)
        assert (record.outcome, record.failures, record.pending) == ("applied", [], []), record.lines()
        assert dump(self.backend) == {i.key: self.backend.canonical(i) for i in items}
        assert self.scheduler.verify() == self.scheduler.diff() == []
        assert not self.scheduler.plan()


@pytest.fixture
def rig() -> Iterator[Rig]:
    made = Rig()
    yield made
    made.backend.close()
    made.engine.close()


def test_every_kind_comes_in_any_order_and_goes(rig: Rig) -> None:
    assert {type(i) for i in ITEMS} == set(DESCRIPTORS)
    rig.commit(*reversed(ITEMS))
    record = rig.scheduler.resync()
    assert record.done == {} and record.outcome == "applied"
    rig.commit()
    assert list(rig.engine.interfaces.by_index) == [0]


BASE: tuple[Item, ...] = (
    Table(5),
    Table(6),
    Interface("a", "null"),
    Interface("b", "pg"),
    Interface("c", "null"),
    SubInterface("a", 5, 5),
    InterfaceUp("a"),
    InterfaceUp("a.5"),
    address("a", "10.0.0.1/24"),
    address("a.5", "10.5.0.1/24"),
    InterfaceMtu("a", 1500),
    InterfaceMac("a", "02:00:00:00:00:09"),
    Unnumbered("b", "a"),
    Neighbour("a", IPv4Address("10.0.0.2"), "02:00:00:00:00:02"),
    route("10.8.0.0/16", Path("10.0.0.2", "a")),
    route("10.9.0.0/16", Path(interface="b"), table=5),
)


@pytest.mark.parametrize(
    "other",
    [
        Table(5, name="red"),
        Table(5, flow_hash=("src",)),
        Interface("a", "pg"),
        Interface("a", "null", (("promiscuous", True),)),
        Interface("b", "loopback"),
        SubInterface("a", 5, 55),
        InterfaceMtu("a", 1400),
        InterfaceMac("a", "02:00:00:00:00:0a"),
        Unnumbered("b", "a.5"),
        Neighbour("a", IPv4Address("10.0.0.2"), "02:00:00:00:00:03"),
        route("10.8.0.0/16", Path("10.0.0.2", "a", weight=2), Path("10.5.0.2", "a.5")),
        route("10.9.0.0/16", Path(table=6), table=5),
        InterfaceTable("c", 6),
    ],
    ids=lambda item: item.key,
)
def test_changes(rig: Rig, other: Item) -> None:
    rig.commit(*BASE)
    changed = {i.key: i for i in (*BASE, other)}
    rig.commit(*changed.values())
    rig.commit(*BASE)


def test_addresses_move_to_another_table_and_back(rig: Rig) -> None:
    rig.commit(*BASE)
    moved = [*BASE, InterfaceTable("a", 5), InterfaceTable("b", 5)]
    rig.commit(*moved)
    rig.commit(*(InterfaceTable(i.interface, 6) if isinstance(i, InterfaceTable) else i for i in moved))
    rig.commit(*BASE)


def test_an_address_changes_hands(rig: Rig) -> None:
    rig.commit(Interface("a", "null"), Interface("b", "null"), address("a", "10.0.0.1/24"))
    rig.commit(Interface("a", "null"), Interface("b", "null"), address("b", "10.0.0.1/25"))


def test_what_is_refused_is_undone(rig: Rig) -> None:
    rig.commit(*BASE)
    before = dump(rig.backend)
    change = Change("test", atomic=True)
    change.put_all([Interface("b", "null"), Interface("d", "null"), address("d", "10.0.0.77/24"), Table(5, name="x")])
    record = rig.scheduler.commit(change)
    assert record.outcome == "reverted" and "conflicts with" in record.reason
    assert dump(rig.backend) == before and rig.scheduler.verify() == []
    rig.commit(*BASE)


def test_others_items_stay(rig: Rig) -> None:
    rig.commit(*BASE)
    made = rig.engine.interfaces.add("theirs", device=Device())
    rig.engine.addresses.add(made.sw_if_index, "10.77.0.1/24")
    assert {str(d) for d in rig.scheduler.refresh()} == {
        "  interface theirs null",
        "  interface theirs address 10.77.0.1/24",
    }
    change = Change("test", whole=True)
    change.put(route("10.6.0.0/16", Path("10.77.0.2", "theirs")))
    assert rig.scheduler.commit(change).pending == []
    assert rig.scheduler.state("interface/theirs").state == "obtained"
    rig.scheduler.resync()
    assert dump(rig.backend).keys() == {
        "interface/theirs",
        "interface/theirs/address/10.77.0.1/24",
        "route/0/10.6.0.0/16",
    }


TEXT = """
interfaces:
  in: {addresses: [10.1.0.1/24, "2001:db8::1/64"], sub_interfaces: {5: {unnumbered: lo}}}
  lo: {device: loopback, addresses: 192.168.0.1/32}
  vrf: {device: pg, table: 7, addresses: 10.1.0.1/24, proxy_arp: true, mtu: 1400}
  bare: {device: "null", ip4: true, up: false}
tables: {7: {name: red}}
neighbours: [{interface: in, ip: 10.1.0.2, mac: 02:00:00:00:00:02}]
proxy_arp: [{low: 10.7.0.1, high: 10.7.0.9, table: 7}]
routes:
  - {prefix: 0.0.0.0/0, via: 10.1.0.2, interface: in}
  - {prefix: 10.8.0.0/16, table: 7, action: prohibit}
  - {prefix: "2001:db8:1::/48", via: "2001:db8::2", interface: in}
"""


def test_a_configuration_is_what_is_there(rig: Rig) -> None:
    change = change_of(parse_config(TEXT, "f"), "f")
    rig.commit(*(w.item for w in change.puts.values()))


def test_a_route_through_a_missing_interface_waits(rig: Rig) -> None:
    text = "interfaces: {in: {}}\nroutes:\n- {prefix: 10.0.0.0/8, via: 10.1.0.2, interface: out}\n"
    record = rig.scheduler.commit(change_of(parse_config(text, "f"), "f"))
    assert [f"{p.origin}: {p.reason}" for p in record.pending] == ["f:3: routes[0]: there is no interface out"]
    text = text.replace("in: {}", "in: {}, out: {}")
    record = rig.scheduler.commit(change_of(parse_config(text, "f"), "f"))
    assert record.pending == [] and "route/0/10.0.0.0/8" in dump(rig.backend)


def test_what_the_engine_refuses_is_named_with_its_line() -> None:
    neighbours = "\n".join(f"- {{interface: a, ip: 10.1.0.{i}, mac: 02:00:00:00:00:02}}" for i in range(2, 6))
    config = parse_config(f"interfaces: {{a: {{device: pg}}}}\nneighbours:\n{neighbours}\n", "f")
    engine = make_engine(config)
    engine.neighbours.configure(limit=2)
    with pytest.raises(ConfigError) as e:
        apply(config, engine, lambda name, interface: Device(), "f")
    assert e.value.lines() == [
        "f:5: neighbours[2]: more than 2 neighbours",
        "f:6: neighbours[3]: more than 2 neighbours",
    ]
    assert list(engine.interfaces.by_index) == [0] and engine.neighbours.dump() == []  # nothing of it was done
    engine.close()


def test_mistakes_of_the_program_keep_their_traceback() -> None:
    config = parse_config("interfaces: {a: {}}", "f")
    engine = make_engine(config)

    def broken(name: str, interface: object) -> Device:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        apply(config, engine, broken)
    engine.close()
