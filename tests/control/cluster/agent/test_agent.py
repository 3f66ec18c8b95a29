"""An agent's events: start, the store's changes, resyncs, failures and healing, time."""

from __future__ import annotations

from ipaddress import ip_interface, ip_network
from itertools import pairwise

import pytest

from tests.control.cluster.agent.fakes import SETTINGS, Links, Site, drop, node_record, put
from vectorplane.backends.items import Interface, InterfaceAddress, Path, Route
from vectorplane.control.cluster.agent.errors import Abort, AgentError, EventFailed, WouldBlock
from vectorplane.control.cluster.agent.event import AddPod, DeletePod, Method, Resync
from vectorplane.control.cluster.agent.node_config import NodeConfig
from vectorplane.control.cluster.ipam.error import IpamError
from vectorplane.control.cluster.ipam.pod import PodId
from vectorplane.control.cluster.model.service import Service
from vectorplane.control.cluster.store.embedded import EmbeddedStore
from vectorplane.control.cluster.this_node import Nic


def web(address: str = "10.96.0.1", name: str = "web") -> Service:
    return Service(name=name, namespace="default", cluster_ip=address)


def started(**kwargs: object) -> Site:
    site = Site()
    site.agent(verify=True, **kwargs)
    site.running.run_pending()
    return site


def test_a_start_claims_an_id_resyncs_and_publishes() -> None:
    site = Site()
    put(site.store, node_record(2, "node-2", "192.168.16.2/24"), web())
    agent = site.agent()
    assert agent.node is None and agent.run_pending() and not agent.run_pending()
    assert agent.node is not None and agent.node.id == 1
    assert site.store.get("/vnf-agent/contiv-ksr/allocatedIDs/1").value == {  # type: ignore[union-attr]
        "id": 1,
        "name": "node-1",
        "ip_addresses": ["192.168.16.1/24"],
    }
    assert {i.key for i in agent.wanted} == set(site.backend.items)
    assert "route/0/10.1.2.0/24" in site.backend.items and "route/1/10.96.0.1/32" in site.backend.items
    first = next(iter(agent.history))
    assert first.method == "full resync" and not first.error and first.description.startswith("full resync: start from")


def test_changes_of_the_store_are_updates_and_nothing_else() -> None:
    site = started()
    put(site.store, node_record(2, "node-2", "192.168.16.2/24"))
    site.running.run_pending()
    assert "route/0/10.1.2.0/24" in site.backend.items
    put(site.store, web())
    site.running.run_pending()
    drop(site.store, node_record(2, "node-2"), web())
    site.running.run_pending()
    assert "route/0/10.1.2.0/24" not in site.backend.items and "route/1/10.96.0.1/32" not in site.backend.items
    assert [r.method for r in site.running.history][1:] == ["update"] * 5, "one of them our own record's"
    names = [r.description for r in site.running.history][-4:]
    assert names == [
        "noderecord 2 is new",
        "service default/web is new",
        "noderecord 2 is gone",
        "service default/web is gone",
    ]


def test_handlers_are_asked_in_reverse_when_something_goes() -> None:
    order: list[str] = []

    def handler(name: str) -> type:
        class Noting:
            def __init__(self, *_: object) -> None:
                self.name = name

            def resync(self) -> None:
                order.append(name)

            def update(self, event: object) -> str:
                order.append(name)
                return name

            def revert(self, event: object) -> None: ...

        return Noting

    site = Site()
    agent = site.agent(handlers=[handler("a"), handler("b")])
    agent.run_pending()
    order.clear()
    put(site.store, web())
    agent.run_pending()
    drop(site.store, web())
    agent.run_pending()
    site.add("p")
    site.delete("p")
    assert order == ["a", "b", "b", "a", "a", "b", "b", "a"]
    assert [h.handler for h in agent.history.last.handlers] == ["b", "a"]


def test_unreadable_records_are_told_and_not_there(caplog: pytest.LogCaptureFixture) -> None:
    site = started()
    site.store.put("/vnf-agent/contiv-ksr/k8s/service/web/namespace/default", {"name": "web", "cluster_ip": 5})
    put(site.store, web("10.96.0.2", "other"))
    site.running.run_pending()
    assert "k8s/service/web/namespace/default" in caplog.text
    assert "route/1/10.96.0.2/32" in site.backend.items


def test_a_failure_of_best_effort_is_healed() -> None:
    site = started()
    site.backend.arm({0: False})
    put(site.store, web())
    site.running.run_pending()
    assert "route/1/10.96.0.1/32" not in site.backend.items
    assert "refused" in site.running.history.last.error
    site.later(4.9)
    assert "route/1/10.96.0.1/32" in site.backend.items, "the scheduler has tried again"
    site.later(0.2)
    last = site.running.history.last
    assert last.method == "full resync" and "healing after event" in last.description and not last.error
    assert site.running.next_time() is None


