"""Changes of NAT44 through both backends: what goes on working, and what follows interfaces without addresses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address
from types import SimpleNamespace
from typing import Any

import pytest

from tests.backends.items import dump
from tests.backends.vpp.served import serving
from tests.control.vppapi.client import Served
from vectorplane.backends.base import Backend
from vectorplane.backends.engine.backend import EngineBackend
from vectorplane.backends.engine.engine import Engine
from vectorplane.backends.items import NatIdentity, NatService
from vectorplane.backends.vpp.backend import VppBackend
from vectorplane.backends.vpp.kinds import nat44, nat44_mappings
from vectorplane.backends.vpp.kinds.nat44_mappings import NatIdentities
from vectorplane.control.apply import bring
from vectorplane.control.config import parse_config
from vectorplane.control.config_error import ConfigError
from vectorplane.control.scheduler import Change, Scheduler
from vectorplane.control.yaml_source import SOURCE

PATIENCE = 120.0
INTERFACES = """
interfaces:
  wan: {device: pg, addresses: 203.0.113.7/24, nat: outside}
  lan: {device: pg, addresses: 10.0.0.1/8, nat: inside}
  w1: {device: pg}
  w2: {device: pg}
"""
REMADE = {"delete nat44-service": 1, "create nat44-service": 1}
LIVE = {"update nat44-service": 1}


def service(*weights: int) -> str:
    """One with backends 10.0.0.1, 10.0.0.2, ... of these weights; 0: without that one."""
    backends = [f"{{address: 10.0.0.{i}, weight: {w}}}" for i, w in enumerate(weights, 1) if w]
    what = f"external: 203.0.113.9, proto: tcp, port: 80, backends: [{', '.join(backends)}]"
    return f"{INTERFACES}nat44: {{addresses: 203.0.113.9, services: [{{{what}}}]}}"


def static(*mappings: str) -> str:
    return f"{INTERFACES}nat44: {{static: [{', '.join(f'{{{m}}}' for m in mappings)}]}}"


@dataclass
class Controlled:
    """A scheduler over a backend, and the engine that is under it."""

    backend: Backend
    engine: Engine

    def __post_init__(self) -> None:
        self.scheduler = Scheduler(self.backend)
        self.scheduler.resync()

    def apply(self, text: str) -> dict[str, int]:
        """What was done to NAT; all of it must have gone well, and be read back as it was wanted."""
        record = bring(parse_config(text), self.scheduler)
        assert record.outcome == "applied" and not record.pending
        assert self.scheduler.diff() == []
        return {what: count for what, count in record.done.items() if "nat44" in what}

    def shares(self) -> list[tuple[str, int]]:
        """Those of the one service."""
        (mapping,) = self.engine.nat44.mappings
        return [(str(IPv4Address(one.address)), one.probability) for one in mapping.locals]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("vpp")) as it:
        yield it


def _vpp(served: Served) -> VppBackend:
    return VppBackend(str(served.server.path), str(served.api_dir), timeout=PATIENCE)


@pytest.fixture(params=["engine", "vpp"])
def controlled(request: pytest.FixtureRequest, served: Served) -> Iterator[Controlled]:
    if request.param == "engine":
        engine = Engine()
        yield Controlled(EngineBackend(engine), engine)
        engine.close()
        return
    backend = _vpp(served)
    it = Controlled(backend, served.engine)
    yield it
    assert it.scheduler.commit(Change(SOURCE, whole=True)).outcome == "applied"
    assert dump(backend) == {}
    backend.close()


def test_backends_come_and_go(controlled: Controlled) -> None:
    controlled.apply(service(1, 1))
    assert controlled.apply(service(1, 1, 1)) == LIVE
    assert controlled.apply(service(0, 1, 1)) == LIVE
    assert controlled.apply(service(0, 0, 1, 1)) == LIVE  # the new one comes before the old one goes
    assert sorted(controlled.shares()) == [("10.0.0.3", 1), ("10.0.0.4", 1)]
    assert controlled.apply(service(1, 1)) == REMADE  # none stays


def test_other_shares(controlled: Controlled) -> None:
    controlled.apply(service(1, 1, 1))
    assert controlled.apply(service(2, 3, 4)) == LIVE
    assert sorted(controlled.shares()) == [("10.0.0.1", 2), ("10.0.0.2", 3), ("10.0.0.3", 4)]
    controlled.apply(service(1, 1))
    # over VPP's API one has to go and come back, and of two none may go
    assert controlled.apply(service(5, 6)) == (LIVE if isinstance(controlled.backend, EngineBackend) else REMADE)
    assert sorted(controlled.shares()) == [("10.0.0.1", 5), ("10.0.0.2", 6)]


def test_one_backend_is_a_static_mapping(controlled: Controlled) -> None:
    """The two are different items of one external address: the one goes before the other comes."""
    controlled.apply(service(1))
    assert controlled.apply(service(1, 1, 1)) == {"delete nat44-static": 1, "create nat44-service": 1}
    assert controlled.apply(service(0, 1)) == {"delete nat44-service": 1, "create nat44-static": 1}


def test_what_vpp_does_not_tell(controlled: Controlled) -> None:
    """Another affinity, another address for twice-NAT: they come although no dump shows them."""

    def affinity() -> int:
        (mapping,) = controlled.engine.nat44.mappings
        return mapping.affinity

    for seconds in (0, 60, 90, 0):
        controlled.apply(service(1, 1).replace("backends", f"affinity: {seconds}, backends"))
        assert affinity() == seconds
    twice = static("local: 10.0.0.1, external: 203.0.113.9, proto: tcp, port: 80, twice: twice-nat")
    pool = twice.replace("nat44: {", "nat44: {twice_nat_addresses: 192.0.2.1, ")
    for text, address in ((pool, 0), (pool.replace("twice-nat}", "twice-nat, twice_address: 192.0.2.1}"), 0xC0000201)):
        controlled.apply(text)
        (mapping,) = controlled.engine.nat44.mappings
        assert mapping.pool_address == address


UNRESOLVED = (
    static(*(f"local: 10.0.0.{i}, interface: w{i}, proto: tcp, port: 80" for i in (1, 2))),
    static("local: 10.0.0.1, interface: w1, proto: tcp, port: 80, out2in_only: true"),
    static("local: 10.0.0.1, interface: w1, proto: tcp, port: 80, twice: self-twice-nat"),
    static("local: 10.0.0.1, interface: w1", "local: 10.0.0.2, interface: w2"),
    f"{INTERFACES}nat44: {{identity: [{{interface: w1}}, {{interface: w2}}]}}",
    f"{INTERFACES}nat44: {{identity: [{{interface: w1, proto: tcp, port: 5}},"
    " {interface: w2, proto: udp, port: 5}]}",
)


@pytest.mark.parametrize("text", UNRESOLVED)
def test_interfaces_without_addresses(controlled: Controlled, text: str) -> None:
    """What follows them is read back as it is, before and after they have one, and each once."""
    controlled.apply(text)
    assert list(controlled.engine.nat44.mappings) == []
    assert controlled.apply(text.replace("w1: {device: pg}", "w1: {device: pg, addresses: 198.51.100.1/24}")) == {}
    assert len(list(controlled.engine.nat44.mappings)) == 1
    assert controlled.apply(text) == {}


def test_a_controller_that_starts_again(served: Served) -> None:
    """It finds what it wants; the modes that VPP does not tell before an interface has an address it brings again."""
    plain, only = UNRESOLVED[:2]
    for text, expected in ((plain, {}), (only, {"delete nat44-static": 1, "create nat44-static": 1})):
        first = Controlled(_vpp(served), served.engine)
        first.apply(text)
        first.backend.close()
        again = Controlled(_vpp(served), served.engine)
        assert again.apply(text) == expected
        again.scheduler.commit(Change(SOURCE, whole=True))
        assert dump(again.backend) == {}
        again.backend.close()


@pytest.mark.parametrize(("tag", "remembered"), [("web/shop", True), ("", True), ("n" * 60, False)])
def test_an_affinity_outlives_the_controller(served: Served, tag: str, remembered: bool) -> None:
    """VPP does not tell it, but the tag that we read does, if there is room: connections go on."""
    sticky = service(1, 1).replace("backends", f"affinity: 10800, tag: '{tag}', backends")
    first = Controlled(_vpp(served), served.engine)
    first.apply(sticky)
    held = dump(first.backend)
    (mine,) = (item for item in held.values() if isinstance(item, NatService))
    assert (mine.tag, mine.affinity) == (tag, 10800 if remembered else 0)
    first.backend.close()
    again = Controlled(_vpp(served), served.engine)
    assert dump(again.backend) == held
    assert again.apply(sticky) == {}
    (mapping,) = served.engine.nat44.mappings
    assert mapping.affinity == 10800
    assert again.apply(sticky.replace("10800", "90")) == REMADE
    again.scheduler.commit(Change(SOURCE, whole=True))
    again.backend.close()


def test_more_weight_than_a_vpp_can_add_up(served: Served) -> None:
    """It counts in 8 bits: a service that is too heavy is refused, and one that would be for a moment is made anew."""
    controlled = Controlled(_vpp(served), served.engine)
    controlled.apply(service(100, 100, 55))
    assert controlled.apply(service(100, 0, 55, 100)) == REMADE
    with pytest.raises(ConfigError, match="the weights of its 2 backends add up to 256, and a VPP holds 255"):
        bring(parse_config(service(200, 56)), controlled.scheduler)
    controlled.scheduler.commit(Change(SOURCE, whole=True))
    controlled.backend.close()


def test_ports_of_several_protocols(controlled: Controlled) -> None:
    both = "{interface: wan, proto: tcp, port: 53}, {interface: wan, proto: udp, port: 53, tag: dns}"
    controlled.apply(f"{INTERFACES}nat44: {{identity: [{both}]}}")
    one = both.split(", {")[1]
    assert controlled.apply(f"{INTERFACES}nat44: {{identity: [{{{one}]}}") == {"delete nat44-identity": 1}


ADDR_ONLY, NONE = nat44.ADDR_ONLY, nat44.NONE


def _told(interface: int, protocol: int, *, address: str = "0.0.0.0", port: int = 53, vrf: int = 0) -> SimpleNamespace:
    return SimpleNamespace(
        flags=0 if port else ADDR_ONLY,
        ip_address=IPv4Address(address).packed,
        protocol=protocol,
        port=port,
        sw_if_index=interface,
        vrf_id=vrf,
        tag="",
    )


WAN, W1 = NatIdentity(None, "wan", 6, 53), NatIdentity(None, "w1", 6, 53)
OWN = NatIdentity(IPv4Address("203.0.113.7"), "", 17, 53)


@pytest.mark.parametrize(
    ("details", "expected"),
    [
        ([_told(2, 6)], [W1]),  # its protocol is told although it has no address
        ([_told(NONE, 6, address="203.0.113.7"), _told(1, 6)], [WAN]),
        ([_told(NONE, 6, address="203.0.113.7"), _told(1, 0)], [WAN]),  # not told: that of the mapping that holds
        ([_told(NONE, 17, address="203.0.113.7"), _told(NONE, 6, address="203.0.113.7"), _told(1, 6)], [WAN, OWN]),
        ([_told(NONE, 0, address="203.0.113.7", port=0), _told(1, 6)], [WAN, NatIdentity(OWN.address)]),
    ],
)
def test_what_vpp_tells_of_identity_mappings(
    monkeypatch: pytest.MonkeyPatch, details: list[Any], expected: list[NatIdentity]
) -> None:
    names = {1: "wan", 2: "w1"}
    connection = SimpleNamespace(
        send=lambda name: name,
        finish=lambda request: SimpleNamespace(inside_vrf=0),
        details=lambda name: iter(details),
    )
    interfaces = SimpleNamespace(refresh=lambda: None, name=names.get)
    firsts = {1: IPv4Address("203.0.113.7")}
    monkeypatch.setattr(nat44_mappings, "first_address", lambda kind, index: firsts.get(index))
    kind = NatIdentities(SimpleNamespace(connection=connection, interfaces=interfaces))  # type: ignore[arg-type]
    assert list(kind.dump()) == expected
