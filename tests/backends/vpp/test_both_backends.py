"""The same items through both backends: the engine, and (our own server behind a real socket) a VPP."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path as File

import pytest

from tests.backends.items import ITEMS, address, bring, dump, route, take_away
from tests.backends.tap.namespaces import namespaces, needs_root, sh
from tests.backends.vpp.served import serving
from tests.control.vppapi.client import Served
from tests.replaying import CONFIGURATIONS, EXAMPLES, LAN, replayed, shared
from vectorplane.backends.base import BackendError, CannotUpdate
from vectorplane.backends.engine.backend import EngineBackend
from vectorplane.backends.engine.engine import Engine
from vectorplane.backends.items import (
    Interface,
    InterfaceMac,
    InterfaceUp,
    Item,
    Path,
    Route,
    SubInterface,
    Table,
)
from vectorplane.backends.vpp.backend import VppBackend
from vectorplane.backends.vpp.kinds.interface import InterfacesKind
from vectorplane.backends.vpp.replay import NO_TIMES, replay
from vectorplane.control.apply import bring as bring_config
from vectorplane.control.config import load_config, parse_config
from vectorplane.control.default_router import default_router
from vectorplane.control.scheduler import Change, Scheduler
from vectorplane.control.yaml_source import SOURCE, change_of
from vectorplane.pcap.frames import frames

PATIENCE = 120.0
"""Seconds: a server in the test's process compiles kernels when they are first needed."""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("vpp")) as it:
        yield it


@pytest.fixture
def vpp(served: Served) -> Iterator[VppBackend]:
    backend = VppBackend(str(served.server.path), str(served.api_dir), timeout=PATIENCE)
    assert dump(backend) == {}, "the test before left something"
    yield backend
    backend.close()


@pytest.mark.parametrize("definitions", ["ours", "theirs"])
def test_the_same_dump(served: Served, definitions: str) -> None:
    folder = str(served.api_dir) if definitions == "ours" else str(shared("vpp-api-json"))
    engine = Engine()
    one, two = EngineBackend(engine), VppBackend(str(served.server.path), folder, timeout=PATIENCE)
    assert two.compatibility.notes == [] and one.kinds() == two.kinds()
    assert bring(one) == bring(two) == []
    assert dump(one) == {item.key: item for item in ITEMS}
    assert dump(two) == {item.key: two.canonical(item) for item in ITEMS}
    again = VppBackend(str(served.server.path), folder)  # a controller that was restarted finds all by the tags
    assert dump(again) == dump(two)
    again.close()
    assert take_away(two) == []
    assert dump(two) == {}
    two.close()
    one.close()
    engine.close()


def test_the_same_output_for_a_capture(vpp: VppBackend, tmp_path: File) -> None:
    scheduler = Scheduler(vpp)
    scheduler.resync()
    record = bring_config(default_router(), scheduler)
    assert record.outcome == "applied" and not record.pending and scheduler.diff() == []
    files = {"in": tmp_path / "vpp-in.pcap", "out": tmp_path / "vpp-out.pcap"}
    made = replay(vpp, {"in": [str(LAN)]}, files, limit=500)
    assert scheduler.commit(Change(SOURCE, whole=True)).outcome == "applied"
    assert dump(vpp) == {}
    engine_report = replayed([str(LAN)], out=tmp_path)
    through_vpp = [f.data for f in frames(files["out"])]
    assert through_vpp == [f.data for f in frames(tmp_path / "out.pcap")][: len(through_vpp)]
    assert (made.packets_in, made.packets_out, made.missing) == (500, len(through_vpp), 0)
    assert len(through_vpp) > 450 and list(frames(files["in"])) == []
    known = {*engine_report.drops, "ip4-icmp-error: error message dropped"}
    assert all(any(d.startswith(reason) for d in known) for reason in made.drops)  # the CLI cuts long texts off
    assert NO_TIMES in made.warnings and {row["name"] for row in made.nodes} >= {"pg-input", "ip4-lookup"}
    assert {"name": "in", "rx_packets": 500}.items() <= made.interfaces[0].items()


