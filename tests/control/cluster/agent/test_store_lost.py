"""The cluster's store is away, forgets, or comes back; the copy on the node."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.control.cluster.agent.fakes import Site, drop, node_record, put
from tests.control.cluster.agent.faulty import AwayStore, Fuse, FusedStore, Killed
from vectorplane.control.cluster.agent.errors import AgentError
from vectorplane.control.cluster.agent.mirror import Mirror
from vectorplane.control.cluster.keys import PREFIX
from vectorplane.control.cluster.model.service import Service
from vectorplane.control.cluster.store.embedded import EmbeddedStore, open_store
from vectorplane.control.cluster.store.errors import StoreFailed


class NoPuts(AwayStore):
    """A store that takes transactions, but no plain writes, while ``full``."""

    full = True

    def put(self, key: str, value: dict[str, Any]) -> int:
        if self.full:
            raise StoreFailed("the disk is full")
        return int(self.__getattr__("put")(key, value))


def web(number: int = 1) -> Service:
    return Service(name=f"s{number}", namespace="default", cluster_ip=f"10.96.0.{number}")


def vips(site: Site) -> set[int]:
    return {int(k.split(".")[3].split("/")[0]) for k in site.backend.items if k.startswith("route/1/10.96.")}


def lost(**kwargs: object) -> tuple[Site, AwayStore, EmbeddedStore]:
    real = EmbeddedStore()
    store = AwayStore(real)
    site = Site(store)  # type: ignore[arg-type]
    site.agent(verify=True, **kwargs)
    site.running.run_pending()
    return site, store, real


def test_the_agent_goes_on_from_what_it_knows_and_catches_up() -> None:
    site, store, real = lost()
    put(real, web(1))
    site.running.run_pending()
    store.away = True
    put(real, web(2))
    drop(real, web(1))
    site.running.run_pending()
    assert vips(site) == {1}
    assert str(site.add("a").address) == "10.1.1.2", "pods come and go all the same"
    asked = store.asked
    site.later(9)
    assert store.asked - asked == 3, "every three seconds"
    store.away = False
    site.later(3)
    assert vips(site) == {2} and site.running.follower.away == ""
    assert site.running.history.last.description.startswith("full resync: the store is back")
    assert site.running.next_time() is None


def test_changes_that_are_compacted_away_are_found_all_the_same() -> None:
    site, _, real = lost()
    put(real, web(1), web(2), web(3))
    drop(real, web(1))
    real.compact(real.revision())
    site.running.run_pending()
    assert vips(site) == {2, 3}


def test_an_address_that_could_not_be_published_is_published_later() -> None:
    real = EmbeddedStore()
    store = NoPuts(real)
    site = Site(store)  # type: ignore[arg-type]
    site.agent().run_pending()
    assert real.get(f"{PREFIX}allocatedIDs/1").value == {"id": 1, "name": "node-1"}  # type: ignore[union-attr]
    store.full = False
    site.later(4)
    assert real.get(f"{PREFIX}allocatedIDs/1").value["ip_addresses"] == ["192.168.16.1/24"]  # type: ignore[union-attr]


def test_a_store_that_was_wiped_gets_the_nodes_record_back() -> None:
    site, store, real = lost()
    store.away = True
    real.delete_prefix("")
    site.running.run_pending()
    store.away = False
    site.later(3)
    assert 1 in site.running.state.node_records
    assert real.get(f"{PREFIX}allocatedIDs/1").value == {  # type: ignore[union-attr]
        "id": 1,
        "name": "node-1",
        "ip_addresses": ["192.168.16.1/24"],
    }


def test_a_start_without_the_store_goes_by_the_copy(tmp_path: Path) -> None:
    copy = open_store(tmp_path, sync=False)
    site, store, real = lost(mirror=copy)
    put(real, web(1), web(2), node_record(5, "other", "192.168.16.5/24"))
    drop(real, web(2))
    site.running.run_pending()
    before = dict(site.backend.items)
    store.away = True
    copy.close()
    copy = open_store(tmp_path, sync=False)
    site.agent(mirror=copy)
    site.later(4.5)
    assert site.running.node is None
    site.later(1)
    assert site.running.node is not None and site.running.node.id == 1
    assert site.backend.items == before
    put(real, web(7))
    store.away = False
    site.later(3)
    assert vips(site) == {1, 7}
    assert [e.data for e in copy.list(PREFIX).entries] == [e.data for e in real.list(PREFIX).entries]


def test_a_copy_without_this_node_is_no_start() -> None:
    store = AwayStore(EmbeddedStore())
    store.away = True
    copy = EmbeddedStore()
    put(copy, web(1))
    copy.put("mirror", {})
    site = Site(store)  # type: ignore[arg-type]
    site.agent(mirror=copy)
    with pytest.raises(AgentError, match="no store for 30 s: no answer"):
        site.later(31)


def test_a_copy_that_was_cut_short_is_none() -> None:
    real = EmbeddedStore()
    put(real, *(web(i) for i in range(1, 200)))
    for at in range(1, 8):
        copy, fuse = EmbeddedStore(), Fuse()
        put(copy, web(250))
        copy.put("mirror", {})
        mirror = Mirror(FusedStore(copy, fuse))  # type: ignore[arg-type]
        fuse.light(at, after=True)
        try:
            mirror.copy(real.list(PREFIX))
        except Killed:
            whole = {e.key for e in Mirror(copy).read()}
            assert whole in ({e.key for e in real.list(PREFIX).entries}, set()) or at == 1
        else:
            assert at > 4
            break


def test_a_copy_that_fails_is_told_and_left(caplog: pytest.LogCaptureFixture) -> None:
    copy = AwayStore(EmbeddedStore())
    site, _, real = lost(mirror=copy)
    copy.away = True
    put(real, web(1))
    site.running.run_pending()
    assert vips(site) == {1} and "is not used any more" in caplog.text
    copy.away = False
    put(real, web(2))
    site.running.run_pending()
    assert vips(site) == {1, 2} and len(copy.list(PREFIX).entries) == 1
