"""What can be asked of a cluster over its socket. Each answer has ``text``, for people, beside its data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from vectorplane.backends.base import BackendError
from vectorplane.backends.engine.sim_host.probe import Probe
from vectorplane.control.cluster.kube.api.cluster import Answer
from vectorplane.control.cluster.kube.api.error import KubeError
from vectorplane.control.cluster.kube.manifests.read import load
from vectorplane.control.cluster.kube.model.base import DEFAULT_NAMESPACE
from vectorplane.control.cluster.kube.model.nodes import Node
from vectorplane.control.cluster.simulated.all_pairs import all_pairs
from vectorplane.control.cluster.simulated.cluster import Cluster
from vectorplane.control.cluster.simulated.cluster_node import NodeDown
from vectorplane.control.cluster.simulated.listing import kind_of, listing
from vectorplane.control.cluster.simulated.play import play
from vectorplane.control.cluster.simulated.reach import can_reach, probe
from vectorplane.control.cluster.simulated.reach_text import lines, reach_json, seen_text
from vectorplane.control.cluster.simulated.targets import Source, Target, TargetError, source, target
from vectorplane.control.cluster.simulated.traced import traced
from vectorplane.control.config_error import ConfigError
from vectorplane.control.management import ManagementError, Method, Parameters
from vectorplane.control.packet_explain.copy_of_process import CopyError
from vectorplane.pcap.errors import CaptureError

_MILLISECOND = 1_000_000
_MOST_PINGS = 1000


class Methods:
    """The methods of one cluster. ``stop`` ends it."""

    def __init__(self, cluster: Cluster, stop: Callable[[], None]) -> None:
        self._cluster, self._stop = cluster, stop

    def all(self) -> dict[str, Method]:
        """By the name that a request uses."""
        objects: list[Method] = [self.apply, self.delete, self.delete_files, self.get]
        packets: list[Method] = [self.ping, self.curl, self.can_reach, self.matrix, self.trace, self.replay]
        nodes: list[Method] = [self.drain, self.uncordon, self.kill, self.cli, self.history, self.down]
        return {method.__name__: _told(method) for method in (*objects, *packets, *nodes)}

    # --- objects

    def apply(self, given: Mapping[str, Any]) -> Any:
        """Apply the manifests in ``files``."""
        found = load(_files(given))
        answers = self._cluster.apply([m.object for m in found.manifests])
        return _answers(answers, found.warnings)

    def delete_files(self, given: Mapping[str, Any]) -> Any:
        """Delete what the manifests in ``files`` say."""
        found = load(_files(given))
        answers = self._cluster.delete([m.object for m in found.manifests])
        return _answers(answers, found.warnings)

    def delete(self, given: Mapping[str, Any]) -> Any:
        """Delete objects by ``kind`` and ``names``."""
        parameters = Parameters(given)
        kind, namespace = kind_of(parameters.text("kind")), parameters.text("namespace")
        names = parameters.texts("names")
        parameters.end()
        told, ok = [], True
        for name in names:
            try:
                told.append(self._cluster.kube.delete(kind, name, namespace))
            except KubeError as error:
                told.append(f"error: {error}")
                ok = False
        self._cluster.settle()
        return {"text": "\n".join(told), "ok": ok}

    def get(self, given: Mapping[str, Any]) -> Any:
        """Objects of a ``kind``."""
        parameters = Parameters(given)
        kind, name = parameters.text("kind"), parameters.maybe_text("name")
        namespace = parameters.maybe_text("namespace")
        parameters.end()
        return listing(self._cluster, kind, name, namespace)

    # --- packets

    def ping(self, given: Mapping[str, Any]) -> Any:
        """``count`` echo requests from ``source`` to ``target``."""
        parameters = Parameters(given)
        sender, count = self._source(parameters), parameters.maybe_number("count") or 3
        to = self._target(parameters, sender, "icmp")
        parameters.end()
        if not 1 <= count <= _MOST_PINGS:
            raise ManagementError(f"count: expected 1 to {_MOST_PINGS}, got {count}")
        told = [f"PING {to.label} ({to.address}) from {sender.label}: {56} data bytes"]
        answered = 0
        for sequence in range(1, count + 1):
            tried = sender.host.ping(to.address)
            self._cluster.wait_for(tried)
            answered += tried.answered
            told.append(_ping_line(tried, sequence))
        told += ["", f"{count} packets sent, {answered} answered"]
        return {"text": "\n".join(told), "ok": answered > 0, "sent": count, "answered": answered}

    def curl(self, given: Mapping[str, Any]) -> Any:
        """A TCP exchange from ``source`` with ``target``."""
        parameters = Parameters(given)
        sender = self._source(parameters)
        to = self._target(parameters, sender, "tcp")
        parameters.end()
        tried = probe(sender.host, to)
        self._cluster.wait_for(tried)
        head, _, body = tried.answer.partition(b"\r\n\r\n")
        text = (body if head.startswith(b"HTTP/") else tried.answer).decode(errors="replace")
        if not tried.answered:
            text = f"curl: {to.label} ({to.address}:{to.port}): {seen_text(tried)}"
        return {
            "text": text,
            "ok": tried.answered,
            "state": tried.state.value,
            "answer": tried.answer.decode("latin-1"),
        }

    def can_reach(self, given: Mapping[str, Any]) -> Any:
        """Seen, and explained."""
        parameters = Parameters(given)
        sender, to = self._ends(parameters)
        details = parameters.flag("details")
        parameters.end()
        answer = can_reach(self._cluster, sender, to)
        told = lines(answer, lambda node, interface: self._cluster.nodes[node].label(interface), details)
        return {"text": "\n".join(told), **reach_json(answer, details)}

    def matrix(self, given: Mapping[str, Any]) -> Any:
        """All pods against all pods."""
        parameters = Parameters(given)
        port, protocol = parameters.text("port"), parameters.text("protocol")
        namespace = parameters.maybe_text("namespace")
        parameters.end()
        made = all_pairs(self._cluster, port, protocol, namespace)
        return {"text": made.text(), "svg": made.svg(), **made.json()}

    def trace(self, given: Mapping[str, Any]) -> Any:
        """A packet, and what each node's packet trace says of it."""
        parameters = Parameters(given)
        sender, to = self._ends(parameters)
        parameters.end()
        tried, text = traced(self._cluster, sender, to)
        return {"text": f"{text}\n{seen_text(tried)}", "ok": tried.answered}

    def replay(self, given: Mapping[str, Any]) -> Any:
        """The capture ``capture`` is sent by ``pod``."""
        parameters = Parameters(given)
        sender = source(self._cluster, parameters.text("pod"), parameters.text("namespace"))
        capture, rewrite = parameters.text("capture"), parameters.flag("rewrite")
        parameters.end()
        return play(self._cluster, sender, capture, rewrite)

    # --- nodes

    def drain(self, given: Mapping[str, Any]) -> Any:
        """The pods of ``node`` go elsewhere."""
        told = self._cluster.kube.drain(self._node(given))
        self._cluster.settle()
        return {"text": "\n".join(told)}

    def uncordon(self, given: Mapping[str, Any]) -> Any:
        """``node`` gets pods again."""
        told = self._cluster.kube.cordon(self._node(given), on=False)
        self._cluster.settle()
        return {"text": told}

    def kill(self, given: Mapping[str, Any]) -> Any:
        """``node`` dies and comes back; with ``agent`` only its agent."""
        parameters = Parameters(given)
        name, only_agent = parameters.text("node"), parameters.flag("agent")
        parameters.end()
        self._known(name)
        if only_agent:
            self._cluster.kill_agent(name)
        else:
            self._cluster.kill(name)
        items = self._cluster.nodes[name].items()
        what = "its agent" if only_agent else "its engine and agent"
        return {"text": f"node/{name}: killed {what}; back with {items} items from the store"}

    def cli(self, given: Mapping[str, Any]) -> Any:
        """One ``line`` of the debug CLI of ``node``."""
        parameters = Parameters(given)
        name, line = parameters.text("node"), parameters.text("line")
        parameters.end()
        self._known(name)
        return {"text": self._cluster.nodes[name].cli(line)}

    def history(self, given: Mapping[str, Any]) -> Any:
        """The last ``count`` events of the agent of ``node``."""
        parameters = Parameters(given)
        name, count = parameters.text("node"), parameters.maybe_number("count")
        parameters.end()
        self._known(name)
        events = self._cluster.nodes[name].history(max(count or 20, 1))
        return {"text": "\n".join(map(_event, events)), "events": events}

    def down(self, given: Mapping[str, Any]) -> Any:
        """The end."""
        Parameters(given).end()
        self._stop()
        return {"text": "the cluster ends"}

    # --- inner works

    def _source(self, parameters: Parameters) -> Source:
        return source(self._cluster, parameters.text("source"), parameters.text("namespace"))

    def _ends(self, parameters: Parameters) -> tuple[Source, Target]:
        sender = self._source(parameters)
        protocol = parameters.maybe_text("protocol") or ""
        return sender, self._target(parameters, sender, protocol)

    def _target(self, parameters: Parameters, sender: Source, protocol: str) -> Target:
        """A pod calls what is in its own namespace without naming that, as by DNS."""
        return target(self._cluster, parameters.text("target"), sender.namespace or DEFAULT_NAMESPACE, protocol)

    def _node(self, given: Mapping[str, Any]) -> str:
        parameters = Parameters(given)
        name = parameters.text("node")
        parameters.end()
        self._known(name)
        return name

    def _known(self, name: str) -> None:
        if self._cluster.kube.get(Node, name) is None:
            raise ManagementError(f"there is no node {name}; known: {', '.join(self._cluster.nodes)}")


