"""Any services, endpoints and nodes, in any order of events: the mappings answer as the naive oracle does."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.control.cluster.driver import Driver
from tests.control.cluster.services.objects import endpoints, kube_node, service, vpp_node
from tests.naive.service_balance import Answer, NaiveNode, NaiveServices
from vectorplane.backends.items import NatService
from vectorplane.control.cluster.agent.event import StateChange
from vectorplane.control.cluster.services.handler import Services
from vectorplane.control.cluster.settings import ClusterSettings

HOSTS = {1: "172.30.1.2", 2: "172.30.2.2", 3: "172.30.3.2"}
VPPS = {1: "192.168.16.1", 2: "192.168.16.2", 3: "192.168.16.3"}
PODS = ["10.1.1.2", "10.1.1.3", "10.1.2.9", "10.1.3.9"]
ADDRESSES = [*PODS, HOSTS[1], HOSTS[2], VPPS[1], VPPS[3], "9.9.9.9"]
INSIDE = ["10.96.0.1", "10.96.0.2", "10.96.0.3"]
EXTERNAL = ["20.0.0.1", "20.0.0.2", HOSTS[1], VPPS[2]]
PORTS = [80, 81, 30080]
CLIENTS = ["10.1.1.2", "10.1.1.3", "8.8.8.8"]
NUMBERS = {"TCP": 6, "UDP": 17}
POLICY = st.sampled_from(["Cluster", "Local"])


@st.composite
def services(draw: Any) -> Any:
    count = draw(st.integers(1, 3))
    ports = [
        f"p{k}:{draw(st.sampled_from(PORTS))}/{draw(st.sampled_from(['TCP', 'UDP', 'SCTP']))}"
        f"@{draw(st.sampled_from([0, 30080, 30081]))}"
        for k in range(count)
    ]
    return service(
        draw(st.sampled_from("abc")),
        draw(st.sampled_from(["None", "", *INSIDE])),
        *ports,
        type=draw(st.sampled_from(["NodePort", "LoadBalancer"])),
        external_ips=draw(st.lists(st.sampled_from(EXTERNAL), max_size=2)),
        lb_ingress_ips=draw(st.lists(st.sampled_from(EXTERNAL), max_size=2)),
        external_traffic_policy=draw(POLICY),
        internal_traffic_policy=draw(POLICY),
        session_affinity=draw(st.sampled_from(["None", "ClientIP"])),
    )


@st.composite
def served(draw: Any) -> Any:
    def some() -> tuple[str, tuple[str, ...]]:
        ips = " ".join(draw(st.lists(st.sampled_from(ADDRESSES), max_size=4)))
        return ips, tuple(f"p{k}:{draw(st.sampled_from([8080, 8081]))}" for k in draw(st.sets(st.integers(0, 2))))

    first, ports = some()
    return endpoints(draw(st.sampled_from("abc")), first, *ports, subsets=[some()] if draw(st.booleans()) else [])


@st.composite
def nodes(draw: Any) -> Any:
    number = draw(st.integers(1, 3))
    if draw(st.booleans()):
        return vpp_node(number, f"node-{number}", *([f"{VPPS[number]}/24"] if draw(st.booleans()) else []))
    return kube_node(f"node-{number}", *([HOSTS[number]] if draw(st.booleans()) else []))


RECORDS = st.one_of(services(), served(), nodes())
STEPS = st.lists(
    st.tuples(st.sampled_from(["put", "put", "put", "delete", "fail"]), st.lists(RECORDS, max_size=4)), max_size=8
)


def naive(driver: Driver) -> tuple[NaiveServices, NaiveNode]:
    """The oracle for what the store holds, and this node. A node without an address of VPP has no node ports yet."""
    state = driver.state
    made = {}
    for number in HOSTS:
        record, node = state.node_records.get(number), state.nodes.get(f"node-{number}")
        addresses: list[str] = []
        if record is not None and record.ip_addresses:
            addresses = [str(i.ip) for i in record.ip_addresses] + [str(a) for a in (node.management if node else ())]
        own = (VPPS[1], *map(str, driver.node.host_addresses)) if number == 1 else ()
        if number == 1:  # a node's own addresses are its own, with node ports or without
            own += tuple(map(str, node.management if node and record else ()))
        pods, loopback = f"10.1.{number}.0/24", f"10.1.{number}.254"
        made[number] = NaiveNode(f"node-{number}", tuple(addresses), pods, loopback, own, VPPS[number])
    services, endpoints = state.services.values(), state.endpoints.values()
    return NaiveServices(services, endpoints, made.values(), driver.node.settings.remote_node_ports), made[1]


def answer(driver: Driver, client: str, destination: str, port: int, proto: str) -> Answer | None:
    """What the wanted mappings do with a new connection."""
    items = driver.items
    key = f"{destination}/{NUMBERS[proto]}/{port}"
    item = items.get(f"nat44/service/{key}")
    if item is None:
        return None
    assert isinstance(item, NatService)
    backends = {(str(b.address), b.port): b.table for b in item.backends if b.probability}
    hidden = {table: VPPS[1] if table == 0 else "10.1.1.254" for table in (0, 1)}
    seen = {
        backend: hidden[table] if item.twice == "twice-nat" else "10.1.1.254" if backend[0] == client else client
        for backend, table in backends.items()
    }
    assert item.out2in_only
    return Answer(seen, item.affinity)


def compare(driver: Driver) -> None:
    oracle, me = naive(driver)
    for destination in (*INSIDE, *EXTERNAL, HOSTS[2], HOSTS[3], VPPS[1], VPPS[3]):
        for port in (80, 81, 30080, 30081):
            for proto in ("TCP", "UDP"):
                for client in CLIENTS:
                    expected = oracle.connect(me, client, destination, port, proto)
                    got = answer(driver, client, destination, port, proto)
                    where = (client, destination, port, proto)
                    assert (got.seen_by if got else {}) == (expected.seen_by if expected else {}), where
                    assert got is None or got.affinity == (expected.affinity if expected else 0), where


@given(STEPS, st.booleans(), st.booleans(), st.booleans())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_any_history(steps: Any, remote: bool, with_pods: bool, told: bool) -> None:
    driver = Driver(
        Services,
        gateway="192.168.16.254",
        host_addresses=[HOSTS[1]] if told else [],
        settings=ClusterSettings(remote_node_ports=remote),
    )
    if with_pods:
        driver.add_pod("default", "one", "10.1.1.2")
    for verb, records in steps:
        if verb == "delete":
            driver.delete(*records)
        elif verb == "put":
            driver.put(*records)
        else:
            fail(driver, records)
        driver.check()
    if not with_pods:
        driver.add_pod("default", "one", "10.1.1.2")
        driver.check()
    compare(driver)
    driver.delete_pod("default", "one")
    driver.check()


def fail(driver: Driver, records: Any) -> None:
    """An event that is reverted."""
    state, handler, wanted = driver.state, driver.handler, driver.wanted
    changes = [c for c in map(state.put_record, records) if c is not None]
    wanted.begin()
    before = driver.items
    handler.update(StateChange(changes))
    for change in reversed(changes):
        if change.old is None:
            state.delete_record(change.new)
        else:
            state.put_record(change.old)
    wanted.undo()
    handler.revert(StateChange(changes))
    assert driver.items == before


def test_the_oracle_tells_policies_apart() -> None:
    """Of the oracle itself: an address that several want, and a client behind its own service."""
    web = service("web", "10.96.0.1", ":80", external_ips=["20.0.0.1"], external_traffic_policy="Local")
    node = NaiveNode("n", ("192.168.16.1",), "10.1.1.0/24", "10.1.1.254")
    oracle = NaiveServices([web], [endpoints("web", "10.1.1.2 10.1.2.2", ":8080")], [node])
    inside = oracle.connect(node, "10.1.1.2", "10.96.0.1", 80, "TCP")
    assert inside == Answer({("10.1.1.2", 8080): "10.1.1.254", ("10.1.2.2", 8080): "10.1.1.2"})
    assert oracle.connect(node, "8.8.8.8", "20.0.0.1", 80, "TCP") == Answer({("10.1.1.2", 8080): "8.8.8.8"})
    assert oracle.connect(node, "8.8.8.8", "20.0.0.1", 81, "TCP") is None
