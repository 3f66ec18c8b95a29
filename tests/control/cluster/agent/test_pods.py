"""CNI's ADD and DEL, and whose an address is."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest

from tests.control.cluster.agent.fakes import SETTINGS, Site, drop, put
from vectorplane.control.cluster.agent.errors import EventFailed
from vectorplane.control.cluster.agent.event import AddPod, Method, Resync
from vectorplane.control.cluster.agent.pods import AddResult
from vectorplane.control.cluster.agent.runtime import RunningPod
from vectorplane.control.cluster.ipam.pod import PodId
from vectorplane.control.cluster.ipam.settings import IpamSettings
from vectorplane.control.cluster.model.node import Node
from vectorplane.control.cluster.model.pod import Pod


def started() -> Site:
    site = Site()
    site.agent(verify=True)
    site.running.run_pending()
    return site


def pod(name: str, address: str | None = None) -> Pod:
    return Pod(name=name, namespace="default", ip_address=ip_address(address) if address else None)


def given(site: Site) -> dict[str, str]:
    node = site.running.node
    assert node is not None
    return {pod.name: str(address) for pod, address in node.ipam.allocations().items()}


def settle(site: Site) -> None:
    site.running.run_pending()


def test_add_answers_and_connects() -> None:
    site = started()
    answer = site.add("a")
    assert answer == AddResult("eth0", ip_address("10.1.1.2"), ip_address("10.1.1.1"), "02:fe:00:00:00:03")
    assert "interface/vpp-tap-c-a" in site.backend.items and "route/1/10.1.1.2/32" in site.backend.items
    before, record = dict(site.backend.items), len(site.running.history)
    assert site.add("a") == answer
    assert site.backend.items == before and len(site.running.history) == record + 1
    assert not site.running.history.last.transactions


def test_del_disconnects_once_and_is_never_an_error() -> None:
    site = started()
    site.add("a")
    site.delete("a")
    assert "interface/vpp-tap-c-a" not in site.backend.items
    site.delete("a")
    site.delete("never-there")


def test_a_new_sandbox_replaces_the_stale_one_and_its_late_end_is_ignored() -> None:
    site = started()
    answer = site.add("a", "old")
    assert site.add("a", "new").address == answer.address
    assert "interface/vpp-tap-old" not in site.backend.items and "interface/vpp-tap-new" in site.backend.items
    add, stale = list(site.running.history)[-2:]
    assert (add.name, stale.name, stale.follow_up_to) == ("AddPod", "DeletePod", add.number)
    site.delete("a", "old")
    assert "interface/vpp-tap-new" in site.backend.items
    site.delete("a", "new")
    assert "interface/vpp-tap-new" not in site.backend.items


@pytest.mark.parametrize("retry", [False, True])
@pytest.mark.parametrize("operation", [0, 1])
def test_a_failed_add_leaves_nothing(operation: int, retry: bool) -> None:
    site = started()
    before, wanted = dict(site.backend.items), set(site.running.wanted)
    site.backend.arm({operation: retry})
    with pytest.raises(EventFailed, match="refused"):
        site.add("a")
    assert site.backend.items == before and set(site.running.wanted) == wanted and given(site) == {}
    assert site.running.node is not None and not site.running.node.pods
    assert [len(h.reverted) for h in site.made] == [1, 1]
    handlers = [(h.handler, h.revert) for h in site.running.history.last.handlers]
    assert handlers == [("links", False), ("vips", True), ("links", True)]
    site.backend.calm()
    site.later(20)
    assert site.backend.items == before
    assert site.add("a").address == ip_address("10.1.1.3"), "the turn has moved on"


def test_an_add_that_can_not_be_undone_is_healed() -> None:
    site = started()
    before = dict(site.backend.items)
    site.backend.arm({1: True, 2: False})  # the route has to wait, and the link can't be deleted then
    with pytest.raises(EventFailed, match="and it could not be undone: delete interface/vpp-tap-c-a: refused"):
        site.add("a")
    assert given(site) == {}
    site.later(6)
    assert site.backend.items == before and "healing" in site.running.history.last.description


def test_a_failed_add_of_a_pod_that_had_an_address_keeps_it() -> None:
    site = started()
    put(site.store, pod("a"))
    settle(site)
    address = site.add("a").address
    site.delete("a")
    site.backend.arm({0: False})
    with pytest.raises(EventFailed):
        site.add("a")
    assert given(site) == {"a": str(address)}
    site.backend.calm()
    assert site.add("a").address == address


def test_an_add_while_the_dataplane_is_away_fails_and_leaves_nothing() -> None:
    site = started()
    site.backend.away = True
    with pytest.raises(EventFailed, match="the dataplane is away"):
        site.add("a")
    site.backend.come_back(empty=True)
    settle(site)
    assert set(site.backend.items) == {i.key for i in site.running.wanted} and given(site) == {}
    assert "interface/vpp-tap-c-a" not in site.backend.items


def test_an_add_that_a_handler_fails_leaves_nothing() -> None:
    site = Site()
    site.agent().run_pending()
    before = dict(site.backend.items)
    site.made[1].fail = RuntimeError("a bug")
    with pytest.raises(EventFailed, match="vips: RuntimeError: a bug"):
        site.add("a")
    assert site.backend.items == before and given(site) == {}
    assert [len(h.reverted) for h in site.made] == [1, 1]
    site.made[1].fail = None
    site.add("a")


def test_an_address_is_released_with_the_record_not_by_del() -> None:
    site = started()
    put(site.store, pod("a"))
    settle(site)
    site.add("a")
    site.delete("a")
    assert given(site) == {"a": "10.1.1.2"}
    drop(site.store, pod("a"))
    settle(site)
    assert given(site) == {}


def test_an_address_is_not_released_while_the_pod_is_connected() -> None:
    site = started()
    put(site.store, pod("a", "10.1.1.2"))
    settle(site)
    site.add("a")
    drop(site.store, pod("a"))
    settle(site)
    assert given(site) == {"a": "10.1.1.2"}
    site.delete("a")
    assert given(site) == {}


def test_no_address_is_free() -> None:
    tight = SETTINGS.model_copy(update={"ipam": IpamSettings.model_validate({"pod_subnet_one_node_prefix_len": 29})})
    site = Site()
    site.agent(settings=tight).run_pending()
    for i in range(4):
        site.add(f"p{i}")
    with pytest.raises(EventFailed, match=r"pod default/q: pod_subnet: no address of 10\.1\.0\.8/29 is free"):
        site.add("q")


@pytest.mark.parametrize(
    ("event", "field"),
    [
        (AddPod(PodId("default", ""), "c"), "pod: expected a name"),
        (AddPod(PodId("", "p"), "c"), "namespace: expected a name"),
        (AddPod(PodId("default", "p"), ""), "container: expected a name"),
        (AddPod(PodId("default", "p"), "c-a"), "container: c-a is that of pod default/a"),
    ],
)
def test_bad_adds(event: AddPod, field: str) -> None:
    site = started()
    site.add("a")
    before = dict(site.backend.items)
    with pytest.raises(EventFailed, match=field):
        site.running.push_and_wait(event)
    assert field in site.running.history.last.error and site.backend.items == before


def test_pods_that_run_here_are_learnt_at_the_start() -> None:
    site = started()
    reported, unreported = site.add("reported").address, site.add("unreported").address
    put(site.store, pod("reported", str(reported)), pod("unreported"), pod("elsewhere", "10.1.7.9"))
    put(site.store, pod("ended", "10.1.1.9"))
    never = PodId("default", "never")
    site.runtime.running[never] = RunningPod(never, "c-never")
    before = dict(site.backend.items)
    site.agent(verify=True).run_pending()
    assert site.backend.items == before
    assert given(site) == {"reported": "10.1.1.2", "unreported": str(unreported), "ended": "10.1.1.9"}
    assert site.add("unreported").address == unreported
    assert site.add("new").address == ip_address("10.1.1.10")
    assert site.add("never").address == ip_address("10.1.1.11"), "the runtime asked again"


def test_a_runtime_that_knows_no_addresses_is_helped_by_the_store() -> None:
    site = started()
    put(site.store, pod("a", "10.1.1.2"))
    site.runtime.running[PodId("default", "a")] = RunningPod(PodId("default", "a"), "c-a")
    site.agent().run_pending()
    assert "route/1/10.1.1.2/32" in site.backend.items


def test_external_ipam_and_another_pod_cidr() -> None:
    external = SETTINGS.model_copy(update={"ipam": SETTINGS.ipam.model_copy(update={"use_external_ipam": True})})
    site = Site()
    put(site.store, Node(name="node-1", pod_CIDR=ip_network("10.5.1.0/24")))
    agent = site.agent(settings=external, verify=True)
    agent.run_pending()
    with pytest.raises(EventFailed, match="pod default/a: ipam_data"):
        site.add("a")
    answer = agent.push_and_wait(AddPod(PodId("default", "a"), "c-a", ipam_data='{"address": "10.5.1.77/24"}'))
    assert (str(answer.address), str(answer.gateway)) == ("10.5.1.77", "10.5.1.1")
    put(site.store, Node(name="node-1", pod_CIDR=ip_network("10.5.2.0/24")))
    agent.run_pending()
    assert agent.node is not None and str(agent.node.ipam.pod_subnet.gateway) == "10.5.2.1"
    assert agent.history.last.method == Method.UPSTREAM_RESYNC.value and agent.history.last.follow_up_to is not None
    put(site.store, Node(name="node-1", pod_CIDR=ip_network("10.5.2.0/31")))
    agent.run_pending()
    assert str(agent.node.ipam.pod_subnet.gateway) == "10.5.2.1", "too small: refused, told, nothing changes"


def test_healing_forgets_addresses_of_nobody() -> None:
    site = started()
    site.add("a")
    assert site.running.node is not None
    site.running.node.ipam.allocate(PodId("default", "lost"))
    site.running.push(Resync("asked"))
    settle(site)
    assert given(site) == {"a": "10.1.1.2"}


def test_the_same_sandbox_in_another_namespace_is_another_one() -> None:
    site = started()
    first = AddPod(PodId("default", "a"), "c", "/run/netns/1")
    answer = site.running.push_and_wait(first)
    assert site.running.push_and_wait(AddPod(first.pod, "c", "/run/netns/2")) == answer
    assert [r.name for r in site.running.history][-2:] == ["AddPod", "DeletePod"]
    assert site.running.node is not None and site.running.node.pods[first.pod].namespace_path == "/run/netns/2"
