"""A node's whole state on a VPP: the same dump as an engine's, and the same packets, whatever happens.

The tests of this file follow each other on one VPP; each leaves both dataplanes with the same state.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest

from tests.control.cluster.vpp.cases import VPPS, Case, a_case
from tests.control.cluster.vpp.flows import (
    BALANCED,
    BLOCKED,
    HOST,
    OPEN,
    OUT,
    PODS,
    POLICIES,
    SERVICES,
    STICKY,
    Flow,
)
from tests.control.cluster.vpp.manifests import (
    CLOSED_POLICY,
    LATE,
    OPEN_2,
    OTHER_SERVER_POLICY,
    SERVER_POLICY,
)
from vectorplane.backends.items import Acl, AclBinding, Item, L2FibEntry, NatService, Route
from vectorplane.control.cluster.agent.errors import EventFailed
from vectorplane.control.cluster.agent.event import AddPod
from vectorplane.control.cluster.ipam.pod import PodId

pytestmark = pytest.mark.slow
EACH = 12
"""Connections to services with several backends: that one of three gets none of them has a chance of 1 %."""
ALL = [*PODS, *POLICIES, *SERVICES, *OUT]


@pytest.fixture(scope="module", params=VPPS)
def case(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Case]:
    with a_case(request.param, tmp_path_factory.mktemp("vpp")) as made:
        yield made


def test_the_same_state(case: Case) -> None:
    held = case.twins.same()
    kinds = Counter(type(item) for item in held.values())
    assert len(held) > 150 and len(kinds) >= 20
    assert kinds[Acl] >= 5 and kinds[AclBinding] >= 3 and kinds[NatService] >= 10


@pytest.mark.parametrize("flows", [PODS, POLICIES, SERVICES, OUT], ids=["pods", "policies", "services", "out"])
def test_the_same_packets(case: Case, flows: list[Flow]) -> None:
    case.play(*flows)
    case.twins.same()  # nothing that packets leave behind is taken for state


@pytest.mark.parametrize("flow", BALANCED, ids=str)
def test_backends_take_turns(case: Case, flow: Flow) -> None:
    ours, theirs = case.play(*[flow] * (EACH if len(flow.places) == 2 else 2 * EACH))
    assert set(ours) == set(flow.places)
    if case.server is not None or not flow.seen_as:
        assert set(theirs) == set(flow.places)
    # VPP draws two random numbers for a hidden client, and the lowest bits of its numbers alternate: of two backends
    # of the same weight always one is chosen


def test_session_affinity(case: Case) -> None:
    for places in case.play(*[STICKY] * EACH):
        assert len(places) == 1


def test_a_new_agent_changes_nothing(case: Case) -> None:
    """The former one died; this one finds all that it wants, and sends nothing."""
    vpp = case.twins.vpp
    vpp.plane.backend.close()
    vpp.plane.connect()
    vpp.start()
    assert vpp.done() == {}
    case.twins.same()
    case.play(*ALL)


def test_a_pod_comes_and_goes(case: Case) -> None:
    """It becomes a backend of three services, and their former backends stay what they were."""
    case.twins.apply(LATE)
    three = Flow("other/visitor", "svc/open", 80, (*OPEN, "web/open-3"), at=8080)
    for places in case.play(*[three] * 24):
        assert set(places) == set(three.places)
    case.play(Flow(HOST, "web/open-3", 7000, "web/open-3"), Flow("web/client", "web/open-3", 8080, "web/open-3"))
    case.twins.delete(LATE)
    for places in case.play(*[BALANCED[2]] * EACH):
        assert set(places) == set(OPEN)


def test_endpoints_change(case: Case) -> None:
    """A service is left with one backend, has two again, and one that is not ready."""
    open_1 = Flow("other/visitor", "svc/open", 80, "web/open-1", at=8080)
    case.twins.delete(OPEN_2)
    case.play(*[open_1] * 4)
    case.twins.apply(OPEN_2)
    for places in case.play(*[BALANCED[2]] * EACH):
        assert set(places) == set(OPEN)
    kube = case.twins.cluster.kube
    kube.set_ready("open-2", False, "web")
    case.twins.settle()
    case.play(*[open_1] * 4)
    kube.set_ready("open-2", True, "web")
    case.twins.settle()


def test_policies_change(case: Case) -> None:
    """One is replaced: those who were let in are not, and the other way round; another one goes."""
    inverted = [
        Flow("web/client", "web/server-1", 80, BLOCKED),
        Flow("web/far-client", "web/server-1", 80, BLOCKED),
        Flow("other/visitor", "web/server-1", 80, "web/server-1"),
        Flow("other/far", "web/server-1", 80, "web/server-1"),
        Flow("other/visitor", "web/server-1", 5005, BLOCKED, "udp"),
    ]
    case.twins.apply(OTHER_SERVER_POLICY)
    case.play(*inverted)
    case.twins.delete(CLOSED_POLICY)
    case.play(
        Flow("web/closed", "other/visitor", 7000, "other/visitor"),
        Flow("other/visitor", "web/closed", 7000, "web/closed"),
    )
    case.twins.apply(f"{SERVER_POLICY}---\n{CLOSED_POLICY}")
    case.play(*ALL)


def test_a_vpp_that_begins_anew(case: Case) -> None:
    """It holds nothing when it is back: it is told what is wanted by then, and nothing of what was before."""
    if case.server is None:
        pytest.skip("not in CI: nobody but its owner may restart that VPP")
    vpp = case.twins.vpp
    case.server.stop()
    assert not vpp.plane.backend.poll()
    case.twins.cluster.apply(case.twins.objects(OTHER_SERVER_POLICY))  # the cluster goes on meanwhile
    case.twins.cluster.delete(case.twins.objects(OPEN_2))
    vpp.agent.run_pending()
    with pytest.raises(EventFailed, match="the dataplane is away"):
        vpp.agent.push_and_wait(AddPod(PodId("web", "late"), "c" * 64))
    case.server.start()
    assert vpp.plane.backend.poll()
    case.twins.sync()
    case.other.introduce()
    case.play(
        *PODS,
        *OUT,
        Flow("web/client", "web/server-1", 80, BLOCKED),
        Flow("other/visitor", "web/server-1", 80, "web/server-1"),
        *[Flow("other/visitor", "svc/open", 80, "web/open-1", at=8080)] * 4,
    )
    case.twins.apply(f"{SERVER_POLICY}---\n{OPEN_2}")
    case.play(*ALL)


def test_what_somebody_else_does_is_mended(case: Case) -> None:
    """Somebody deletes a binding of lists, a route, an entry of the overlay, a mapping: a look finds and mends that."""
    plane = case.twins.vpp.plane
    held = case.twins.same().values()
    gone: list[Item] = [next(i for i in held if isinstance(i, AclBinding))]
    gone += [next(i for i in held if isinstance(i, Route) and i.table == 1 and i.prefix.prefixlen == 32)]
    gone += [next(i for i in held if isinstance(i, L2FibEntry)), next(i for i in held if isinstance(i, NatService))]
    for item in gone:
        plane.backend.delete(item)
    assert {found.key for found in plane.scheduler.diff()} == {item.key for item in gone}
    assert sum(plane.scheduler.resync("a look").done.values()) == len(gone)
    case.twins.sync()
    case.play(*ALL)
