"""The commands that ask a cluster which is up."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from vectorplane.cli.client import ask
from vectorplane.cli.errors import fail
from vectorplane.control.management_client import run_dir


def cluster_socket(given: Path | None) -> Path:
    """Where a cluster's socket is when no other is named."""
    return given or run_dir() / "cluster.sock"


def _ask(socket: Path | None, method: str, **params: Any) -> Any:
    return ask(cluster_socket(socket), method, **params)


def _show(answer: Any, as_json: bool = False) -> None:
    print(json.dumps(answer) if as_json else answer["text"].rstrip("\n"))


def _judge(answer: Any, as_json: bool) -> None:
    """Exit status 1 for what did not come through."""
    _show(answer, as_json)
    if not answer["ok"]:
        sys.exit(1)


def _paths(files: Sequence[Path]) -> list[str]:
    for path in files:
        if not path.exists():
            fail(f"{path}: no such file or folder", 2)
    return [str(path.absolute()) for path in files]


def down(socket: Path | None) -> None:
    """End it."""
    _show(_ask(socket, "down"))


def apply(files: Sequence[Path], socket: Path | None) -> None:
    """Apply manifests."""
    _judge(_ask(socket, "apply", files=_paths(files)), False)


def delete(what: Sequence[str], files: Sequence[Path], namespace: str, socket: Path | None) -> None:
    """Delete objects."""
    if bool(what) == bool(files) or len(what) == 1:
        fail("expected a kind and names, or -f with manifests", 2)
    if files:
        return _judge(_ask(socket, "delete_files", files=_paths(files)), False)
    kind, *names = what
    _judge(_ask(socket, "delete", kind=kind, names=names, namespace=namespace), False)


def get(kind: str, name: str | None, namespace: str | None, as_json: bool, socket: Path | None) -> None:
    """Show objects."""
    _show(_ask(socket, "get", kind=kind, name=name, namespace=namespace), as_json)


def ping(source: str, target: str, count: int, namespace: str, as_json: bool, socket: Path | None) -> None:
    """Ping."""
    _judge(_ask(socket, "ping", source=source, target=target, count=count, namespace=namespace), as_json)


def curl(source: str, target: str, namespace: str, as_json: bool, socket: Path | None) -> None:
    """A TCP exchange."""
    _judge(_ask(socket, "curl", source=source, target=target, namespace=namespace), as_json)


def can_reach(
    source: str, target: str, protocol: str, namespace: str, details: bool, as_json: bool, socket: Path | None
) -> None:
    """The question that a cluster is for."""
    asked = {"source": source, "target": target, "protocol": protocol, "namespace": namespace}
    _judge(_ask(socket, "can_reach", **asked, details=details or None), as_json)


def matrix(
    port: str, protocol: str, namespace: str | None, svg: Path | None, as_json: bool, socket: Path | None
) -> None:
    """All against all."""
    answer = _ask(socket, "matrix", port=port, protocol=protocol, namespace=namespace)
    if svg is not None:
        svg.write_text(answer["svg"], encoding="utf-8")
    _show(answer, as_json)


def trace(source: str, target: str, protocol: str, namespace: str, socket: Path | None) -> None:
    """The packet trace of every node."""
    _judge(_ask(socket, "trace", source=source, target=target, protocol=protocol, namespace=namespace), False)


def replay(pod: str, capture: Path, rewrite: bool, namespace: str, as_json: bool, socket: Path | None) -> None:
    """A capture from a pod."""
    path = _paths([capture])[0]
    _show(_ask(socket, "replay", pod=pod, capture=path, rewrite=rewrite or None, namespace=namespace), as_json)


def drain(node: str, socket: Path | None) -> None:
    """Move its pods elsewhere."""
    _show(_ask(socket, "drain", node=node))


def uncordon(node: str, socket: Path | None) -> None:
    """It gets pods again."""
    _show(_ask(socket, "uncordon", node=node))


def kill(node: str, agent: bool, socket: Path | None) -> None:
    """Kill it, and let it come back."""
    _show(_ask(socket, "kill", node=node, agent=agent or None))


def cli(node: str, words: Sequence[str], socket: Path | None) -> None:
    """A line of its debug CLI."""
    print(_ask(socket, "cli", node=node, line=" ".join(words))["text"], end="")


def history(node: str, count: int, as_json: bool, socket: Path | None) -> None:
    """The last events of its agent."""
    _show(_ask(socket, "history", node=node, count=count), as_json)
