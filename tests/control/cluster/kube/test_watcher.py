"""Manifests in files, kept in force."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.control.cluster.kube.known import cluster, pod
from vectorplane.control.cluster.kube.model.pods import Pod
from vectorplane.control.cluster.kube.watcher import Watcher
from vectorplane.control.config_error import ConfigError


def text(*names: str, label: str = "x", namespace: str = "default") -> str:
    return "".join(
        f"---\napiVersion: v1\nkind: Pod\nmetadata: {{name: {n}, namespace: {namespace}, labels: {{a: {label}}}}}\n"
        "spec:\n  containers: [{name: c}]\n"
        for n in names
    )


def test_files_are_followed(tmp_path: Path) -> None:
    made = cluster("a")
    made.apply(pod("own"))
    file = tmp_path / "m.yaml"
    file.write_text(text("one", "two"))
    watcher = Watcher(made, [str(tmp_path)])
    assert watcher.start() == ["pod/one created", "pod/two created"]
    made.settle()
    assert watcher.poll() == []
    file.write_text(text("one", label="other") + text("three"))
    assert watcher.poll() == []  # it may still be written
    assert watcher.poll() == ['pod "two" deleted', "pod/one configured", "pod/three created"]
    made.settle()
    assert watcher.poll() == []
    file.unlink()
    watcher.poll()
    assert set(watcher.poll()) == {'pod "one" deleted', 'pod "three" deleted'}
    made.settle()
    assert [p.name for p in made.list_of(Pod)] == ["own"]


def test_a_file_with_mistakes_changes_nothing(tmp_path: Path) -> None:
    made = cluster("a")
    file = tmp_path / "m.yaml"
    file.write_text(text("One"))
    watcher = Watcher(made, [str(file)])
    with pytest.raises(ConfigError):
        watcher.start()
    file.write_text(text("one"))
    assert watcher.start() == ["pod/one created"]
    file.write_text(text("two", "Three"))
    watcher.poll()
    assert watcher.poll() == [] and "metadata.name" in watcher.errors[0]
    assert watcher.poll() == [] and len(watcher.errors) == 1
    file.unlink()
    watcher.poll()
    watcher.poll()
    assert "no such file" in watcher.errors[0] and made.get(Pod, "one")
    file.write_text(text("two"))
    watcher.poll()
    assert watcher.poll() == ['pod "one" deleted', "pod/two created"] and not watcher.errors


def test_what_the_cluster_refuses_is_tried_again(tmp_path: Path) -> None:
    made = cluster("a")
    file = tmp_path / "m.yaml"
    file.write_text(text("one", namespace="shop") + text("two"))
    watcher = Watcher(made, [str(file)])
    assert watcher.start() == ["pod/two created"]
    expected = f"{file}:2: Pod shop/one: metadata.namespace: there is no namespace shop"
    assert watcher.errors == [expected]
    (tmp_path / "n.yaml").write_text("apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n")
    other = Watcher(made, [str(tmp_path / "n.yaml")])
    other.start()
    assert watcher.poll() == ["pod/one created"] and not watcher.errors