def _event(event: Mapping[str, Any]) -> str:
    """An event, what each handler did about it, and what went wrong."""
    took = 1000 * max(event["ProcessingEnd"] - event["ProcessingStart"], 0)
    lines = [f"{event['SeqNum']:>5}  {event['Description']} ({event['Method']}, {took:.1f} ms)"]
    for h in event["Handlers"]:
        lines.append(f"       {h['Handler']}: {h['Change'] or 'nothing'}{': ' + h['ErrorStr'] if h['Error'] else ''}")
    if event["TxnError"]:
        lines.append(f"       failed: {event['TxnError']}")
    return "\n".join(lines)


def _files(given: Mapping[str, Any]) -> list[str]:
    parameters = Parameters(given)
    files = parameters.texts("files")
    parameters.end()
    return files


def _answers(answers: list[Answer], warnings: list[str]) -> Any:
    told = [a.text if a.error is None else f"error: {a.error}" for a in answers]
    return {
        "text": "\n".join([*(f"warning: {w}" for w in warnings), *told]),
        "ok": all(a.error is None for a in answers),
    }


def _ping_line(tried: Probe, sequence: int) -> str:
    if tried.answered and tried.round_trip is not None:
        return f"64 bytes from {tried.source}: seq={sequence} time={tried.round_trip / _MILLISECOND:.3f} ms"
    return f"seq={sequence}: {seen_text(tried)}"


def _told(method: Method) -> Method:
    """What is the asker's mistake is an answer."""

    def told(given: Mapping[str, Any]) -> Any:
        try:
            return method(given)
        except ConfigError as error:
            raise ManagementError(*error.lines()) from None
        except (TargetError, NodeDown, KubeError, BackendError, CopyError, CaptureError) as error:
            raise ManagementError(str(error)) from None

    return told
