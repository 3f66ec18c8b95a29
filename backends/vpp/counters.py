"""Counters of interfaces, read from VPP's statistics segment (by vpp-papi's reader)."""

from __future__ import annotations

from typing import Any

from vectorplane.backends.base import BackendError

_SIMPLE = {"drops": "/if/drops", "rx_miss": "/if/rx-miss", "tx_error": "/if/tx-error", "punts": "/if/punt"}


def interface_counters(socket: str, names: dict[int, str]) -> list[dict[str, Any]]:
    """A row for each interface of ``names`` (by sw_if_index), all threads summed.

    Raises:
        BackendError: the segment can't be read.
    """
    from vpp_papi.vpp_stats import VPPStats

    stats: Any = VPPStats(socket)  # type: ignore[no-untyped-call]
    try:
        stats.connect()
    except Exception as error:  # vpp-papi raises a plain Exception for a version that it does not know
        raise BackendError(f"no statistics at {socket}: {error}") from error
    try:
        return _rows(stats, names)
    except (KeyError, IndexError, OSError, ValueError) as error:
        raise BackendError(f"the statistics at {socket} can't be read: {error!r}") from error
    finally:
        stats.disconnect()


def _rows(stats: Any, names: dict[int, str]) -> list[dict[str, Any]]:
    rows: dict[int, dict[str, Any]] = {i: {"name": name} for i, name in sorted(names.items())}
    for way in ("rx", "tx"):
        threads = stats[f"/if/{way}"]
        for i, row in rows.items():
            pairs = [t[i] for t in threads if i < len(t)]
            row[f"{way}_packets"] = sum(int(p["packets"]) for p in pairs)
            row[f"{way}_bytes"] = sum(int(p["bytes"]) for p in pairs)
    for field, path in _SIMPLE.items():
        if path in stats.directory:
            threads = stats[path]
            for i, row in rows.items():
                row[field] = sum(int(t[i]) for t in threads if i < len(t))
    return list(rows.values())
