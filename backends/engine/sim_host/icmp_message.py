"""ICMP messages (RFC 792)."""

from __future__ import annotations

from vectorplane.backends.engine.sim_host.checksums import checksum


def message(kind: int, code: int, rest: bytes, data: bytes = b"") -> bytes:
    """An ICMP message: type, code, checksum, 4 bytes of ``rest``, data."""
    raw = bytes((kind, code, 0, 0)) + rest + data
    return raw[:2] + checksum(raw).to_bytes(2, "big") + raw[4:]
