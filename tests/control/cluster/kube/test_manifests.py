"""Manifests: what is read, what is refused and how that is told, and that no text does any harm."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vectorplane.control.cluster.kube.manifests.read import load, parse
from vectorplane.control.cluster.kube.model.kinds import kind_named
from vectorplane.control.config_error import ConfigError

EXAMPLES = Path(__file__).parents[4] / "examples" / "cluster"

POD = """\
apiVersion: v1
kind: Pod
metadata: {name: web, labels: {app: web}}
spec:
  containers:
  - name: main
    ports:
    - containerPort: 80
"""


def problems(text: str, file: str = "m.yaml") -> list[str]:
    with pytest.raises(ConfigError) as caught:
        parse(text, file)
    return caught.value.lines()


def test_documents_and_lists() -> None:
    text = POD + "---\n# nothing\n---\n" + json.dumps({"apiVersion": "v1", "kind": "List", "items": [_service("a")]})
    found = parse(text, "m.yaml").manifests
    assert [(str(m.object.ref), m.line) for m in found] == [("Pod default/web", 1), ("Service default/a", 12)]


def test_a_list_of_one_kind_implies_it() -> None:
    item = {"metadata": {"name": "x"}}
    found = parse(json.dumps({"apiVersion": "v1", "kind": "NamespaceList", "items": [item]}), "m.json")
    assert [str(m.object.ref) for m in found.manifests] == ["Namespace x"]


def test_unknown_kinds_are_told_and_ignored() -> None:
    text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: one}\n"
    found = parse(text + "---\n" + text + "---\n" + POD, "m.yaml")
    assert found.warnings == ["m.yaml:1: ConfigMap one and 1 more ignored: v1 ConfigMap is not known here"]
    assert len(found.manifests) == 1
    other = "apiVersion: crd.example.org/v1\nkind: NetworkPolicy\nmetadata: {name: one}\n"
    assert not parse(other, "m.yaml").manifests


def test_unknown_fields_and_nulls_do_not_matter() -> None:
    text = POD + "  dnsPolicy: Default\n  nodeSelector:\n  volumes: [{a: 1}]\nstatus: {phase: Failed, podIP: 1.2.3.4}\n"
    assert parse(text, "m.yaml").manifests[0].object.name == "web"


def _service(name: str, **spec: Any) -> dict[str, Any]:
    ports = [{"port": 80}]
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": {"ports": ports, **spec}}


def _policy(**rule: Any) -> dict[str, Any]:
    spec = {"podSelector": {}, "ingress": [rule]}
    return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "p"}, "spec": spec}


def _pod(**fields: Any) -> dict[str, Any]:
    metadata = {"name": "web", **fields.pop("metadata", {})}
    spec = {"containers": [{"name": "c", "ports": [fields]}]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


MISTAKES: list[tuple[dict[str, Any], str]] = [
    (_pod(containerPort=0), "spec.containers[0].ports[0].containerPort: expected greater than or equal to 1"),
    (_pod(containerPort="80"), "spec.containers[0].ports[0].containerPort: expected an integer, got '80'"),
    (_pod(containerPort=80, protocol="tcp"), "ports[0].protocol: expected TCP, UDP or SCTP, got 'tcp'"),
    (_pod(containerPort=80, name="much-too-long-name"), "ports[0].name: expected a port's name"),
    (_pod(containerPort=80, name="123"), "ports[0].name: expected a port's name"),
    (_pod(containerPort=80, metadata={"name": "Web"}), "metadata.name: expected at most 253 lower case"),
    (_pod(containerPort=80, metadata={"namespace": "a.b"}), "metadata.namespace: expected at most 63 lower case"),
    (_pod(containerPort=80, metadata={"labels": {"a": 1}}), "metadata.labels.a: expected a valid string, got 1"),
    (_pod(containerPort=80, metadata={"labels": {"a": "b c"}}), "metadata.labels.a: expected a label's value"),
    (_pod(containerPort=80, metadata={"labels": {"/a": "b"}}), "metadata.labels: the part before /"),
    (_service("1a"), "metadata.name: expected at most 63 lower case letters, digits and -, beginning with a letter"),
    (_service("a", ports=[{"port": 1}, {"port": 2}]), "spec.ports[0].name: is missing"),
    (_service("a", ports=[{"port": 1, "nodePort": 31000}]), "spec.ports[0].nodePort: a service of type ClusterIP"),
    (_service("a", ports=[]), "spec.ports: a service that is not headless has one"),
    (_service("a", type="Cluster"), "spec.type: expected one of ClusterIP, NodePort"),
    (_service("a", type="ExternalName"), "spec.externalName: is missing"),
    (_service("a", clusterIP="10.0.0.300"), "spec.clusterIP: expected an IP address, None or nothing"),
    (_service("a", externalIPs=["x"]), "spec.externalIPs[0]: expected an IPv4 address"),
    (
        _service("a", sessionAffinityConfig={"clientIP": {"timeoutSeconds": 0}}),
        "spec.sessionAffinityConfig.clientIP.timeoutSeconds: expected greater",
    ),
    (_policy(ports=[{"port": 80, "endPort": 79}]), "spec.ingress[0].ports[0].endPort: 79 is before port 80"),
    (_policy(ports=[{"port": "http", "endPort": 79}]), "ports[0].endPort: needs a port that is a number"),
    (_policy(ports=[{"port": 1.5}]), "ports[0].port: expected a port of 1 to 65535, or the name of one"),
    (_policy(**{"from": [{}]}), "spec.ingress[0].from[0]: expected podSelector, namespaceSelector or ipBlock"),
    (
        _policy(**{"from": [{"podSelector": {}, "ipBlock": {"cidr": "10.0.0.0/8"}}]}),
        "from[0].ipBlock: with it there can't be a podSelector",
    ),
    (
        _policy(**{"from": [{"ipBlock": {"cidr": "10.0.0.0/8", "except": ["11.0.0.0/16"]}}]}),
        "from[0].ipBlock.except[0]: expected a part of 10.0.0.0/8 that is smaller, got 11.0.0.0/16",
    ),
    (
        _policy(**{"from": [{"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.0.0.0/8"]}}]}),
        "except[0]: expected a part",
    ),
    (_policy(**{"from": [{"ipBlock": {"cidr": "10.0.0.0"}}]}), "ipBlock.cidr: expected a CIDR such as 10.0.0.0/8"),
    (
        _policy(**{"from": [{"podSelector": {"matchExpressions": [{"key": "a", "operator": "in"}]}}]}),
        "matchExpressions[0].operator: expected one of In, NotIn, Exists, DoesNotExist, got 'in'",
    ),
    (
        _policy(**{"from": [{"podSelector": {"matchExpressions": [{"key": "a", "operator": "In"}]}}]}),
        "matchExpressions[0].values: operator In needs one at least",
    ),
    ({**_service("a"), "apiVersion": "v2"}, "apiVersion: expected v1, got v2"),
    ({"apiVersion": "v1", "metadata": {}}, "kind: is missing"),
    ({"kind": "Pod", "metadata": {}}, "apiVersion: is missing"),
]


@pytest.mark.parametrize(("value", "expected"), MISTAKES)
def test_mistakes_name_the_field_and_the_reason(value: dict[str, Any], expected: str) -> None:
    for file in ("m.json", "m.yaml"):
        [line] = problems(json.dumps(value, indent=1), file)
        assert line.startswith(f"{file}:") and expected in line


def test_mistakes_name_the_line_and_the_object() -> None:
    text = POD + "---\n" + POD.replace("80", "0").replace("name: web", "name: bad, namespace: shop")
    expected = "spec.containers[0].ports[0].containerPort: expected greater than or equal to 1, got 0 (in Pod shop/bad)"
    assert problems(text) == [f"m.yaml:17: {expected}"]
    pretty = json.dumps({"kind": "List", "apiVersion": "v1", "items": [_service("a"), _pod(containerPort=0)]}, indent=1)
    [line] = problems(pretty, "m.json")
    assert line.startswith(f"m.json:{pretty[: pretty.index('containerPort')].count(chr(10)) + 1}: ")


def test_an_object_is_written_once(tmp_path: Path) -> None:
    assert problems(POD + "---\n" + POD) == ["m.yaml:10: Pod default/web is in line 1 already"]
    (tmp_path / "a.yaml").write_text(POD)
    (tmp_path / "b.yml").write_text(POD)
    with pytest.raises(ConfigError, match=r"b.yml:1: Pod default/web is in .*a.yaml:1 already"):
        load([str(tmp_path)])


def test_mistakes_of_all_files_are_told(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("kind: [\n")
    (tmp_path / "b.json").write_text('{"kind": "Pod",\n}')
    (tmp_path / "c.txt").write_text("not a manifest")
    (tmp_path / ".d.yaml").write_text("hidden: [")
    with pytest.raises(ConfigError) as caught:
        load([str(tmp_path), str(tmp_path / "none.yaml")])
    assert [line.rpartition("/")[2][:8] for line in caught.value.lines()] == ["a.yaml:2", "b.json:2", "none.yam"]


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    assert not load([str(tmp_path)]).manifests
    with pytest.raises(ConfigError, match="is no regular file"):
        load([str(tmp_path / "pipe.yaml")])


def test_kinds_have_the_names_that_kubectl_knows() -> None:
    words = ("pods", "Pod", "po", "deploy", "deployment.apps", "netpol", "networkpolicies", "ep", "endpoints", "svc")
    expected = ["Pod"] * 3 + ["Deployment"] * 2 + ["NetworkPolicy"] * 2 + ["Endpoints"] * 2 + ["Service"]
    assert [kind_named(word).KIND for word in words] == expected
    with pytest.raises(ValueError, match="no kind is called 'job'; known: DaemonSet"):
        kind_named("job")


@pytest.mark.parametrize("text", ['{"a": 1, "a": 2}', '{"a": NaN}', "[" * 100_000, '{"a": ' + "1" * 5000 + "}", "\xff"])
def test_json_that_is_none(text: str) -> None:
    with pytest.raises(ConfigError):
        parse(text.encode("latin-1"), "m.json")


def test_the_examples_are_right() -> None:
    found = load([str(EXAMPLES)])
    assert not found.warnings
    kinds = [m.object.KIND for m in found.manifests]
    assert kinds.count("Node") == 3 and {"Deployment", "Service", "NetworkPolicy", "Pod"} <= set(kinds)


SCALARS = st.one_of(st.none(), st.booleans(), st.integers(-2, 70000), st.text("a1-./:", max_size=4), st.floats(0, 1))
WORDS = st.sampled_from(
    [
        *(
            "metadata",
            "name",
            "namespace",
            "labels",
            "spec",
            "containers",
            "ports",
            "port",
            "containerPort",
            "protocol",
        ),
        *("selector", "matchLabels", "matchExpressions", "key", "operator", "values", "template", "ingress", "from"),
        *("podSelector", "ipBlock", "cidr", "except", "endPort", "clusterIP", "type", "subsets", "addresses", "ip"),
    ]
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=4), max_leaves=20
)
KINDS = st.sampled_from(
    [
        *[("v1", k) for k in ("Pod", "Service", "Namespace", "Node", "Endpoints", "List", "PodList")],
        *[("apps/v1", k) for k in ("Deployment", "DaemonSet")],
        *[("discovery.k8s.io/v1", "EndpointSlice"), ("networking.k8s.io/v1", "NetworkPolicy")],
    ]
)


def harmless(text: str | bytes, file: str) -> None:
    try:
        found = parse(text, file)
    except ConfigError as error:
        assert error.lines() and all(line.startswith(file) for line in error.lines())
    else:
        assert all(m.line >= 1 for m in found.manifests)


@settings(max_examples=150, deadline=None)
@given(KINDS, st.dictionaries(WORDS | st.just("items"), VALUES, max_size=4), st.booleans())
def test_no_value_does_harm(kind: tuple[str, str], value: dict[str, Any], as_json: bool) -> None:
    text = json.dumps({"apiVersion": kind[0], "kind": kind[1], **value})
    harmless(text, "m.json" if as_json else "m.yaml")


MARKS = st.text("{}[]:-#&*!|>'\"%@ \n\ta0", max_size=6)


@settings(max_examples=100, deadline=None)
@given(
    st.integers(0, len(POD)), st.integers(0, 6), st.text("{}[]:-#&*!|>'\"%@ \n\ta0", max_size=6) | st.text(max_size=3)
)
def test_no_damage_does_harm(at: int, cut: int, put: str) -> None:
    harmless((POD[:at] + put + POD[at + cut :]).encode("utf-8", "surrogatepass"), "m.yaml")


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=40), st.sampled_from(["m.yaml", "m.json"]))
def test_no_bytes_do_harm(text: bytes, file: str) -> None:
    harmless(text, file)
