"""A node's state on a VPP (our own server behind its socket): all of it can be applied, and is there afterwards."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.backends.vpp.served import serving
from tests.control.cluster.driver import NIC, Driver
from tests.control.cluster.ipnet.records import kubernetes, vpp
from vectorplane.backends.vpp.backend import VppBackend
from vectorplane.control.cluster import names
from vectorplane.control.cluster.ipam.settings import IpamSettings
from vectorplane.control.cluster.ipnet.handler import Ipnet
from vectorplane.control.cluster.settings import ClusterSettings
from vectorplane.control.scheduler import Change, Origin, Scheduler

PATIENCE = 120.0
CONTAINER = "740ee06ac2bc0843291614f4d8348e2a61d78b1ee1681b07a52eff63930ccb6e"


def commit(scheduler: Scheduler, driver: Driver) -> None:
    """Bring it there, and compare."""
    change = Change("test", whole=True)
    for item in driver.wanted:
        change.put(item, Origin("test", 0))
    record = scheduler.commit(change)
    assert record.outcome == "applied" and not record.pending, record.text()
    assert scheduler.verify() == [] and scheduler.diff() == []


@pytest.mark.parametrize("transport", ["vxlan", "noOverlay"])
def test_applied_and_compared(tmp_path: Path, transport: str) -> None:
    settings = ClusterSettings(transport=transport, ipam=IpamSettings(use_external_ipam=True))
    driver = Driver(Ipnet, settings=settings, gateway="192.168.16.200", host_addresses=["10.20.0.1", "10.30.0.1"])
    for number in (2, 3):
        driver.put(vpp(number), kubernetes(number))
    driver.add_pod("default", "a", "10.1.1.2")
    driver.add_pod("default", CONTAINER, "10.77.0.2")
    with serving(tmp_path) as served:
        backend = VppBackend(str(served.server.path), str(served.api_dir), timeout=PATIENCE)
        scheduler = Scheduler(backend)
        scheduler.resync()
        commit(scheduler, driver)
        assert {NIC, names.HOST_LINK, names.POD_GATEWAY} <= {known.name for known in backend.link.interfaces}
        # a node moves, one goes, a pod goes: the rest stays as it is
        driver.put(vpp(2, "192.168.16.22/24"))
        driver.delete(vpp(3))
        driver.delete_pod("default", "a")
        commit(scheduler, driver)
        # a controller that is started anew finds everything as it should be
        other = VppBackend(str(served.server.path), str(served.api_dir), timeout=PATIENCE)
        again = Scheduler(other)
        again.resync()
        change = Change("test", whole=True)
        for item in driver.wanted:
            change.put(item, Origin("test", 0))
        assert again.plan(change).operations == []
        other.close()
        # and nothing is left in the end
        scheduler.commit(Change("test", whole=True))
        assert scheduler.verify() == []
        backend.close()