@needs_root
def test_taps_are_held_whole(vpp: VppBackend) -> None:
    """The example with taps, in namespaces that are there: on the VPP, then removed."""
    with namespaces("i", "o") as (inner, outer):
        text = (EXAMPLES / "taps.yaml").read_text()
        text = text.replace("namespace: inside", f"namespace: {inner}").replace(
            "namespace: outside", f"namespace: {outer}"
        )
        scheduler = Scheduler(vpp)
        scheduler.resync()
        record = bring_config(parse_config(text.encode(), "taps.yaml", "."), scheduler)
        assert record.outcome == "applied" and not record.pending and scheduler.diff() == []
        scheduler.resync()
        assert scheduler.diff() == []
        assert "10.77.2.2/24" in sh("ip", "-n", outer, "addr", "show", "eth0")
        assert scheduler.commit(Change(SOURCE, whole=True)).outcome == "applied"
        assert dump(vpp) == {} and "eth0" not in sh("ip", "-n", outer, "link")


def test_memifs_are_held_whole(served: Served, vpp: VppBackend, tmp_path: File) -> None:
    """Two at one socket, one at another, on the VPP; their sockets' numbers come and go with them."""
    text = f"""
interfaces:
  a: {{device: {{type: memif, socket: {tmp_path}/one.sock, id: 0, secret: abc, rx_queues: 2}}}}
  b: {{device: {{type: memif, socket: {tmp_path}/one.sock, id: 1, ring_size: 512}}, addresses: [10.1.0.1/24]}}
  c: {{device: {{type: memif, socket: {tmp_path}/two.sock, role: client, buffer_size: 4096}}}}
"""
    api = served.client.api
    sockets = len(api.memif_socket_filename_dump())
    scheduler = Scheduler(vpp)
    scheduler.resync()
    record = bring_config(parse_config(text.encode(), "memifs.yaml", "."), scheduler)
    assert record.outcome == "applied" and not record.pending and scheduler.diff() == []
    scheduler.resync()
    assert scheduler.diff() == []
    assert len(api.memif_socket_filename_dump()) == sockets + 2 and len(api.memif_dump()) == 3
    fewer = "\n".join(line for line in text.splitlines() if not line.startswith("  a:"))
    assert bring_config(parse_config(fewer.encode(), "memifs.yaml", "."), scheduler).outcome == "applied"
    assert len(api.memif_socket_filename_dump()) == sockets + 2 and scheduler.diff() == []
    assert scheduler.commit(Change(SOURCE, whole=True)).outcome == "applied"
    assert dump(vpp) == {} and len(api.memif_socket_filename_dump()) == sockets


@needs_root
def test_a_tap_without_its_namespace_is_tried_again(vpp: VppBackend) -> None:
    """On our engine and on the VPP: the item has failed, and its addresses wait for it."""
    config = load_config(EXAMPLES / "taps.yaml")
    engine = Engine(clock="real")
    for backend in (EngineBackend(engine), vpp):
        scheduler = Scheduler(backend)
        scheduler.resync()
        record = scheduler.commit(change_of(config, "taps.yaml"))
        assert [step.key for step, _ in record.failures] == ["interface/inner", "interface/outer"]
        assert record.outcome == "incomplete" and record.pending and scheduler.next_retry() is not None
        scheduler.commit(Change(SOURCE, whole=True))
    engine.close()


@needs_root
def test_host_interfaces_are_held_whole(vpp: VppBackend) -> None:
    """The example with veth pairs, under names of its own: on the VPP, then removed; waited for where there is none."""
    with namespaces("one", "two") as hosts:
        text = (EXAMPLES / "af-packet.yaml").read_text()
        names = [f"v{os.getpid()}{n}" for n in (1, 2)]
        text = text.replace("host-v1:", f"host-{names[0]}:").replace("host: v2", f"host: {names[1]}")
        config = parse_config(text.encode(), "af-packet.yaml", ".")
        scheduler = Scheduler(vpp)
        scheduler.resync()
        record = scheduler.commit(change_of(config, "af-packet.yaml"))
        assert [step.key for step, _ in record.failures] == [f"interface/host-{names[0]}", "interface/west"]
        assert record.outcome == "incomplete" and scheduler.next_retry() is not None
        scheduler.commit(Change(SOURCE, whole=True))
        for name, host in zip(names, hosts, strict=True):
            sh("ip", "link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", host)
        record = bring_config(config, scheduler)
        assert record.outcome == "applied" and not record.pending and scheduler.diff() == []
        scheduler.resync()
        assert scheduler.diff() == []
        assert dump(vpp)["interface/west"] == Interface("west", "af_packet", (("host_name", names[1]),))
        assert scheduler.commit(Change(SOURCE, whole=True)).outcome == "applied"
        assert dump(vpp) == {} and names[0] in sh("ip", "link")


