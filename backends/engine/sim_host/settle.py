"""Run a network until probes have come to their ends."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from vectorplane.dataplane.abi import NEVER

if TYPE_CHECKING:
    from vectorplane.backends.engine.network import Network
    from vectorplane.backends.engine.sim_host.probe import Probe


def settle(network: Network, probes: Probe | Iterable[Probe], limit: int = NEVER) -> list[Probe]:
    """Run until all probes are done or the virtual time is ``limit`` ns; gives those that are not done.

    Every probe ends by itself, so a limit is only needed when they should be cut short.
    """
    waiting = list(probes) if isinstance(probes, Iterable) else [probes]
    network.run_while(any_left(waiting), limit)
    return [p for p in waiting if not p.done]


def any_left(probes: Iterable[Probe]) -> Callable[[], bool]:
    """Says whether any probe is not done. A probe that was seen done is not looked at again."""
    waiting = list(probes)

    def left() -> bool:
        while waiting and waiting[-1].done:
            waiting.pop()
        return bool(waiting)

    return left