def test_a_failed_healing_is_the_end() -> None:
    site = started()
    future = site.running.push(Resync("for later", Method.DOWNSTREAM_RESYNC))
    site.running.run_pending()
    assert future.result() is None
    site.backend.arm(dict.fromkeys(range(1000), False))
    put(site.store, web())
    site.running.run_pending()
    with pytest.raises(AgentError, match=r"healing after event .* failed: .*refused"):
        site.later(6)
    with pytest.raises(AgentError):
        site.running.step()
    with pytest.raises(AgentError):
        site.running.push(Resync("x"))


def test_what_passes_by_itself_is_the_schedulers_business() -> None:
    site = started()
    site.backend.arm({0: True})
    put(site.store, web())
    site.running.run_pending()
    assert not site.running.history.last.error
    count = len(site.running.history)
    site.later(2)
    assert "route/1/10.96.0.1/32" in site.backend.items and len(site.running.history) == count


def test_a_handler_that_fails_does_not_stop_the_others() -> None:
    site = started()
    links = site.made[0]
    links.fail = RuntimeError("a bug")
    put(site.store, web())
    site.running.run_pending()
    assert "route/1/10.96.0.1/32" in site.backend.items
    last = site.running.history.last
    assert last.error == "links: RuntimeError: a bug"
    assert [(h.handler, h.error) for h in last.handlers] == [("links", "RuntimeError: a bug"), ("vips", "")]
    links.fail = None
    site.later(5)
    assert "healing" in site.running.history.last.description


def test_a_handler_that_cannot_resync_keeps_what_it_had() -> None:
    site = started()
    put(site.store, web())
    site.add("p")
    before = dict(site.backend.items)
    site.made[1].fail = RuntimeError("a bug")
    site.running.push(Resync("asked", Method.UPSTREAM_RESYNC))
    site.running.run_pending()
    assert site.backend.items == before
    with pytest.raises(AgentError, match="healing"):
        site.later(6)
    assert site.backend.items == before


def test_abort_stops_an_event_and_fatal_the_agent() -> None:
    site = started()
    site.made[0].fail = Abort("not now")
    put(site.store, web())
    site.running.run_pending()
    assert "route/1/10.96.0.1/32" not in site.backend.items
    assert [h.handler for h in site.running.history.last.handlers] == ["links"]
    site.made[0].fail = None
    site.later(5)
    assert "route/1/10.96.0.1/32" in site.backend.items
    site.made[1].fail = AgentError("no way")
    put(site.store, web("10.96.0.2"))
    with pytest.raises(AgentError, match="no way"):
        site.running.run_pending()
    assert site.running.history.last.error == "no way"


def test_the_dataplane_was_away() -> None:
    site = started()
    site.backend.away = True
    put(site.store, web())
    site.running.run_pending()
    assert not site.running.history.last.error
    site.backend.come_back(empty=True)
    assert "route/1/10.96.0.1/32" in site.backend.items
    assert site.running.history.last.name == "DataplaneResync"
    assert site.running.next_time() is None


def test_leftovers_of_an_earlier_agent_are_taken_away() -> None:
    site = started()
    site.add("gone")
    leftover = "interface/vpp-tap-c-gone"
    assert leftover in site.backend.items
    site.runtime.running.clear()
    site.agent().run_pending()
    assert leftover not in site.backend.items
    assert set(site.backend.items) == {i.key for i in site.running.wanted}


def test_leftovers_are_looked_for_when_the_dataplane_comes_late() -> None:
    site = Site()
    site.backend.others(Interface("vpp-tap-old", "sim"))
    site.backend.away = True
    site.agent().run_pending()
    site.backend.come_back(empty=False)
    site.running.run_pending()
    assert (
        set(site.backend.items) == {i.key for i in site.running.wanted}
        and "interface/vpp-tap-old" not in site.backend.items
    )


def test_what_no_agent_makes_is_left_to_others() -> None:
    site = Site()
    theirs = [
        Interface("GigabitEthernet0/9/0", "sim"),
        InterfaceAddress("GigabitEthernet0/9/0", ip_interface("10.9.9.9/24")),
        Route(ip_network("10.8.0.0/16"), (Path("10.9.9.1", "GigabitEthernet0/9/0"),)),
    ]
    old = [
        Interface("vpp-tap-old", "sim"),
        Route(ip_network("10.1.1.9/32"), (Path(interface="vpp-tap-old"),)),
        Route(ip_network("10.7.0.0/16"), (Path("192.168.16.9"),)),
        Interface("GigabitEthernet0/8/0", "sim"),
        InterfaceAddress("GigabitEthernet0/8/0", ip_interface("192.168.99.9/24")),
    ]
    for item in (*theirs, *old):
        site.backend.others(item)
    site.agent().run_pending()
    site.running.push(Resync("once more"))
    site.running.run_pending()
    assert set(site.backend.items.values()) == {*site.running.wanted, *theirs}


