"""Fragments that a host puts together (RFC 791). Bounded, and without timers: what is too old goes when others come."""

from __future__ import annotations

from dataclasses import dataclass, field

from vectorplane.backends.engine.sim_host.dropped import Dropped

MOST = 64
"""Datagrams at once; one more pushes the oldest out."""
LIFETIME = 30_000_000_000
"""ns from the first fragment on (RFC 1122, 3.3.2)."""


@dataclass
class _Datagram:
    started: int
    pieces: dict[int, bytes] = field(default_factory=dict)
    total: int | None = None


class Reassembly:
    """The incomplete datagrams of one host."""

    def __init__(self) -> None:
        self._datagrams: dict[tuple[bytes, bytes, int, int], _Datagram] = {}
        self.given_up = 0
        """Datagrams whose rest did not come, or that were damaged."""

    def __len__(self) -> int:
        return len(self._datagrams)

    def add(self, now: int, key: tuple[bytes, bytes, int, int], offset: int, more: bool, data: bytes) -> bytes | None:
        """A fragment, its offset in bytes; the datagram's payload when it is complete.

        Raises:
            Dropped: it overlaps others, or makes no sense beside them.
        """
        end = offset + len(data)
        if not data or end > 65535 - 20 or (more and len(data) % 8):
            raise Dropped("malformed fragment")
        for old in [k for k, d in self._datagrams.items() if now - d.started > LIFETIME]:
            self._give_up(old)
        if key not in self._datagrams:
            if len(self._datagrams) >= MOST:
                self._give_up(next(iter(self._datagrams)))
            self._datagrams[key] = _Datagram(now)
        datagram = self._datagrams[key]
        if datagram.pieces.get(offset) == data:
            raise Dropped("duplicate fragment")
        if not more and datagram.total is not None:
            self._give_up(key)
            raise Dropped("overlapping fragments")
        total = datagram.total if more else end
        if any(offset < o + len(d) and o < end for o, d in datagram.pieces.items()) or (
            total is not None and max(end, *(o + len(d) for o, d in datagram.pieces.items()), 0) > total
        ):
            self._give_up(key)
            raise Dropped("overlapping fragments")
        datagram.pieces[offset], datagram.total = data, total
        if total is None or sum(map(len, datagram.pieces.values())) < total:
            return None
        del self._datagrams[key]
        return b"".join(d for _, d in sorted(datagram.pieces.items()))

    def _give_up(self, key: tuple[bytes, bytes, int, int]) -> None:
        del self._datagrams[key]
        self.given_up += 1