@needs_root
def test_a_namespace_is_more_than_a_vpp_can_be_told(vpp: VppBackend) -> None:
    """Of a host-interface: said before anything is sent."""
    item = Interface("one", "af_packet", (("host_name", "eth0"), ("host_namespace", "lab")))
    with pytest.raises(BackendError, match="namespace that it runs in only"):
        vpp.canonical(item)


WITHOUT_HOSTS = [f for f in CONFIGURATIONS if f.stem not in ("taps", "af-packet")]


@pytest.mark.parametrize("file", WITHOUT_HOSTS, ids=lambda f: f.stem)
def test_every_example_is_held_whole(vpp: VppBackend, file: File) -> None:
    """By both backends, and as the same dump."""
    config = load_config(file)
    engine = Engine()
    dumps = []
    for backend in (EngineBackend(engine), vpp):
        scheduler = Scheduler(backend)
        scheduler.resync()
        record = bring_config(config, scheduler)
        assert record.outcome == "applied" and not record.pending and scheduler.diff() == []
        dumps.append({key: backend.canonical(item) for key, item in dump(backend).items()})
    sim, real = dumps
    assert real == {key: vpp.canonical(item) for key, item in sim.items()}
    assert scheduler.commit(Change(SOURCE, whole=True)).outcome == "applied"
    assert dump(vpp) == {}
    engine.close()


def test_replay_needs_pg_interfaces(vpp: VppBackend) -> None:
    bring(vpp, (Interface("lo", "loopback"),))
    with pytest.raises(BackendError, match="interface lo: packets go only into pg interfaces, this one is loop0"):
        replay(vpp, {"lo": [str(LAN)]}, {})
    take_away(vpp, (Interface("lo", "loopback"),))


def test_what_others_make_appears_under_vpps_names(served: Served, vpp: VppBackend) -> None:
    api = served.client.api
    index = api.create_loopback(mac_address="02:00:00:00:00:05").sw_if_index
    sub = api.create_vlan_subif(sw_if_index=index, vlan_id=9).sw_if_index
    api.sw_interface_set_flags(sw_if_index=index, flags=1)
    assert set(dump(vpp).values()) == {
        Interface("loop0", "loopback"),
        SubInterface("loop0", 9, 9),
        InterfaceUp("loop0"),
    }
    mine = address("loop0.9", "10.9.0.1/24")
    assert bring(vpp, (mine,)) == []  # and can be used
    assert [a.prefix for a in api.ip_address_dump(sw_if_index=sub, is_ipv6=False)] == [mine.address]
    assert api.delete_loopback(sw_if_index=index).retval == 0
    assert dump(vpp) == {}


@pytest.mark.parametrize(
    ("item", "text"),
    [
        (address("no", "10.0.0.1/24"), "create interface/no/address/10.0.0.1/24: VPP has no interface no"),
        (
            route("20.0.0.0/8", Path(table=7)),
            "create route/0/20.0.0.0/8: VPP refused ip_route_add_del: NO_SUCH_FIB (-3)",
        ),
        (Interface("wan", "dpdk"), "create interface/wan: VPP has no interface wan: cards are named in VPP's start-up"),
        (Interface("x" * 63, "sim"), f"create interface/{'x' * 63}: interface {'x' * 63}: VPP has room for 63"),
        (Interface("a", "tun"), "create interface/a: there is no device tun; known: "),
        (route("20.0.0.0/8", Path(action="punt")), "create route/0/20.0.0.0/8: VPP's API knows no paths of kind punt"),
    ],
)
def test_refusals_are_told(vpp: VppBackend, item: Item, text: str) -> None:
    with pytest.raises(BackendError) as raised:
        vpp.create(item)
    assert str(raised.value).startswith(text)