def test_leftovers_that_stay_are_told_and_no_reason_to_heal() -> None:
    site = Site()
    for i in range(3):
        site.backend.others(Interface(f"vpp-tap-{i}", "sim"))
    site.backend.arm(dict.fromkeys(range(3), False))
    site.agent().run_pending()
    assert not any(r.error for r in site.running.history) and len(site.backend.log) > 0
    site.later(60)
    assert set(site.backend.items) == {i.key for i in site.running.wanted}


def test_a_mistake_in_a_handlers_making_is_the_end() -> None:
    def make(*_: object) -> Links:
        raise ValueError("a bug")

    site = Site()
    future = site.agent(handlers=[make]).push(Resync("waits"))
    with pytest.raises(AgentError, match="unexpected: ValueError: a bug"):
        site.running.run_pending()
    with pytest.raises(AgentError, match="a bug"):
        future.result(0)


def test_a_runtime_that_does_not_answer_is_the_end() -> None:
    class Silent:
        def pods(self) -> list[object]:
            raise OSError("no such socket")

    site = Site()
    site.runtime = Silent()  # type: ignore[assignment]
    with pytest.raises(AgentError, match="the runtime does not say which pods run here: no such socket"):
        site.agent().run_pending()


def test_closed() -> None:
    site = started()
    future = site.running.push(Resync("waits"))
    site.running.close()
    with pytest.raises(AgentError, match="closed"):
        future.result(0)
    with pytest.raises(AgentError, match="closed"):
        site.running.step()


def test_configuration_and_another_address() -> None:
    site = started()
    site.running.configure(NodeConfig("GigabitEthernet0/8/0", ip_interface("192.168.17.9/24")))
    site.running.run_pending()
    assert site.store.get("/vnf-agent/contiv-ksr/allocatedIDs/1").value["ip_addresses"] == ["192.168.17.9/24"]  # type: ignore[union-attr]
    assert any("192.168.17.9" in key for key in site.backend.items)
    assert "upstream resync" in [r.method for r in site.running.history]


def test_from_time_to_time() -> None:
    site = started(downstream_every=30.0)
    put(site.store, web())
    site.running.run_pending()
    del site.backend.items["route/1/10.96.0.1/32"]
    site.later(29)
    assert "route/1/10.96.0.1/32" not in site.backend.items
    site.later(2)
    assert "route/1/10.96.0.1/32" in site.backend.items
    assert site.running.history.last.method == "downstream resync"


def test_follow_ups_go_ahead_and_nobody_waits_within() -> None:
    site = Site()
    site.agent().run_pending()
    agent, links = site.running, site.made[0]
    seen: list[str] = []

    def update(event: object) -> str:
        if isinstance(event, DeletePod):
            agent.push(Resync("follows", Method.UPSTREAM_RESYNC))
            with pytest.raises(WouldBlock):
                agent.push_and_wait(Resync("never"))
            with pytest.raises(WouldBlock):
                agent.step()
        seen.append(type(event).__name__)
        return "seen"

    site.add("p")
    links.update = update
    agent.push(DeletePod(PodId("default", "p")))
    agent.push(Resync("second", Method.DOWNSTREAM_RESYNC))
    number = agent.history.last.number
    agent.run_pending()
    records = [r for r in agent.history if r.number > number]
    told = [(r.name, r.follow_up_to) for r in records]
    assert told == [("DeletePod", None), ("Resync", number + 1), ("Resync", None)]
    assert "follows" in records[1].description


def test_verification_finds_a_handler_that_forgets() -> None:
    class Forgetful:
        name = "forgetful"

        def __init__(self, node: object, state: object, wanted: object) -> None:
            self.state, self.wanted = state, wanted

        def resync(self) -> None:
            self.wanted.put("forgetful/x", [Interface(n, "sim") for _, n in self.state.services])  # type: ignore[attr-defined]

        def update(self, event: object) -> str:
            return ""

        def revert(self, event: object) -> None: ...

    site = Site()
    agent = site.agent(handlers=[Forgetful], verify=True)
    agent.run_pending()
    put(site.store, web())
    with pytest.raises(AgentError, match="interface/web"):
        agent.run_pending()


