"""Probes as JSON."""

from __future__ import annotations

from ipaddress import IPv4Address
from typing import Any

from vectorplane.backends.engine.sim_host.probe import IcmpError, Probe, ProbeState


def probe_out(probe: Probe) -> dict[str, Any]:
    """What a probe has come to."""
    error = probe.error
    return {
        "local_port": probe.local_port,
        "state": probe.state.value,
        "answer": probe.answer.hex(),
        "source": None if probe.source is None else str(probe.source),
        "source_port": probe.source_port,
        "round_trip": probe.round_trip,
        "error": None if error is None else [error.type, error.code, str(error.source), error.mtu],
        "sent": probe.sent,
        "received": probe.received,
        "finished": probe.finished,
    }


def bring(probe: Probe, told: dict[str, Any]) -> None:
    """Bring a probe to what it has come to at its host."""
    probe.local_port = told["local_port"]
    probe.answer = bytes.fromhex(told["answer"])
    probe.source = None if told["source"] is None else IPv4Address(told["source"])
    probe.source_port, probe.round_trip = told["source_port"], told["round_trip"]
    error = told["error"]
    probe.error = None if error is None else IcmpError(error[0], error[1], IPv4Address(error[2]), error[3])
    probe.sent, probe.received = told["sent"], told["received"]
    state = ProbeState(told["state"])
    if state is not ProbeState.WAITING:
        probe.finish(state, told["finished"])