def test_one_failure_stops_nothing(vpp: VppBackend) -> None:
    routes = [route(f"20.{i}.0.0/16", Path("10.0.0.2", "a" if i % 7 else "missing")) for i in range(60)]
    assert bring(vpp, (Interface("a", "pg"), address("a", "10.0.0.1/24"))) == []
    refused = bring(vpp, tuple(routes))
    assert len(refused) == 9 and refused[0] == "create route/0/20.0.0.0/16: VPP has no interface missing"
    assert set(vpp.dump(Route)) == {r for i, r in enumerate(routes) if i % 7}
    # VPP takes the removal of a route that is not there without a word
    assert take_away(vpp, (Interface("a", "pg"), *routes)) == []


def test_updates(vpp: VppBackend) -> None:
    mac = InterfaceMac("a", "02:00:00:00:00:01")
    old, new = route("20.0.0.0/8", Path(action="blackhole")), route("20.0.0.0/8", Path("1.2.3.4", "a", weight=2))
    assert bring(vpp, (Interface("a", "pg"), Table(5), mac, old)) == []
    vpp.update(old, new)
    vpp.update(mac, InterfaceMac("a", "02:00:00:00:00:02"))
    vpp.update(Table(5), Table(5, flow_hash=("src",)))
    assert set(dump(vpp).values()) == {
        Interface("a", "pg"),
        InterfaceMac("a", "02:00:00:00:00:02"),
        Table(5, flow_hash=("src",)),
        new,
    }
    with pytest.raises(CannotUpdate):
        vpp.update(Table(5, flow_hash=("src",)), Table(5, name="other"))
    take_away(vpp, (Interface("a", "pg"), Table(5), new))


def test_canonical_leaves_out_what_vpp_cannot_hold(vpp: VppBackend) -> None:
    wanted = Interface("a", "sim", (("promiscuous", True), ("queues", 4)))
    assert vpp.canonical(wanted) == Interface("a", "sim", (("promiscuous", True),))
    assert bring(vpp, (wanted,)) == []
    assert list(vpp.dump(Interface)) == [vpp.canonical(wanted)]
    take_away(vpp, (wanted,))
    assert vpp.canonical(Table(9, name="ipv4-VRF:9", flow_hash=("src", "dst", "sport", "dport", "proto"))) == Table(9)
    with pytest.raises(BackendError, match="VPP has no device tun that can be made"):
        InterfacesKind.canonical(InterfacesKind.__new__(InterfacesKind), Interface("a", "tun"))


def test_events_and_counters(served: Served, vpp: VppBackend) -> None:
    seen: list[tuple[str, dict[str, object]]] = []
    vpp.on_event = lambda kind, fields: seen.append((kind, fields))
    bring(vpp, (Interface("a", "pg"), address("a", "10.0.0.1/24")))
    vpp.create(InterfaceUp("a"))
    with served.engine.paused():
        index = served.engine.interfaces["pg0"].sw_if_index
        served.engine.neighbours.add(index, "10.0.0.7", bytes.fromhex("020000000007"))
    while not any(kind == "neighbour" for kind, _ in seen):
        assert vpp.poll()
    assert ("interface", {"name": "a", "up": True, "link": True, "deleted": False}) in seen
    neighbour = {"interface": "a", "address": "10.0.0.7", "mac": "02:00:00:00:00:07", "removed": False}
    assert ("neighbour", neighbour) in seen
    counters = vpp.counters()
    assert counters.keys() == {"interfaces", "errors", "nodes"} and counters["interfaces"][0]["name"] == "a"
    assert vpp.cli("show version").startswith("vpp v")
    with pytest.raises(BackendError, match="unknown input"):
        vpp.cli("no such command")
    take_away(vpp, (Interface("a", "pg"),))