def test_mistakes_in_the_settings() -> None:
    bad = SETTINGS.model_copy(update={"ipam": SETTINGS.ipam.model_copy(update={"pod_subnet_one_node_prefix_len": 8})})
    with pytest.raises(AgentError, match="pod_subnet_one_node_prefix_len"):
        Site().agent(settings=bad)


def test_no_id_is_left() -> None:
    site = Site()
    narrow = SETTINGS.model_copy(
        update={"ipam": SETTINGS.ipam.model_copy(update={"pod_subnet_one_node_prefix_len": 17})}
    )
    put(site.store, node_record(1, "other"), node_record(2, "another"))
    site.agent(settings=narrow)
    with pytest.raises(AgentError, match="node-1: node_id: there are addresses for 2 nodes"):
        site.running.run_pending()


def test_a_record_that_was_deleted_is_put_back_and_one_that_was_taken_is_the_end() -> None:
    site = started()
    drop(site.store, node_record(1, "node-1"))
    site.running.run_pending()
    assert site.store.get("/vnf-agent/contiv-ksr/allocatedIDs/1").value["ip_addresses"] == ["192.168.16.1/24"]  # type: ignore[union-attr]
    told = [r.description for r in site.running.history][-2:]
    assert told == ["noderecord 1 is gone", "noderecord 1 is new"], "handlers learn of both"
    put(site.store, node_record(1, "thief"))
    with pytest.raises(AgentError, match="its id 1 is that of node thief now"):
        site.running.run_pending()


def test_twenty_agents_race_for_ids() -> None:
    store = EmbeddedStore()
    sites = [Site(store, f"node-{i}") for i in range(20)]
    for site in sites:
        site.agent()
    for _ in range(3):
        for site in sites:
            site.running.run_pending()
    ids = [s.running.node.id for s in sites if s.running.node is not None]
    assert sorted(ids) == list(range(1, 21))
    for site in sites:
        peers = {i for i in ids if f"route/0/10.1.{i}.0/24" in site.backend.items}
        assert peers == set(ids) - {site.running.node.id}  # type: ignore[union-attr]


def test_events_wait_for_the_store() -> None:
    site = Site()
    agent = site.agent()
    site.store.close()
    with pytest.raises(EventFailed, match=r"default/p is to be connected .* waits for the store: the store is closed"):
        agent.push_and_wait(AddPod(PodId("default", "p"), "c"))
    with pytest.raises(AgentError, match="no store for 30 s"):
        site.later(31)


def test_an_address_by_dhcp_comes_later() -> None:
    dhcp = SETTINGS.model_copy(update={"ipam": SETTINGS.ipam.model_copy(update={"node_interconnect_dhcp": True})})
    site = Site()
    agent = site.agent(settings=dhcp)
    agent.run_pending()
    assert agent.node is not None and agent.node.nic == Nic("GigabitEthernet0/8/0", None, dhcp=True)
    assert site.store.get("/vnf-agent/contiv-ksr/allocatedIDs/1").value == {"id": 1, "name": "node-1"}  # type: ignore[union-attr]
    lease = ip_interface("192.168.16.44/24")
    agent.configure(NodeConfig("GigabitEthernet0/8/0", lease, leased=True))
    agent.run_pending()
    assert agent.node.nic == Nic("GigabitEthernet0/8/0", lease, dhcp=True)
    assert agent.state.node_records[1].ip_addresses == (lease,)
    agent.configure(NodeConfig("GigabitEthernet0/8/0", ip_interface("192.168.16.45/24")))
    agent.run_pending()
    assert not agent.node.nic.dhcp, "a configured address beats DHCP"


def test_an_address_needs_a_card() -> None:
    with pytest.raises(IpamError, match=r"address: 10\.0\.0\.1/24 is for the main interface"):
        NodeConfig(None, ip_interface("10.0.0.1/24"))


def test_the_store_and_the_queue_take_turns() -> None:
    site = started()
    for i in range(5):
        site.running.push(Resync(f"{i}", Method.DOWNSTREAM_RESYNC))
        put(site.store, web(f"10.96.0.{i}", f"s{i}"))
    number = site.running.history.last.number
    site.running.run_pending()
    names = [r.name for r in site.running.history if r.number > number]
    assert sorted(names) == ["Resync"] * 5 + ["StateChange"] * 5
    assert all(a != b for a, b in pairwise(names))


def test_healing_while_the_dataplane_is_away_is_no_failure() -> None:
    site = started()
    site.backend.arm({0: False})
    put(site.store, web())
    site.running.run_pending()
    site.backend.calm()
    site.backend.away = True
    site.later(60)
    site.backend.come_back(empty=False)
    site.running.run_pending()
    assert set(site.backend.items) == {i.key for i in site.running.wanted}
