"""The example cluster, as its page walks through it: pods, a service from everywhere, a policy, seen in packets."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.control.cluster.simulated.clusters import EXAMPLE, ask, balanced, cluster
from vectorplane.control.cluster.kube.model.pods import Pod
from vectorplane.control.cluster.simulated.cluster import Cluster
from vectorplane.control.management import ManagementError


@pytest.fixture(scope="module")
def captures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("wire")


@pytest.fixture(scope="module")
def example(captures: Path) -> Iterator[Cluster]:
    with cluster(EXAMPLE, captures=captures) as made:
        yield made


def pods(made: Cluster, prefix: str) -> list[Pod]:
    return [pod for pod in made.kube.list_of(Pod, "web") if pod.name.startswith(prefix)]


def test_pods_on_all_nodes_have_addresses(example: Cluster) -> None:
    found = example.kube.list_of(Pod)
    assert len(found) == 9 and all(pod.running for pod in found)
    for pod in found:
        node = example.nodes[pod.spec.nodeName].agent.node
        assert node is not None and str(pod.address).startswith(f"10.1.{node.id}.")
    assert {pod.spec.nodeName for pod in found} == {"node-1", "node-2", "node-3"}
    assert len({pod.address for pod in found}) == 9


def test_ping_between_nodes(example: Cluster) -> None:
    answer = ask(example, "ping", source="web/batch", target="other/visitor")
    assert answer["ok"] and answer["answered"] == 3


def test_the_service_from_everywhere(example: Cluster) -> None:
    frontend = pods(example, "frontend")[0]
    answers = {ask(example, "curl", source=f"web/{frontend.name}", target="svc/web/nginx")["text"] for _ in range(30)}
    served = {text.split()[0] for text in answers}
    assert served == {pod.name for pod in pods(example, "nginx")}  # each of the five has its turn
    assert {text.split()[-1] for text in answers} == {str(frontend.address)}
    for source in ("web/batch", "other/visitor", "outside", "node/node-2"):
        assert not ask(example, "curl", source=source, target="svc/web/nginx")["ok"], source
    # the node itself reaches its own pods, whatever policies say
    here = next(pod for pod in pods(example, "nginx") if pod.spec.nodeName == "node-2")
    assert ask(example, "curl", source="node/node-2", target=f"web/{here.name}:http")["ok"]


def test_why_not(example: Cluster) -> None:
    answer = ask(example, "can_reach", source="web/batch", target="svc/web/nginx")
    assert not answer["ok"] and not answer["warnings"]
    assert answer["why"] == ["default deny of policy web/nginx-from-frontend (ingress)"]
    assert answer["there"]["verdict"] == "dropped"


def test_why(example: Cluster) -> None:
    frontend = pods(example, "frontend")[0]
    answer = ask(example, "can_reach", source=f"web/{frontend.name}", target="svc/web/nginx:http")
    assert answer["ok"] and answer["why"] == [] and not answer["warnings"], answer["text"]
    text = answer["text"]
    assert "NAT      service (web/nginx)" in text and "policy web/nginx-from-frontend ingress rule" in text
    assert answer["back"]["verdict"] == "arrived"


def test_without_the_policy(example: Cluster) -> None:
    policy = str(EXAMPLE / "4-policy.yaml")
    assert ask(example, "delete_files", files=[policy])["ok"]
    assert ask(example, "curl", source="web/batch", target="svc/web/nginx")["ok"]
    assert ask(example, "curl", source="outside", target="node/node-1:30080")["ok"]
    assert ask(example, "apply", files=[policy])["ok"]
    assert not ask(example, "curl", source="web/batch", target="svc/web/nginx")["ok"]


def test_a_killed_node_and_a_killed_agent(example: Cluster) -> None:
    before = ask(example, "matrix", port="80", protocol="tcp")
    for node in example.nodes:
        ask(example, "kill", node=node)
        assert ask(example, "matrix", port="80", protocol="tcp") == before
        ask(example, "kill", node=node, agent=True)
        assert ask(example, "matrix", port="80", protocol="tcp") == before


def test_drain(example: Cluster) -> None:
    ask(example, "drain", node="node-3")
    assert not [p for p in example.kube.list_of(Pod) if p.spec.nodeName == "node-3"]
    assert len(pods(example, "nginx")) == 5
    assert ask(example, "curl", source=f"web/{pods(example, 'frontend')[0].name}", target="svc/web/nginx")["ok"]
    ask(example, "uncordon", node="node-3")
    assert "SchedulingDisabled" not in ask(example, "get", kind="nodes")["text"]


def test_replay_and_trace(example: Cluster) -> None:
    frontend = pods(example, "frontend")[0].name
    capture = EXAMPLE.parent / "captures" / "lan.pcap"
    answer = ask(example, "replay", pod=f"web/{frontend}", capture=str(capture), rewrite=True)
    assert answer["sent"] > 500
    text = ask(example, "trace", source=f"web/{frontend}", target="svc/web/nginx")["text"]
    assert "nat44-ed-out2in-slowpath" in text and "acl-plugin" in text
    balanced(example)


def test_the_wire_as_tshark_sees_it(example: Cluster, captures: Path) -> None:
    """What is between the nodes are VXLAN packets with the pods' packets in them."""
    balanced(example)
    seen = 0
    for capture in sorted(captures.glob("node-*.pcap")):
        command = ["tshark", "-r", str(capture), "-T", "json", "-Y", "vxlan", "-c", "2000"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
        for packet in json.loads(done.stdout or "[]"):
            layers = packet["_source"]["layers"]
            assert layers["udp"]["udp.dstport"] == "4789" and layers["vxlan"]["vxlan.vni"] == "10"
            assert "_ws.malformed" not in layers
            seen += 1
    assert seen > 50


def test_bad_questions(example: Cluster) -> None:
    for given, text in (
        ({"source": "nobody", "target": "outside"}, "there is no pod default/nobody"),
        ({"source": "web/batch", "target": "svc/web/nothing"}, "there is no service web/nothing"),
        ({"source": "web/batch", "target": "node/node-9"}, "there is no node node-9; known: node-1"),
        ({"source": "web/batch", "target": "other/visitor:70000"}, "there is no port 70000"),
        ({"source": "svc/web/nginx", "target": "outside"}, "packets are sent by pods"),
        ({"source": "web/batch", "target": "outside", "protocol": "gre"}, "expected one of tcp"),
    ):
        with pytest.raises(ManagementError, match=text):
            ask(example, "can_reach", **given)
